#include "control.h"

#include "boot_info.h"
#include "console.h"
#include "format.h"
#include "io.h"
#include "sha256.h"
#include "string.h"
#include "tables.h"

#define REQUEST_DEADLINE_S 2
#define REASON_SIZE 160

struct boot_info boot_info;
struct control control;

const char *control_reason(const char *text, ...)
{
    static char reason[REASON_SIZE];
    va_list arguments;
    va_start(arguments, text);
    format(reason, sizeof(reason), text, arguments);
    va_end(arguments);
    return reason;
}

bool control_qgm_runs(uint32_t core)
{
    return core < boot_info.core_count &&
           __atomic_load_n(&boot_info.core[core].state, __ATOMIC_ACQUIRE) == CORE_RUNNING;
}

/* Returns when every QGM has finished a turn of its loop that began after this call. */
static void wait_for_turns(void)
{
    for (uint32_t core = 1; core < boot_info.core_count; core++) {
        const volatile uint64_t *polls = &CORE_WORD(core, polls);
        for (unsigned turn = 0; turn < 2; turn++)
            for (uint64_t before = *polls; control_qgm_runs(core) && *polls == before;)
                cpu_relax();
    }
}

/* Returns when what is in the rings between QGMs now has been taken out of them. */
static void wait_for_rings(void)
{
    for (uint32_t producer = 1; producer < boot_info.core_count; producer++)
        for (uint32_t consumer = 1; consumer < boot_info.core_count; consumer++) {
            uint32_t head = __atomic_load_n(&RING_WORD(producer, consumer, ring_head), __ATOMIC_ACQUIRE);
            const uint32_t *tail = &RING_WORD(producer, consumer, ring_tail);
            while (control_qgm_runs(consumer) && (int32_t)(head - __atomic_load_n(tail, __ATOMIC_ACQUIRE)) > 0)
                cpu_relax();
        }
}

void control_quiesce(void)
{
    wait_for_turns(); /* nobody still reads it from the FIB, */
    wait_for_rings(); /* no frame on its way still bears it, */
    wait_for_turns(); /* and the last of those has been sent */
}

static void find_ports(void)
{
    for (uint32_t i = 0; i < boot_info.nic_count; i++) {
        uint32_t number = control.port_count;
        struct virtio_net net;
        const char *wrong = virtio_net_probe(&net, &boot_info.nic[i]);
        if (!wrong && !memcmp(net.mac, boot_info.boot_mac, sizeof(boot_info.boot_mac)))
            continue; /* the probe has reset it: it writes to no memory any more */
        if (!wrong && number == MAX_PORTS)
            wrong = "there are enough";
        if (wrong) {
            print("warning: PCI function %x is no port: %s\n", boot_info.nic[i].at, wrong);
            continue;
        }
        boot_info.nic[number] = boot_info.nic[i];
        control.nets[number] = net;
        struct port *port = &control.ports[number];
        port->neighbours = &neighbour_tables[number];
        port->mac = mac_load(net.mac);
        port->mtu = net.mtu;
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
        .quiesce = control_quiesce,
    };
    control.rib.slots = rib_slots;
    routes_init();
    control.tuning = (struct tuning){TUNING_LIST(TUNING_DEFAULT)};
    for (uint32_t core = 0; core < MAX_CORES; core++) {
        struct qgm *qgm = &control.qgms[core];
        qgm->core = core;
        qgm->fib = &control.fib;
        qgm->hops = control.hops;
        qgm->tuning = &control.tuning;
        qgm->own = &control.own;
        qgm->ports = control.ports;
        qgm->pairs = control.pairs;
    }
    find_ports();
    control.ready_tsc = read_tsc();
}

bool control_wait_for(const uint32_t *word, uint32_t value)
{
    uint64_t start = read_tsc();
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value) {
        if (read_tsc() - start > REQUEST_DEADLINE_S * control.tsc_hz)
            return false;
        cpu_relax();
    }
    return true;
}

const char *control_request(uint32_t core, struct message *message)
{
    if (!control_qgm_runs(core)) {
        qgm_handle(&control.qgms[core], message);
        return 0;
    }
    uint32_t head = RING_WORD(0, core, ring_head);
    struct message *slot = &message_ring[core][head % MESSAGE_RING_LENGTH];
    *slot = *message;
    __atomic_store_n(&RING_WORD(0, core, ring_head), head + 1, __ATOMIC_RELEASE);
    if (!control_wait_for(&RING_WORD(0, core, ring_tail), head + 1))
        return control_reason("the QGM of core %u does not answer", core);
    *message = *slot;
    return 0;
}

const char *control_request_keeper(struct message *message)
{
    uint32_t keeper = control.ports[message->port].keeper;
    return control_request(keeper ? keeper : 1, message);
}

const char *control_request_all(const struct message *message)
{
    const char *wrong = 0;
    for (uint32_t core = 1; core < MAX_CORES; core++) {
        struct message own = *message;
        const char *refused = control_request(core, &own);
        wrong = wrong ? wrong : refused;
    }
    return wrong;
}
