/*
 * What is used of the "Unified Extensible Firmware Interface Specification", version 2.10: names as there, in this
 * code's letters; members that nobody asks for are left as `unused`.
 */
#ifndef PIX_EFI_H
#define PIX_EFI_H

#include <stddef.h>
#include <stdint.h>

#define EFIAPI __attribute__((ms_abi))
#define EFI_PAGE_SIZE 4096
#define EFI_ERROR(code) (0x8000000000000000ull | (code))
#define EFI_SUCCESS 0
#define EFI_INVALID_PARAMETER EFI_ERROR(2)
#define EFI_UNSUPPORTED EFI_ERROR(3)
#define EFI_BUFFER_TOO_SMALL EFI_ERROR(5)
#define EFI_OUT_OF_RESOURCES EFI_ERROR(9)
#define EFI_NOT_FOUND EFI_ERROR(14)

typedef uint64_t efi_status;
typedef void *efi_handle;

struct efi_guid {
    uint32_t a;
    uint16_t b, c;
    uint8_t d[8];
};

#define EFI_LOADED_IMAGE_PROTOCOL_GUID {0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}}
#define EFI_PXE_BASE_CODE_PROTOCOL_GUID {0x03c4e603, 0xac28, 0x11d3, {0x9a, 0x2d, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}}
#define EFI_ACPI_20_TABLE_GUID {0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}}
#define ACPI_TABLE_GUID {0xeb9d2d30, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}}

/* 7.2, memory allocation services. */
enum efi_allocate_type { ALLOCATE_ANY_PAGES, ALLOCATE_MAX_ADDRESS, ALLOCATE_ADDRESS };
enum efi_memory_type {
    EFI_RESERVED_MEMORY_TYPE,
    EFI_LOADER_CODE,
    EFI_LOADER_DATA,
    EFI_BOOT_SERVICES_CODE,
    EFI_BOOT_SERVICES_DATA,
    EFI_RUNTIME_SERVICES_CODE,
    EFI_RUNTIME_SERVICES_DATA,
    EFI_CONVENTIONAL_MEMORY,
    EFI_UNUSABLE_MEMORY,
    EFI_ACPI_RECLAIM_MEMORY,
    EFI_ACPI_MEMORY_NVS
};

/* The firmware says how far apart these are: not by their size. */
struct efi_memory_descriptor {
    uint32_t type;
    uint64_t physical_start, virtual_start, number_of_pages, attribute;
};

struct efi_table_header {
    uint64_t signature;
    uint32_t revision, header_size, crc32, reserved;
};

/* 4.4 */
struct efi_boot_services {
    struct efi_table_header header;
    void *unused0[2];
    efi_status(EFIAPI *allocate_pages)(enum efi_allocate_type, enum efi_memory_type, uint64_t pages, uint64_t *address);
    void *unused1;
    efi_status(EFIAPI *get_memory_map)(uint64_t *size, void *map, uint64_t *key, uint64_t *descriptor_size, uint32_t *version);
    efi_status(EFIAPI *allocate_pool)(enum efi_memory_type, uint64_t size, void **buffer);
    void *unused2[10];
    efi_status(EFIAPI *handle_protocol)(efi_handle, const struct efi_guid *, void **interface);
    void *unused3[9];
    efi_status(EFIAPI *exit_boot_services)(efi_handle image, uint64_t map_key);
};

/* 12.4 */
struct efi_simple_text_output {
    void *unused0;
    efi_status(EFIAPI *output_string)(struct efi_simple_text_output *, const uint16_t *text);
};

/* 4.6 */
struct efi_configuration_table {
    struct efi_guid guid;
    void *table;
};

/* 4.3 */
struct efi_system_table {
    struct efi_table_header header;
    void *unused0[5];
    struct efi_simple_text_output *console_out;
    void *unused1[3];
    struct efi_boot_services *boot_services;
    uint64_t table_count;
    struct efi_configuration_table *tables;
};

/* 9.1 */
struct efi_loaded_image {
    void *unused0[3];
    efi_handle device_handle;
    void *unused1[4];
    void *image_base;
    uint64_t image_size;
};

/* 24.3, the PXE base code: as it stands after the firmware has loaded us by it. */
struct efi_ip_address {
    uint32_t words[4]; /* IPv4: the first, in network order */
};

struct efi_pxe_packet {
    uint8_t raw[1472];
};

struct efi_pxe_mode {
    uint8_t started, unused0[2], using_ipv6, unused1[5], dhcp_ack_received, proxy_offer_received, unused2;
    uint8_t pxe_reply_received, unused3[2], tftp_error_received, unused4[4];
    struct efi_ip_address station_ip, subnet_mask;
    struct efi_pxe_packet dhcp_discover, dhcp_ack, proxy_offer, pxe_discover, pxe_reply, pxe_bis_reply;
    uint8_t unused5[132 + 4 + 8 * 48 + 4 + 8 * 48 + 504]; /* filters, ARP cache, routes, the last ICMP error */
    uint8_t tftp_error_code;
};

enum efi_pxe_opcode { EFI_PXE_TFTP_GET_FILE_SIZE = 1, EFI_PXE_TFTP_READ_FILE };

struct efi_pxe_base_code {
    uint64_t revision;
    void *unused0[4];
    efi_status(EFIAPI *mtftp)(struct efi_pxe_base_code *, enum efi_pxe_opcode, void *buffer, uint8_t overwrite, uint64_t *size,
                              const uint64_t *block_size, const struct efi_ip_address *server, const char *name,
                              const void *multicast, uint8_t without_buffer);
    void *unused1[7];
    const struct efi_pxe_mode *mode;
};

_Static_assert(offsetof(struct efi_boot_services, exit_boot_services) == 24 + 26 * 8, "");
_Static_assert(offsetof(struct efi_system_table, tables) == 112, "");
_Static_assert(offsetof(struct efi_loaded_image, image_base) == 64, "");
_Static_assert(offsetof(struct efi_pxe_mode, dhcp_ack) == 1524 && offsetof(struct efi_pxe_mode, tftp_error_code) == 10296, "");
_Static_assert(offsetof(struct efi_pxe_base_code, mode) == 104, "");

#endif
