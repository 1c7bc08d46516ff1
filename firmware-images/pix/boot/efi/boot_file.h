/* What a DHCP packet says that is booted: the file's name and the server that has it. */
#ifndef PIX_EFI_BOOT_FILE_H
#define PIX_EFI_BOOT_FILE_H

#include <stddef.h>
#include <stdint.h>

#define BOOTP_SIADDR 20 /* RFC 951, 3 */
#define BOOTP_CHADDR 28

/*
 * Copies the name of the boot file, with `suffix` behind it and a zero, into `name`; returns 0, or -1 if the packet
 * names none or `room` bytes do not hold it. The name is option 67 (RFC 2132, 9.5) or, without one, the field `file`
 * (RFC 2131, 2), unless option 52 (RFC 2132, 9.3) has that field hold options. `size`: bytes of the packet.
 */
int boot_file_name(const uint8_t *packet, size_t size, const char *suffix, char *name, size_t room);

#endif
