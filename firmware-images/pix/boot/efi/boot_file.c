#include "boot_file.h"

#define BOOTP_FILE 108
#define BOOTP_FILE_SIZE 128
#define BOOTP_OPTIONS 240 /* behind the magic cookie (RFC 2131, 3) */
#define OPTION_PAD 0
#define OPTION_OVERLOAD 52
#define OPTION_BOOT_FILE 67
#define OPTION_END 255
#define OVERLOAD_FILE 1

/* Returns where the content of an option begins, its length in *length; a null pointer if it is not there whole. */
static const uint8_t *find_option(const uint8_t *packet, size_t size, uint8_t code, size_t *length)
{
    for (size_t at = BOOTP_OPTIONS; at < size && packet[at] != OPTION_END;) {
        if (packet[at] == OPTION_PAD) {
            at++;
            continue;
        }
        if (at + 2 > size || at + 2 + packet[at + 1] > size)
            return 0;
        *length = packet[at + 1];
        if (packet[at] == code)
            return packet + at + 2;
        at += 2 + *length;
    }
    return 0;
}

int boot_file_name(const uint8_t *packet, size_t size, const char *suffix, char *name, size_t room)
{
    size_t length, used = 0;
    if (size < BOOTP_OPTIONS)
        return -1;
    const uint8_t *from = find_option(packet, size, OPTION_BOOT_FILE, &length);
    if (!from) {
        const uint8_t *overload = find_option(packet, size, OPTION_OVERLOAD, &length);
        if (overload && length == 1 && (*overload & OVERLOAD_FILE))
            return -1;
        from = packet + BOOTP_FILE;
        length = BOOTP_FILE_SIZE;
    }
    for (; used < length && from[used]; used++) {
        if (used >= room)
            return -1;
        name[used] = (char)from[used];
    }
    if (!used)
        return -1;
    do {
        if (used >= room)
            return -1;
        name[used++] = *suffix;
    } while (*suffix++);
    return 0;
}
