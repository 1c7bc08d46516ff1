#include "boot_info.h"
#include "core.h"
#include "trap.h"

#define IO_MAP_BYTES (65536 / 8 + 1)

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

struct gate { /* Intel SDM 3A, 6.14.1 */
    uint16_t offset_low, selector;
    uint8_t stack, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

void segments_reload(const struct table_pointer *gdt, uint16_t task);

static uint64_t gdt[FIRST_TSS / 8 + 2 * MAX_CORES];
static struct gate idt[TRAP_VECTORS];
static struct task_state_segment tasks[MAX_CORES];

/* Core 0 may use the ports that its ring-3 programs need; exclusive cores none. A set bit forbids. */
static struct {
    struct task_state_segment segment;
    uint8_t forbidden[IO_MAP_BYTES];
} __attribute__((packed)) generic_task;

static void allow_ports(uint16_t first, unsigned count)
{
    for (unsigned port = first; port < first + count; port++)
        generic_task.forbidden[port / 8] &= (uint8_t)~(1u << port % 8);
}

static void set_task(uint32_t core, struct task_state_segment *segment, uint32_t limit)
{
    uint64_t base = (uint64_t)segment;
    segment->rsp0 = (uint64_t)kernel_stacks[core] + KERNEL_STACK_SIZE;
    segment->io_map_base = sizeof(*segment);
    uint64_t *entry = &gdt[FIRST_TSS / 8 + 2 * core];
    entry[0] = limit | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    entry[1] = base >> 32;
}

void segments_init(void)
{
    gdt[KERNEL_CODE / 8] = 0x00af9b000000ffff;
    gdt[KERNEL_DATA / 8] = 0x00cf93000000ffff;
    gdt[USER_DATA / 8] = 0x00cff3000000ffff;
    gdt[USER_CODE / 8] = 0x00affb000000ffff;
    for (unsigned i = 0; i < IO_MAP_BYTES; i++)
        generic_task.forbidden[i] = 0xff;
    allow_ports(0x3f8, 8);
    allow_ports(PCI_CONFIG_ADDRESS, 8);
    allow_ports(boot_info.pm_timer_port, 4);
    set_task(0, &generic_task.segment, sizeof(generic_task) - 1);
    for (uint32_t core = 1; core < MAX_CORES; core++)
        set_task(core, &tasks[core], sizeof(tasks[core]) - 1);
    for (unsigned vector = 0; vector < TRAP_VECTORS; vector++) {
        uint64_t stub = trap_stubs[vector];
        idt[vector] = (struct gate){
            .offset_low = (uint16_t)stub,
            .selector = KERNEL_CODE,
            .type = 0x8e, /* present, interrupt gate; ring 3 reaches none by an instruction of its own */
            .offset_middle = (uint16_t)(stub >> 16),
            .offset_high = (uint32_t)(stub >> 32),
        };
    }
}

void segments_load(uint32_t core)
{
    struct table_pointer gdt_pointer = {sizeof(gdt) - 1, (uint64_t)gdt};
    struct table_pointer idt_pointer = {sizeof(idt) - 1, (uint64_t)idt};
    segments_reload(&gdt_pointer, (uint16_t)(FIRST_TSS + 16 * core));
    __asm__ volatile("lidt %0" : : "m"(idt_pointer));
}
