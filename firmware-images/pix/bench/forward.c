/*
 * Routing between synthetic ports, one a core: frames to random destinations come in without a device, are checked, looked up
 * and counted as by the QGM, cross the ring to the core whose port they leave by, and are checked there.
 */
#include "window.h"

#include "frame.h"

#define ROUTES 1024u                     /* /24s */
#define PREFIX 0xf0000000u               /* 240.0.0.0/4: no route of a network can lie there (RFC 1112, 4) */
#define SPREAD 0x9e3b1u                  /* odd: no two of the 2^20 /24s below the prefix become the same */
#define LINK_BYTES 12                    /* before a frame, as the QGM's link header */
#define STAMP (ETHERNET_HEADER + IPV4_HEADER) /* sender's number and its sequence number follow the IPv4 header */
#define FRAME_BYTES 60
#define TTL 64

static const char no_memory[] = "not enough memory: ask for shorter rings or fewer cores";

static uint32_t route_prefix(uint32_t route)
{
    return PREFIX | (route * SPREAD & 0xfffff) << 8;
}

static inline uint8_t *frame_of(const struct bench_core *me, uint32_t buffer)
{
    return me->window->buffers + (uint64_t)buffer * BENCH_BUFFER_SIZE + LINK_BYTES;
}

/* Core n has queue pair n - 1. */
static inline uint32_t pair_of(const struct bench_core *me)
{
    return me->number - 1;
}

/* What a device would have written: the header of a packet to a random destination. */
static inline void arrive(struct bench_core *me, uint8_t *frame)
{
    me->random = me->random * 6364136223846793005ull + 1442695040888963407ull;
    const struct bench_route *route = &me->window->routes[(me->random >> 33) % ROUTES];
    __builtin_memcpy(frame, me->header, STAMP);
    store32(frame + ETHERNET_HEADER + IPV4_DESTINATION, route->destination);
    __builtin_memcpy(frame + ETHERNET_HEADER + IPV4_CHECKSUM, &route->checksum, 2);
}

static inline void receive(struct bench_core *me)
{
    uint32_t pair = pair_of(me), mask = me->window->request.length - 1;
    uint32_t count = me->window->request.batch;
    uint16_t taken = QUEUE_WORD(pair, rx_taken);
    if (count > mask + 1)
        count = mask + 1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t buffer = me->rx[(taken + i) & mask];
        uint8_t *frame = frame_of(me, buffer);
        arrive(me, frame);
        if (ipv4_check(frame + ETHERNET_HEADER, FRAME_BYTES - ETHERNET_HEADER) != DROP_NONE)
            me->wrong++;
        uint32_t destination = load32(frame + ETHERNET_HEADER + IPV4_DESTINATION);
        me->pending[i] = (struct bench_frame){buffer, destination};
        __builtin_prefetch(&me->window->platform->fib->table24[destination >> 8]);
    }
    me->pending_next = 0;
    me->pending_count = count;
    me->sent += count;
    QUEUE_WORD(pair, rx_taken) = (uint16_t)(taken + count);
    QUEUE_WORD(pair, rx_packets) += count;
    QUEUE_WORD(pair, rx_bytes) += count * FRAME_BYTES;
}

static inline void refill(struct bench_core *me)
{
    uint32_t pair = pair_of(me), length = me->window->request.length;
    uint16_t posted = QUEUE_WORD(pair, rx_posted), end = (uint16_t)(QUEUE_WORD(pair, rx_taken) + length);
    for (; posted != end; posted++)
        me->rx[posted & (length - 1)] = bench_take(me);
    QUEUE_WORD(pair, rx_posted) = posted;
}

/* Takes the sent frames' buffers back: the synthetic port is done with them at once. */
static inline void reclaim(struct bench_core *me)
{
    uint32_t pair = pair_of(me), mask = me->window->request.length - 1;
    uint16_t reclaimed = QUEUE_WORD(pair, tx_reclaimed), end = QUEUE_WORD(pair, tx_posted);
    for (; reclaimed != end; reclaimed++)
        bench_give(me, me->tx[reclaimed & mask]);
    QUEUE_WORD(pair, tx_reclaimed) = reclaimed;
}

/* Writes the link addresses of a frame that has reached its core and puts it into the port's queue. */
static inline void transmit(struct bench_core *me, uint16_t *posted, uint32_t buffer)
{
    uint32_t pair = pair_of(me), mask = me->window->request.length - 1;
    uint8_t *frame = frame_of(me, buffer), *ip = frame + ETHERNET_HEADER;
    uint32_t from = load32(frame + STAMP);
    bool known = from >= 1 && from <= me->window->cores;
    if (!known || load32(frame + STAMP + 4) != me->sequence_from[from]++ || ip[IPV4_DESTINATION + 3] != me->number ||
        ip[IPV4_TTL] != TTL - 1)
        me->wrong++;
    __builtin_memset(frame, 2, 12);
    if ((uint16_t)(*posted - QUEUE_WORD(pair, tx_reclaimed)) > mask / 2) {
        QUEUE_WORD(pair, tx_posted) = *posted;
        reclaim(me);
    }
    me->tx[(*posted)++ & mask] = buffer;
}

static inline void count_transmitted(struct bench_core *me, uint16_t posted, uint32_t count)
{
    uint32_t pair = pair_of(me);
    QUEUE_WORD(pair, tx_posted) = posted;
    QUEUE_WORD(pair, tx_packets) += count;
    QUEUE_WORD(pair, tx_bytes) += count * FRAME_BYTES;
    me->received += count;
}

/* Hands the pending frames on, up to the first that finds its ring full; returns how many. */
static inline uint32_t hand_on(struct bench_core *me)
{
    uint32_t first = me->pending_next, own = 0;
    uint16_t posted = QUEUE_WORD(pair_of(me), tx_posted);
    for (; me->pending_next < me->pending_count; me->pending_next++) {
        struct bench_frame pending = me->pending[me->pending_next];
        uint32_t owner = fib_lookup(me->window->platform->fib, pending.destination);
        uint8_t *frame = frame_of(me, pending.buffer);
        struct ring_slot *slot = 0;
        if (owner == 0 || owner > me->window->cores) { /* the FIB is wrong, and this frame will count as lost */
            me->wrong++;
            bench_give(me, pending.buffer);
            continue;
        }
        if (owner != me->number && !(slot = ring_put(&me->to[owner])))
            break;
        ipv4_decrement_ttl(frame + ETHERNET_HEADER);
        store32(frame + STAMP, me->number);
        store32(frame + STAMP + 4, me->sequence_to[owner]++);
        if (!slot) {
            transmit(me, &posted, pending.buffer);
            own++;
        } else {
            uint32_t empty = (uint32_t)slot->buffer;
            *slot = (struct ring_slot){.buffer = pending.buffer, .size = FRAME_BYTES, .hop = (uint16_t)owner};
            bench_give(me, empty);
            CORE_WORD(me->number, ring_out)++;
        }
    }
    if (own)
        count_transmitted(me, posted, own);
    for (uint32_t other = 1; other <= me->window->cores; other++)
        if (me->to[other].slots)
            ring_publish(&me->to[other]);
    return me->pending_next - first;
}

static inline uint32_t take_from(struct bench_core *me, uint32_t other)
{
    struct ring_end *end = &me->from[other];
    uint32_t count = ring_waiting(end), batch = me->window->request.batch;
    uint16_t posted = QUEUE_WORD(pair_of(me), tx_posted);
    if (count == 0)
        return 0;
    if (count > batch)
        count = batch;
    for (uint32_t i = 0; i < count; i++) {
        struct ring_slot *slot = ring_take(end);
        uint32_t buffer = (uint32_t)slot->buffer;
        slot->buffer = bench_take(me);
        transmit(me, &posted, buffer);
    }
    count_transmitted(me, posted, count);
    ring_publish(end);
    return count;
}

static inline uint32_t turn(struct bench_core *me, bool sourcing)
{
    uint32_t handled, crossed = 0;
    if (sourcing && me->pending_next == me->pending_count)
        receive(me);
    handled = hand_on(me);
    refill(me);
    for (uint32_t other = 1; other <= me->window->cores; other++)
        if (me->from[other].slots)
            crossed += take_from(me, other);
    if (crossed)
        CORE_WORD(me->number, ring_in) += crossed;
    return handled + crossed;
}

static void work(struct bench_core *me)
{
    refill(me);
    bench_turns(me, turn);
    reclaim(me);
}

/* Headers of packets by each route, and the routes themselves in the FIB: the hop is the number of the core. */
static const char *add_routes(struct bench_window *window)
{
    window->routes = bench_allocate(window, ROUTES * sizeof(*window->routes));
    if (!window->routes)
        return no_memory;
    for (uint32_t i = 1; i <= window->cores; i++) {
        uint8_t *ip = window->core[i].header + ETHERNET_HEADER;
        store16(window->core[i].header + ETHERNET_TYPE, ETHERTYPE_IPV4);
        ip[0] = 0x45;
        store16(ip + IPV4_TOTAL_LENGTH, FRAME_BYTES - ETHERNET_HEADER);
        ip[IPV4_TTL] = TTL;
        ip[IPV4_PROTOCOL] = PROTOCOL_UDP;
        store32(ip + IPV4_SOURCE, 0xc6120001); /* 198.18.0.1 (RFC 2544, C.2.2) */
    }
    for (uint32_t i = 0; i < ROUTES; i++) {
        uint8_t header[IPV4_HEADER];
        uint32_t owner = 1 + i % window->cores;
        window->routes[i].destination = route_prefix(i) | owner;
        __builtin_memcpy(header, window->core[1].header + ETHERNET_HEADER, IPV4_HEADER);
        store32(header + IPV4_DESTINATION, window->routes[i].destination);
        window->routes[i].checksum = checksum(header, IPV4_HEADER);
        if (fib_add(window->platform->fib, route_prefix(i), 24, (uint16_t)owner))
            return "the FIB is full";
    }
    return 0;
}

void bench_forward_clear(struct bench_window *window)
{
    for (uint32_t i = 0; window->routes && i < ROUTES; i++)
        fib_remove(window->platform->fib, route_prefix(i), 24, 0, 0);
}

/* Each core begins with the buffers of two full queues and two batches, each ring with one a slot. */
const char *bench_forward_prepare(struct bench_window *window)
{
    uint32_t length = window->request.length, own = 2 * length + 2 * BATCH_MAX;
    uint32_t rings = window->cores * (window->cores - 1), buffers = 0;
    window->work = work;
    window->buffers = bench_allocate(window, ((uint64_t)rings * length + window->cores * own) * BENCH_BUFFER_SIZE);
    if (!window->buffers)
        return no_memory;
    for (uint32_t i = 1; i <= window->cores; i++) {
        struct bench_core *core = &window->core[i];
        core->pool = bench_allocate(window, (own + length) * sizeof(*core->pool));
        core->rx = bench_allocate(window, length * sizeof(*core->rx));
        core->tx = bench_allocate(window, length * sizeof(*core->tx));
        if (!core->pool || !core->rx || !core->tx)
            return no_memory;
        core->random = i;
        for (uint32_t n = 0; n < own; n++)
            core->pool[n] = buffers++;
        CORE_WORD(i, pool_head) = own;
        core->free_after = own - length; /* the receive queue stays full */
        for (uint32_t other = 1; other <= window->cores; other++)
            if (other != i) {
                if (!bench_connect(window, i, other, buffers))
                    return no_memory;
                buffers += length;
            }
    }
    return add_routes(window);
}
