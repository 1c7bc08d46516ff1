#include "window.h"

#define ROUNDS 4         /* of a ping-pong; the fastest counts: an interruption hits one of them */
#define ROUND_TRIPS 100
#define GAME_LIMIT_MS 10 /* a core that does not run while the other does makes a trip take its time slice */

enum { SERVER, RETURNER, OVER };

void bench_meet(struct bench_core *me)
{
    const struct bench_window *window = me->window;
    uint32_t meeting = me->meetings + 1;
    __atomic_store_n(&me->meetings, meeting, __ATOMIC_RELEASE);
    for (uint32_t i = 1; i <= window->cores; i++)
        while (__atomic_load_n(&window->core[i].meetings, __ATOMIC_ACQUIRE) < meeting) {
            if (__atomic_load_n(&window->abort, __ATOMIC_RELAXED))
                return;
            cpu_relax();
        }
}

/* Waits for the ball by compare and swap and plays it on; false when the game is over. */
static bool pass(const struct bench_window *window, uint32_t *ball, uint32_t mine, uint32_t theirs)
{
    for (;;) {
        uint32_t seen = mine;
        if (__atomic_compare_exchange_n(ball, &seen, theirs, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            return true;
        if (seen == OVER || __atomic_load_n(&window->abort, __ATOMIC_RELAXED))
            return false;
    }
}

/* Cycles of the fastest round trip, times ROUND_TRIPS. */
static uint64_t serve(const struct bench_window *window, uint32_t *ball)
{
    uint64_t limit = window->platform->tsc_hz / 1000 * GAME_LIMIT_MS, best = ~0ull;
    pass(window, ball, SERVER, RETURNER);
    pass(window, ball, SERVER, RETURNER); /* the other side has arrived */
    uint64_t begin = read_tsc();
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t trips = 0;
        uint64_t start = read_tsc(), now = start;
        while (trips < ROUND_TRIPS && now - begin < limit) {
            if (!pass(window, ball, SERVER, RETURNER))
                return 0;
            trips++;
            now = read_tsc();
        }
        if (trips && (now - start) * ROUND_TRIPS / trips < best)
            best = (now - start) * ROUND_TRIPS / trips;
    }
    pass(window, ball, SERVER, OVER);
    return best == ~0ull ? 0 : best;
}

uint64_t bench_one_way_ps(struct bench_core *me)
{
    struct bench_window *window = me->window;
    uint64_t cycles = 0;
    if (window->cores < 2)
        return 0;
    if (me->number > 1) {
        uint32_t *ball = &window->ball[me->number].word;
        while (pass(window, ball, RETURNER, SERVER))
            ;
        __atomic_store_n(ball, SERVER, __ATOMIC_RELEASE);
        return 0;
    }
    for (uint32_t other = 2; other <= window->cores; other++)
        cycles += serve(window, &window->ball[other].word);
    cycles /= window->cores - 1;
    return cycles * 1000000000 / (window->platform->tsc_hz / 1000) / (2 * ROUND_TRIPS);
}

void bench_core_run(void *argument)
{
    struct bench_core *me = argument;
    struct bench_window *window = me->window;
    for (uint32_t side = 0; side < 2; side++) {
        bench_meet(me);
        uint64_t one_way_ps = bench_one_way_ps(me);
        if (me->number == 1)
            window->one_way_ps[side] = one_way_ps;
        bench_meet(me);
        if (side == 0)
            window->work(me);
    }
}

void *bench_allocate(struct bench_window *window, uint64_t size)
{
    uint8_t *taken = window->platform->memory + window->memory_used;
    size = (size + 127) & ~127ull;
    if (size > window->platform->memory_size - window->memory_used)
        return 0;
    window->memory_used += size;
    __builtin_memset(taken, 0, size);
    return taken;
}

bool bench_connect(struct bench_window *window, uint32_t producer, uint32_t consumer, uint32_t first)
{
    uint32_t length = window->request.length;
    struct ring_slot *slots = bench_allocate(window, length * sizeof(*slots));
    if (!slots)
        return false;
    for (uint32_t i = 0; i < length; i++)
        slots[i].buffer = first + i;
    ring_connect(&window->core[producer].to[consumer], &window->core[consumer].from[producer], slots, length,
                 &RING_WORD(producer, consumer, ring_head), &RING_WORD(producer, consumer, ring_tail));
    return true;
}
