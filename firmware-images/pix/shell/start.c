/* Builds queues, rings and pools of buffers as they were configured, and runs the QGMs on them. */
#include "control.h"

#include "boot_info.h"
#include "io.h"
#include "settings.h"
#include "string.h"
#include "system_call.h"
#include "tables.h"

#define CALIBRATION_TICKS (PM_TIMER_HZ / 50) /* 20 ms */
#define STACK_SIZE 16384
#define PAGE 4096
#define LINE 128

static char qgm_stacks[MAX_CORES][STACK_SIZE] __attribute__((aligned(LINE)));
static uint64_t free_memory; /* buffers, pools and slots are cut off boot_info's memory from here on, anew at each start */

static uint32_t pm_ticks(void)
{
    return port_read32(boot_info.pm_timer_port) & PM_TIMER_MASK;
}

/* Measured at each start: the machine below may have changed since boot. */
uint64_t control_measure_tsc_hz(void)
{
    uint32_t start_ticks = pm_ticks(), ticks;
    uint64_t start = read_tsc();
    do
        ticks = (pm_ticks() - start_ticks) & PM_TIMER_MASK;
    while (ticks < CALIBRATION_TICKS);
    return (read_tsc() - start) * PM_TIMER_HZ / ticks;
}

/* Every port gets the queue pairs that are configured; with nothing configured, one each, all of QGM 1. */
static const char *make_pairs(void)
{
    bool configured = false;
    for (uint32_t port = 0; port < control.port_count; port++)
        for (uint32_t queue = 0; queue < MAX_PORT_QUEUES; queue++)
            configured = configured || control.owners[port][queue];
    control.pair_count = 0;
    for (uint32_t port = 0; port < control.port_count; port++) {
        uint32_t count = 0;
        for (uint32_t queue = 0; queue < MAX_PORT_QUEUES; queue++)
            if (control.owners[port][queue])
                count = queue + 1;
        if (!configured)
            count = 1;
        if (!count)
            return control_reason("port %u has no QGM: qgm add CORE %u", port, port);
        for (uint32_t queue = 0; queue < count; queue++) {
            uint8_t owner = configured ? control.owners[port][queue] : 1;
            if (!owner)
                return control_reason("queue %u of port %u has no QGM: qgm add CORE %u/%u", queue, port, port, queue);
            if (control.pair_count == MAX_QUEUE_PAIRS)
                return control_reason("more than %u queue pairs in all: take some away with qgm del", MAX_QUEUE_PAIRS);
            uint32_t number = control.pair_count++;
            struct queue_pair *pair = &control.pairs[number];
            *pair = (struct queue_pair){.port = (uint8_t)port, .queue = (uint8_t)queue, .qgm = owner};
            pair->rx.memory = &queue_memory[number][0];
            pair->tx.memory = &queue_memory[number][1];
            if (!queue)
                control.ports[port].keeper = owner;
        }
    }
    return 0;
}

/* The core that a QGM without a queue pair of a port sends by: those that have one are shared out among those that have none. */
static uint8_t way_out(uint32_t core, uint32_t port)
{
    uint8_t owners[MAX_PORT_QUEUES];
    uint32_t count = 0;
    for (uint32_t i = 0; i < control.pair_count; i++)
        if (control.pairs[i].port == port)
            owners[count++] = control.pairs[i].qgm;
    return owners[core % count];
}

static void make_qgm(struct qgm *qgm)
{
    qgm->batch = settings.batch;
    qgm->tsc_hz = control.tsc_hz;
    qgm->stopping = false;
    qgm->pair_count = qgm->port_count = qgm->peer_count = 0;
    memset(qgm->staged, 0, sizeof(qgm->staged));
    memset(qgm->tx_pair, NO_PAIR, sizeof(qgm->tx_pair));
    for (uint32_t i = 0; i < control.pair_count; i++) {
        uint8_t port = control.pairs[i].port;
        if (control.pairs[i].qgm != qgm->core)
            continue;
        qgm->pair_list[qgm->pair_count++] = (uint8_t)i;
        if (qgm->tx_pair[port] == NO_PAIR) {
            qgm->tx_pair[port] = (uint8_t)i;
            qgm->port_list[qgm->port_count++] = port;
        }
    }
    for (uint32_t port = 0; port < control.port_count; port++)
        qgm->way_out[port] = way_out(qgm->core, port);
}

/* Cuts off memory; 0 if there is not enough. */
static uint64_t take_memory(uint64_t size)
{
    uint64_t at = (free_memory + LINE - 1) & ~(uint64_t)(LINE - 1);
    if (at + size > boot_info.memory_end)
        return 0;
    free_memory = at + size;
    return at;
}

static const char *no_memory(void)
{
    return control_reason("%lu MiB are too little for the buffers of these QGMs: give the machine more, or set a smaller ring_length",
                          (boot_info.memory_end - boot_info.memory_start) >> 20);
}

/* Where a frame of our own is made in a buffer, no card has written its header before. */
static uint64_t clear_header(uint64_t buffer)
{
    memset((void *)buffer, 0, LINK_HEADER);
    return buffer;
}

/* Buffers for full queues and everything else that this QGM can have in hand, in an order that begins with the lowest addresses. */
static const char *make_pool(struct qgm *qgm)
{
    uint32_t count = BUFFERS_BESIDE_QUEUES + qgm->pair_count * 2 * QUEUE_LENGTH_MAX;
    uint64_t pool = take_memory(count * sizeof(*qgm->pool));
    uint64_t buffers = take_memory((uint64_t)count * BUFFER_SIZE);
    if (!pool || !buffers)
        return no_memory();
    qgm->pool = (uint32_t *)pool;
    for (uint32_t i = 0; i < count; i++)
        qgm->pool[i] = (uint32_t)clear_header(buffers + (uint64_t)(count - 1 - i) * BUFFER_SIZE);
    CORE_WORD(qgm->core, pool_head) = count;
    return 0;
}

/* The ring from one QGM to another, every slot with a buffer. */
static const char *make_ring(struct qgm *producer, struct qgm *consumer)
{
    uint32_t length = settings.ring_length;
    struct ring_slot *slots = (struct ring_slot *)take_memory(length * sizeof(*slots));
    uint64_t buffers = take_memory((uint64_t)length * BUFFER_SIZE);
    if (!slots || !buffers)
        return no_memory();
    for (uint32_t i = 0; i < length; i++)
        slots[i] = (struct ring_slot){.buffer = clear_header(buffers + (uint64_t)i * BUFFER_SIZE)};
    ring_connect(&producer->to[consumer->core], &consumer->from[producer->core], slots, length,
                 &RING_WORD(producer->core, consumer->core, ring_head), &RING_WORD(producer->core, consumer->core, ring_tail));
    return 0;
}

static const char *make_qgms(void)
{
    const char *wrong = 0;
    free_memory = boot_info.memory_start;
    for (uint32_t core = 1; core < MAX_CORES; core++)
        make_qgm(&control.qgms[core]);
    for (uint32_t core = 1; core < MAX_CORES && !wrong; core++) {
        struct qgm *qgm = &control.qgms[core];
        if (!qgm->pair_count)
            continue;
        wrong = make_pool(qgm);
        for (uint32_t peer = 1; peer < MAX_CORES && !wrong; peer++) {
            if (peer == core || !control.qgms[peer].pair_count)
                continue;
            qgm->peer_list[qgm->peer_count++] = (uint8_t)peer;
            wrong = make_ring(qgm, &control.qgms[peer]);
        }
    }
    return wrong;
}

/* Reads a word of every page that the data plane will use, so that it meets no page for the first time under load. */
static void touch(uint64_t from, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += PAGE)
        (void)*(const volatile uint8_t *)(from + at);
}

static void reset_cards(void)
{
    for (uint32_t i = 0; i < control.port_count; i++) {
        virtio_net_stop(&control.nets[i]);
        control.ports[i].started = false;
    }
}

static const char *start_port(uint32_t port)
{
    struct virtqueue *rx[MAX_PORT_QUEUES], *tx[MAX_PORT_QUEUES];
    uint32_t count = 0;
    for (uint32_t i = 0; i < control.pair_count; i++) {
        if (control.pairs[i].port != port)
            continue;
        QUEUE_WORD(i, rx_posted) = QUEUE_WORD(i, rx_taken) = 0;
        QUEUE_WORD(i, tx_posted) = QUEUE_WORD(i, tx_reclaimed) = 0;
        rx[count] = &control.pairs[i].rx;
        tx[count++] = &control.pairs[i].tx;
    }
    if (count > control.nets[port].queue_pairs)
        return control_reason("port %u has %u queue pairs, not %u", port, control.nets[port].queue_pairs, count);
    const char *wrong = virtio_net_start(&control.nets[port], rx, tx, count);
    if (wrong)
        return control_reason("port %u: %s", port, wrong);
    control.ports[port].started = true;
    return 0;
}

static const char *run_qgm(struct qgm *qgm)
{
    uint32_t core = qgm->core;
    uint64_t polls = CORE_WORD(core, polls), start = read_tsc();
    uint64_t stack = (uint64_t)(qgm_stacks[core] + STACK_SIZE - 8);
    RING_WORD(0, core, ring_head) = RING_WORD(0, core, ring_tail) = 0;
    if (system_call(SYSTEM_CALL_RUN, core, (uint64_t)qgm_run, stack, (uint64_t)qgm))
        return control_reason("core %u does not take a QGM", core);
    while (__atomic_load_n(&CORE_WORD(core, polls), __ATOMIC_ACQUIRE) == polls) {
        if (read_tsc() - start > 2 * control.tsc_hz)
            return control_reason("the QGM of core %u does not begin to poll: stop it", core);
        cpu_relax();
    }
    return 0;
}

const char *control_start(void)
{
    const char *wrong = 0;
    if (control.started)
        return "started already";
    if (boot_info.core_count < 2)
        return "no exclusive core: the machine has to have two cores";
    if (!control.port_count)
        return "no ports: the machine has no modern virtio-net card";
    control.tsc_hz = control_measure_tsc_hz();
    wrong = make_pairs();
    if (!wrong)
        wrong = make_qgms();
    if (wrong)
        return wrong;
    touch((uint64_t)fib_table24, sizeof(fib_table24));
    touch(boot_info.memory_start, free_memory - boot_info.memory_start);
    for (uint32_t i = 0; i < control.port_count && !wrong; i++)
        wrong = start_port(i);
    if (wrong) {
        reset_cards();
        return wrong;
    }
    control.started = true;
    for (uint32_t core = 1; core < MAX_CORES && !wrong; core++)
        if (control.qgms[core].pair_count)
            wrong = run_qgm(&control.qgms[core]);
    return wrong;
}

/* Frames that a QGM had put into rings and nobody will take out. The QGMs have stopped: their words are ours. */
static void drop_crossing(struct qgm *qgm)
{
    for (uint32_t i = 0; i < qgm->peer_count; i++) {
        struct ring_end *from = &qgm->from[qgm->peer_list[i]];
        while (ring_waiting(from)) {
            DROP_WORD(qgm->core, ring_take(from)->in_port, DROP_stopped)++;
            CORE_WORD(qgm->core, ring_in)++;
        }
        ring_publish(from);
    }
}

const char *control_stop(void)
{
    if (!control.started)
        return "not started";
    for (uint32_t core = 1; core < MAX_CORES; core++) {
        struct message message = {.kind = MESSAGE_STOP};
        const char *wrong = control_request(core, &message); /* one that has faulted is cleaned up from here */
        if (!wrong && !control_wait_for(&boot_info.core[core].state, CORE_PARKED) && control_qgm_runs(core))
            wrong = control_reason("the QGM of core %u does not stop", core);
        if (wrong)
            return wrong;
    }
    for (uint32_t core = 1; core < MAX_CORES; core++)
        drop_crossing(&control.qgms[core]);
    reset_cards();
    control.started = false;
    return 0;
}
