#include "route_file.h"

#include "boot_file.h"
#include "memory_map.h"
#include "string.h"

#define TFTP_FILE_NOT_FOUND 1 /* error code of RFC 1350, 5; EDK II takes the wrong byte of it and says 0 of each */

static const struct efi_guid pxe_guid = EFI_PXE_BASE_CODE_PROTOCOL_GUID;

/* The packet that said what to boot: of a boot server, of a proxy beside the DHCP server, or of that server itself. */
static const uint8_t *last_word(const struct efi_pxe_mode *mode)
{
    if (mode->pxe_reply_received)
        return mode->pxe_reply.raw;
    return mode->proxy_offer_received ? mode->proxy_offer.raw : mode->dhcp_ack.raw;
}

static void failed(struct route_file *file, efi_status status)
{
    const struct efi_pxe_mode *mode = file->pxe->mode;
    int absent = status == EFI_NOT_FOUND || (mode->tftp_error_received && mode->tftp_error_code <= TFTP_FILE_NOT_FOUND);
    file->size = 0;
    file->status = absent ? PXENV_STATUS_TFTP_FILE_NOT_FOUND : (uint32_t)status & 0xff;
}

/* Size of a text, which has no zeros, in a buffer that had nothing else. */
static uint64_t text_size(const uint8_t *buffer, uint64_t size)
{
    while (size && !buffer[size - 1])
        size--;
    return size;
}

void route_file_ask(struct route_file *file, const struct efi_boot_services *services, efi_handle device)
{
    file->size = 0;
    file->size_known = 1;
    file->status = ROUTE_FILE_NO_PXE;
    memset(file->boot_mac, 0, sizeof(file->boot_mac));
    if (services->handle_protocol(device, &pxe_guid, (void **)&file->pxe))
        return;
    const struct efi_pxe_mode *mode = file->pxe->mode;
    if (!mode->started || mode->using_ipv6 || !mode->dhcp_ack_received)
        return;
    memcpy(file->boot_mac, mode->dhcp_ack.raw + BOOTP_CHADDR, sizeof(file->boot_mac));
    const uint8_t *packet = last_word(mode);
    if (boot_file_name(packet, sizeof(struct efi_pxe_packet), ".routes", file->name, sizeof(file->name)))
        return;
    memset(&file->server, 0, sizeof(file->server));
    memcpy(&file->server, packet + BOOTP_SIADDR, 4);
    file->status = 0;
    efi_status status = file->pxe->mtftp(file->pxe, EFI_PXE_TFTP_GET_FILE_SIZE, 0, 0, &file->size, 0, &file->server, file->name, 0, 0);
    if (status == EFI_UNSUPPORTED) {
        file->size = ROUTE_FILE_MAX;
        file->size_known = 0;
    } else if (status) {
        failed(file, status);
    } else if (file->size > ROUTE_FILE_MAX) {
        route_file_give_up(file);
    }
}

void route_file_give_up(struct route_file *file)
{
    failed(file, EFI_BUFFER_TOO_SMALL);
}

void route_file_fetch(struct route_file *file, void *buffer)
{
    const uint64_t block_size = 1428; /* a whole Ethernet frame: 64 MiB are then less than the 65,535 blocks of RFC 1350 */
    uint64_t size = file->size;
    if (!size)
        return;
    if (!file->size_known)
        memset(buffer, 0, size);
    efi_status status = file->pxe->mtftp(file->pxe, EFI_PXE_TFTP_READ_FILE, buffer, 0, &size, &block_size, &file->server, file->name, 0, 0);
    if (status)
        failed(file, status);
    else
        file->size = file->size_known ? size : text_size(buffer, size);
}
