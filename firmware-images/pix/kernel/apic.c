#include "apic.h"

#include "io.h"
#include "trap.h"

#define APIC_ID 0x20
#define APIC_EOI 0xb0
#define APIC_SVR 0xf0
#define APIC_SVR_ENABLE 0x100
#define APIC_ICR_LOW 0x300
#define APIC_ICR_HIGH 0x310
#define ICR_PENDING (1u << 12)
#define ICR_INIT 0x4500    /* INIT, assert */
#define ICR_STARTUP 0x4600 /* start-up, assert */
#define ICR_FIXED 0x4000
#define IOREGSEL 0x00
#define IOWIN 0x10
#define IOREDTBL(pin) (0x10 + 2 * (pin))

static volatile uint8_t *local, *io;

static uint32_t read_local(unsigned offset)
{
    return *(volatile uint32_t *)(local + offset);
}

static void write_local(unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)(local + offset) = value;
}

static void write_io(uint32_t index, uint32_t value)
{
    *(volatile uint32_t *)(io + IOREGSEL) = index;
    *(volatile uint32_t *)(io + IOWIN) = value;
}

void apic_init(const struct acpi_facts *facts)
{
    local = (volatile uint8_t *)facts->local_apic_address;
    io = (volatile uint8_t *)(uint64_t)facts->io_apic_address;
    port_write8(0x21, 0xff);
    port_write8(0xa1, 0xff);
}

void apic_enable(void)
{
    write_local(APIC_SVR, APIC_SVR_ENABLE | TRAP_SPURIOUS);
}

uint32_t apic_id(void)
{
    return read_local(APIC_ID) >> 24;
}

void apic_end_of_interrupt(void)
{
    write_local(APIC_EOI, 0);
}

static void send(uint32_t apic_id, uint32_t command)
{
    write_local(APIC_ICR_HIGH, apic_id << 24);
    write_local(APIC_ICR_LOW, command);
    while (read_local(APIC_ICR_LOW) & ICR_PENDING)
        cpu_relax();
}

void apic_wake(uint32_t apic_id)
{
    send(apic_id, ICR_FIXED | TRAP_WAKE);
}

void apic_send_init(uint32_t apic_id)
{
    send(apic_id, ICR_INIT);
}

void apic_send_startup(uint32_t apic_id, uint8_t page)
{
    send(apic_id, ICR_STARTUP | page);
}

void apic_route_serial(const struct acpi_facts *facts, uint32_t apic_id)
{
    write_io(IOREDTBL(facts->serial_pin) + 1, apic_id << 24);
    write_io(IOREDTBL(facts->serial_pin), TRAP_SERIAL | facts->serial_polarity);
}
