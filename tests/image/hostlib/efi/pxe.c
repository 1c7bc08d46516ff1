/* A PXE base code in the manner of EDK II or of iPXE, for boot/efi/route_file.c, which asks it for the route file. */
#include <string.h>
#include "route_file.h"

#define EFI_TFTP_ERROR EFI_ERROR(23)

/* `error`: the TFTP server's answer instead of the file, as the firmware tells its code; -1: the file. */
struct served {
    const uint8_t *content;
    uint64_t size;
    int tells_sizes, error;
};

static struct served served;
static struct efi_pxe_mode mode;
static struct efi_pxe_base_code pxe;
uint64_t efi_route_file(const uint8_t *const packets[3], const struct served *file, uint8_t *buffer, uint64_t room, char *name,
                        uint32_t *status);

static efi_status EFIAPI mtftp(struct efi_pxe_base_code *self, enum efi_pxe_opcode opcode, void *buffer, uint8_t overwrite, uint64_t *size,
                               const uint64_t *block_size, const struct efi_ip_address *server, const char *name,
                               const void *multicast, uint8_t without_buffer)
{
    (void)self, (void)overwrite, (void)block_size, (void)server, (void)name, (void)multicast, (void)without_buffer;
    if (opcode == EFI_PXE_TFTP_GET_FILE_SIZE && !served.tells_sizes)
        return EFI_UNSUPPORTED;
    if (served.error >= 0) {
        mode.tftp_error_received = 1;
        mode.tftp_error_code = (uint8_t)served.error;
        return EFI_TFTP_ERROR;
    }
    if (opcode == EFI_PXE_TFTP_READ_FILE) {
        if (*size < served.size)
            return EFI_BUFFER_TOO_SMALL;
        memcpy(buffer, served.content, served.size);
    }
    if (served.tells_sizes)
        *size = served.size;
    return EFI_SUCCESS;
}

static efi_status EFIAPI handle_protocol(efi_handle handle, const struct efi_guid *guid, void **interface)
{
    (void)guid;
    *interface = handle;
    return handle ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

/*
 * As the application does: asks, gives up what is larger than `room`, fetches. `packets`: DHCP's answer, the proxy's and
 * the boot server's, each may be null; without the first there is no PXE base code at all. Returns the size.
 */
uint64_t efi_route_file(const uint8_t *const packets[3], const struct served *file, uint8_t *buffer, uint64_t room, char *name,
                        uint32_t *status)
{
    const struct efi_boot_services services = {.handle_protocol = handle_protocol};
    struct route_file routes;
    struct efi_pxe_packet *const places[3] = {&mode.dhcp_ack, &mode.proxy_offer, &mode.pxe_reply};
    memset(&routes, 0xee, sizeof(routes));
    mode = (struct efi_pxe_mode){.started = 1, .dhcp_ack_received = packets[0] != 0};
    mode.proxy_offer_received = packets[1] != 0;
    mode.pxe_reply_received = packets[2] != 0;
    for (unsigned i = 0; i < 3; i++)
        if (packets[i])
            memcpy(places[i], packets[i], sizeof(*places[i]));
    pxe = (struct efi_pxe_base_code){.mtftp = mtftp, .mode = &mode};
    served = *file;

    route_file_ask(&routes, &services, packets[0] ? &pxe : 0);
    if (routes.size > room)
        route_file_give_up(&routes);
    route_file_fetch(&routes, buffer);
    if (packets[0])
        memcpy(name, routes.name, sizeof(routes.name));
    *status = routes.status;
    return routes.size;
}
