/*
 * PIX as an EFI application: gathers what start.S gathers from a BIOS, ends the boot services and enters the same
 * kernel by the same code, start.S's `protected_mode`.
 *
 * Invariant: as in start.S, the digest of the copy that is made first of all is what `version` reports as booted. The
 * file is laid out so that its sections lie in memory as in the file (efi.ld), there is nothing to relocate, and the
 * application writes nothing of itself. The loader alone writes eight bytes: the header's ImageBase becomes the address
 * that it chose. The copy has the 0 again that every file of ours has there.
 */
#include "e820.h"
#include "efi.h"
#include "land.h"
#include "memory.h"
#include "memory_map.h"
#include "nbp.h"
#include "route_file.h"
#include "string.h"
#include "uart.h"

#define MAP_SLACK 8192 /* bytes by which the memory map may grow between two looks at it */

extern const uint8_t file_start[], file_end[], image_base_field[], nbp_start[], land[], land_end[];
efi_status EFIAPI efi_main(efi_handle image, struct efi_system_table *system);

/* What lies in the memory that outlives the boot services, below 4 GiB and above all that the image is put to. */
struct landing {
    uint8_t *code;
    struct boot_parameters *parameters;
    uint8_t *file, *routes;
};

static efi_status fail(struct efi_system_table *system, const char *reason, efi_status status)
{
    uint16_t text[128] = {0};
    for (unsigned i = 0; i < sizeof(text) / sizeof(*text) - 1 && reason[i]; i++)
        text[i] = (uint8_t)reason[i];
    if (!system->console_out)
        return status;
    system->console_out->output_string(system->console_out, u"error: ");
    system->console_out->output_string(system->console_out, text);
    system->console_out->output_string(system->console_out, u"\r\n");
    return status;
}

static void __attribute__((noreturn)) stop(const char *line)
{
    size_t length = 0;
    while (line[length])
        length++;
    uart_init();
    uart_write(line, length);
    for (;;)
        __asm__ volatile("cli; hlt");
}

static uint64_t pages_of(uint64_t size)
{
    return (size + EFI_PAGE_SIZE - 1) / EFI_PAGE_SIZE;
}

/* Address of the ACPI root pointer; 0 if there is none. */
static uint64_t find_acpi_root(const struct efi_system_table *system)
{
    static const struct efi_guid wanted[] = {EFI_ACPI_20_TABLE_GUID, ACPI_TABLE_GUID}; /* the better one first */
    for (unsigned which = 0; which < 2; which++)
        for (uint64_t i = 0; i < system->table_count; i++)
            if (!memcmp(&system->tables[i].guid, &wanted[which], sizeof(wanted[which])))
                return (uint64_t)system->tables[i].table;
    return 0;
}

/* Returns 0, or an error if there is no such memory. */
static efi_status make_landing(struct landing *landing, const struct efi_boot_services *services, uint64_t file_size, uint64_t route_size)
{
    uint64_t address = 0xffffffff, pages = 2 + pages_of(file_size) + pages_of(route_size);
    efi_status status = services->allocate_pages(ALLOCATE_MAX_ADDRESS, EFI_LOADER_CODE, pages, &address);
    if (status)
        return status;
    if (address < NBP_TABLES_END + route_size)
        return EFI_OUT_OF_RESOURCES;
    landing->code = (uint8_t *)address;
    landing->parameters = (void *)(address + EFI_PAGE_SIZE);
    landing->file = (uint8_t *)address + 2 * EFI_PAGE_SIZE;
    landing->routes = landing->file + pages_of(file_size) * EFI_PAGE_SIZE;
    memcpy(landing->code, land, (size_t)(land_end - land));
    memset(landing->parameters, 0, sizeof(*landing->parameters));
    return EFI_SUCCESS;
}

/*
 * Ends the boot services and leaves the memory map in the parameters. The map's key is that of the last look: when
 * something has changed since, it has to be looked at again, and nothing but that may be asked for (UEFI 2.10, 7.4.6).
 */
static efi_status end_boot_services(const struct efi_boot_services *services, efi_handle image, struct boot_parameters *parameters)
{
    uint64_t room = 0, key, descriptor_size;
    uint32_t version;
    void *map;
    services->get_memory_map(&room, 0, &key, &descriptor_size, &version);
    room += MAP_SLACK;
    efi_status status = services->allocate_pool(EFI_LOADER_DATA, room, &map);
    for (unsigned attempt = 0; !status && attempt < 4; attempt++) {
        uint64_t size = room;
        status = services->get_memory_map(&size, map, &key, &descriptor_size, &version);
        if (status)
            return status;
        status = services->exit_boot_services(image, key);
        if (!status) {
            parameters->e820_count = efi_memory_to_e820(map, size, descriptor_size, parameters->e820_map, E820_MAX);
            return EFI_SUCCESS;
        }
        if (status == EFI_INVALID_PARAMETER)
            status = EFI_SUCCESS; /* look again */
    }
    return status ? status : EFI_INVALID_PARAMETER;
}

efi_status EFIAPI efi_main(efi_handle image, struct efi_system_table *system)
{
    static const struct efi_guid loaded_image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
    uint64_t boot_tsc = __builtin_ia32_rdtsc();
    const struct efi_boot_services *services = system->boot_services;
    struct efi_loaded_image *loaded;
    struct landing landing;
    struct route_file routes;

    efi_status status = services->handle_protocol(image, &loaded_image_guid, (void **)&loaded);
    uint64_t file_size = (uint64_t)(file_end - file_start);
    if (status || loaded->image_base != file_start || loaded->image_size < file_size)
        return fail(system, "the firmware has not loaded the file as it lies: its digest cannot be told", EFI_INVALID_PARAMETER);
    uint64_t acpi_root = find_acpi_root(system);
    if (!acpi_root || acpi_root >> 32)
        return fail(system, "no ACPI root pointer below 4 GiB", EFI_NOT_FOUND);
    route_file_ask(&routes, services, loaded->device_handle);
    status = make_landing(&landing, services, file_size, routes.size);
    if (status && routes.size) {
        route_file_give_up(&routes);
        status = make_landing(&landing, services, file_size, 0);
    }
    if (status)
        return fail(system, "too little memory between the end of the tables and 4 GiB: give the machine 256 MiB", status);
    memcpy(landing.file, file_start, file_size);
    memset(landing.file + (image_base_field - file_start), 0, sizeof(uint64_t));
    route_file_fetch(&routes, landing.routes);

    *landing.parameters = (struct boot_parameters){
        .boot_tsc = boot_tsc,
        .route_file_size = (uint32_t)routes.size,
        .route_file_status = routes.status,
        .file_address = (uint32_t)(uint64_t)landing.file,
        .file_size = (uint32_t)file_size,
        .file_parts = (uint32_t)(nbp_start - file_start),
        .acpi_root = acpi_root,
    };
    memcpy(landing.parameters->boot_mac, routes.boot_mac, sizeof(routes.boot_mac));
    status = end_boot_services(services, image, landing.parameters);
    if (status)
        stop("error: the firmware does not end its boot services\r\n"); /* and may have ended its console */
    ((land_function)(uint64_t)landing.code)(landing.code, landing.parameters, landing.routes);
}
