#include "control.h"

#include "boot_info.h"
#include "console.h"
#include "io.h"
#include "sha256.h"
#include "string.h"
#include "system_call.h"
#include "tables.h"

#define CALIBRATION_TICKS (PM_TIMER_HZ / 50) /* 20 ms */
#define REQUEST_DEADLINE_S 2
#define STACK_SIZE 16384
#define PAGE 4096

struct boot_info boot_info;
struct control control;
static char qgm_stack[STACK_SIZE] __attribute__((aligned(128)));

static uint32_t pm_ticks(void)
{
    return port_read32(boot_info.pm_timer_port) & PM_TIMER_MASK;
}

/* Frequency of the time stamp counter. Measured at each start: the machine below may have changed since boot. */
static uint64_t measure_tsc_hz(void)
{
    uint32_t start_ticks = pm_ticks(), ticks;
    uint64_t start = read_tsc();
    do
        ticks = (pm_ticks() - start_ticks) & PM_TIMER_MASK;
    while (ticks < CALIBRATION_TICKS);
    return (read_tsc() - start) * PM_TIMER_HZ / ticks;
}

/* Returns when the QGM has finished the turn of its loop in which it may have seen what was changed before. */
static void quiesce(void)
{
    const volatile uint64_t *polls = &CORE_WORD(QGM_CORE, polls);
    for (unsigned turn = 0; turn < 2; turn++)
        for (uint64_t before = *polls; control_qgm_runs() && *polls == before;)
            cpu_relax();
}

static void find_ports(void)
{
    for (uint32_t i = 0; i < boot_info.nic_count; i++) {
        uint32_t number = control.port_count;
        struct virtio_net *net = &control.nets[number];
        const char *wrong = virtio_net_probe(net, &boot_info.nic[i]);
        if (wrong) {
            print("warning: PCI function %x is no port: %s\n", boot_info.nic[i].at, wrong);
            continue;
        }
        boot_info.nic[number] = boot_info.nic[i];
        struct port *port = &control.ports[number];
        port->rx.memory = &queue_memory[number][0];
        port->tx.memory = &queue_memory[number][1];
        port->neighbours = &neighbour_tables[number];
        port->mac = mac_load(net->mac);
        port->mtu = net->mtu;
        port->qgm = QGM_CORE;
        control.qgm.port_list[control.qgm.port_count++] = (uint8_t)number;
        control.port_count++;
    }
}

void control_init(void)
{
    sha256_hex((const uint8_t *)boot_info.file_address, boot_info.file_size, control.file_sha256);
    memset(neighbour_tables, 0, sizeof(neighbour_tables));
    control.fib = (struct fib){
        .table24 = fib_table24,
        .table8 = fib_table8,
        .depth24 = fib_depth24,
        .depth8 = fib_depth8,
        .free_groups = fib_free_groups,
        .quiesce = quiesce,
    };
    control.rib.slots = rib_slots;
    routes_init();
    control.qgm.core = QGM_CORE;
    control.qgm.fib = &control.fib;
    control.qgm.hops = control.hops;
    control.qgm.ports = control.ports;
    control.qgm.pool = buffer_pool;
    find_ports();
    control.ready_tsc = read_tsc();
}

bool control_qgm_runs(void)
{
    return boot_info.core_count > QGM_CORE &&
           __atomic_load_n(&boot_info.core[QGM_CORE].state, __ATOMIC_ACQUIRE) == CORE_RUNNING;
}

/* Waits until the word has this value while the QGM runs; false after REQUEST_DEADLINE_S. */
static bool wait_for(const uint32_t *word, uint32_t value)
{
    uint64_t start = read_tsc();
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value) {
        if (read_tsc() - start > REQUEST_DEADLINE_S * control.qgm.tsc_hz)
            return false;
        cpu_relax();
    }
    return true;
}

/* Waits until the word no longer has this value; false after REQUEST_DEADLINE_S. */
static bool wait_for_change(const uint64_t *word, uint64_t value)
{
    uint64_t start = read_tsc();
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value) {
        if (read_tsc() - start > REQUEST_DEADLINE_S * control.qgm.tsc_hz)
            return false;
        cpu_relax();
    }
    return true;
}

const char *control_request(struct message *message)
{
    if (!control_qgm_runs()) {
        qgm_handle(&control.qgm, message);
        return 0;
    }
    uint32_t head = RING_WORD(0, QGM_CORE, ring_head);
    struct message *slot = &message_ring[QGM_CORE][head % MESSAGE_RING_LENGTH];
    *slot = *message;
    __atomic_store_n(&RING_WORD(0, QGM_CORE, ring_head), head + 1, __ATOMIC_RELEASE);
    if (!wait_for(&RING_WORD(0, QGM_CORE, ring_tail), head + 1))
        return "the QGM does not answer";
    *message = *slot;
    return 0;
}

/* Every buffer into the pool, in an order that begins with the lowest addresses. */
static void fill_pool(void)
{
    for (uint32_t i = 0; i < BUFFERS; i++)
        buffer_pool[i] = (uint32_t)(uint64_t)buffer_memory[BUFFERS - 1 - i];
    CORE_WORD(QGM_CORE, pool_head) = BUFFERS;
}

/* Reads a word of every page that the data plane will read, so that it meets no page for the first time under load. */
static void touch(const void *from, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += PAGE)
        (void)*((const volatile uint8_t *)from + at);
}

static void reset_cards(void)
{
    for (uint32_t i = 0; i < control.port_count; i++) {
        virtio_net_stop(&control.nets[i]);
        control.ports[i].started = false;
    }
}

static const char *start_port(uint32_t number)
{
    struct port *port = &control.ports[number];
    const char *wrong = virtio_net_start(&control.nets[number], &port->rx, &port->tx);
    if (wrong)
        return wrong;
    PORT_WORD(number, rx_posted) = PORT_WORD(number, rx_taken) = 0;
    PORT_WORD(number, tx_posted) = PORT_WORD(number, tx_reclaimed) = 0;
    port->started = true;
    return 0;
}

const char *control_start(void)
{
    if (control.started)
        return "started already";
    if (boot_info.core_count <= QGM_CORE)
        return "no exclusive core: the machine has to have two cores";
    if (!control.port_count)
        return "no ports: the machine has no modern virtio-net card";
    control.qgm.tsc_hz = measure_tsc_hz();
    memset(control.qgm.staged, 0, sizeof(control.qgm.staged));
    fill_pool();
    touch(fib_table24, sizeof(fib_table24));
    touch(buffer_memory, (uint64_t)control.port_count * 2 * QUEUE_LENGTH_MAX * BUFFER_SIZE);
    for (uint32_t i = 0; i < control.port_count; i++) {
        const char *wrong = start_port(i);
        if (wrong) {
            reset_cards();
            return wrong;
        }
    }
    control.qgm.stopping = false;
    uint64_t polls = CORE_WORD(QGM_CORE, polls);
    RING_WORD(0, QGM_CORE, ring_head) = RING_WORD(0, QGM_CORE, ring_tail) = 0;
    if (system_call(SYSTEM_CALL_RUN, QGM_CORE, (uint64_t)qgm_run, (uint64_t)(qgm_stack + STACK_SIZE - 8), (uint64_t)&control.qgm)) {
        reset_cards();
        return "the exclusive core does not take the QGM";
    }
    control.started = true;
    return wait_for_change(&CORE_WORD(QGM_CORE, polls), polls) ? 0 : "the QGM does not begin to poll: stop it";
}

const char *control_stop(void)
{
    struct message message = {.kind = MESSAGE_STOP};
    if (!control.started)
        return "not started";
    const char *wrong = control_request(&message); /* a QGM that has faulted is cleaned up from here */
    if (!wrong && !wait_for(&boot_info.core[QGM_CORE].state, CORE_PARKED) && control_qgm_runs())
        wrong = "the QGM does not stop";
    if (wrong)
        return wrong;
    reset_cards();
    control.started = false;
    return 0;
}

const char *control_address_remove(uint32_t number)
{
    struct port *port = &control.ports[number];
    if (!port->address)
        return "the port has no address";
    port->address = port->mask = port->length = 0;
    routes_remove_of_port(number);
    return 0;
}

static const char *add_own_routes(uint32_t number, uint32_t address, unsigned length)
{
    uint32_t mask = prefix_mask(length);
    uint8_t port = (uint8_t)number;
    struct route network = {.prefix = address & mask, .length = (uint8_t)length, .kind = ROUTE_CONNECTED};
    struct route own = {.prefix = address, .length = 32, .kind = ROUTE_LOCAL};
    const char *wrong = 0;
    if (length < 32)
        wrong = routes_add(network, (struct next_hop){.kind = HOP_CONNECTED, .port = port});
    if (!wrong && length < 31) { /* RFC 3021: a /31 has no broadcast addresses */
        struct route low = {.prefix = address & mask, .length = 32, .kind = ROUTE_BROADCAST};
        struct route high = {.prefix = address | ~mask, .length = 32, .kind = ROUTE_BROADCAST};
        wrong = routes_add(low, (struct next_hop){.kind = HOP_BROADCAST, .port = port});
        if (!wrong)
            wrong = routes_add(high, (struct next_hop){.kind = HOP_BROADCAST, .port = port});
    }
    return wrong ? wrong : routes_add(own, (struct next_hop){.kind = HOP_LOCAL, .port = port});
}

const char *control_address_add(uint32_t number, uint32_t address, unsigned length)
{
    struct port *port = &control.ports[number];
    uint32_t mask = prefix_mask(length);
    if (port->address)
        return "the port has an address: remove it first";
    if (length < 8 || ipv4_is_special(address) || (length < 31 && (address == (address & mask) || address == (address | ~mask))))
        return "this is no host's address in a network of 8 to 32 bits";
    for (uint32_t i = 0; i < control.port_count; i++) {
        uint32_t common = mask & control.ports[i].mask;
        if (control.ports[i].address && ((control.ports[i].address ^ address) & common) == 0)
            return "the network overlaps with that of another port";
    }
    const char *wrong = add_own_routes(number, address, length);
    if (wrong) {
        routes_remove_of_port(number);
        return wrong;
    }
    port->mask = mask;
    port->length = (uint8_t)length;
    __atomic_store_n(&port->address, address, __ATOMIC_RELEASE);
    return 0;
}
