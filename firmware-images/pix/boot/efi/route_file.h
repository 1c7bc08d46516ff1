/* The file of routes beside the image, asked of the PXE base code that loaded it: as boot/route_file.S does of a PXE ROM. */
#ifndef PIX_EFI_ROUTE_FILE_H
#define PIX_EFI_ROUTE_FILE_H

#include "efi.h"

struct route_file {
    struct efi_pxe_base_code *pxe; /* a null pointer: there is nobody to ask */
    struct efi_ip_address server;
    char name[256];
    uint64_t size;   /* bytes of it, or of the room for one of unknown size; 0: there is none */
    int size_known;  /* iPXE tells no sizes: neither before nor behind */
    uint32_t status; /* why there is none, as ROUTE_FILE_STATUS has it */
    uint8_t boot_mac[6]; /* of the NIC that was asked for the image; 0: it came by none */
};

/* Finds out whether there is one, and how large it is. `device`: what the image was loaded from. */
void route_file_ask(struct route_file *file, const struct efi_boot_services *services, efi_handle device);

/* Says that there is no memory for it. */
void route_file_give_up(struct route_file *file);

/* Fetches it into `buffer`, which has room for file->size bytes; sets size to 0 and the status if that fails. */
void route_file_fetch(struct route_file *file, void *buffer);

#endif
