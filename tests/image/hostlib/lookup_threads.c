/*
 * A FIB that one thread changes while another looks up: longer prefixes come and go in two /8s, so that groups move from
 * one to the other. An address has one of two next hops at any time: its /8's, or that of the longer prefixes there.
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#include "fib.h"

#define HALVES 2
#define SPOTS 64 /* /24s of each /8 that prefixes come and go in */
#define ADDRESSES 16

static struct {
    struct fib *fib;
    uint64_t turns; /* of the reader's loop */
    bool done;
    uint64_t lookups, seen_short, seen_long, wrong;
} race;

uint64_t host_fib_threads(struct fib *fib, uint32_t changes, uint64_t seed, uint64_t *seen_short, uint64_t *seen_long);

static uint32_t address_of(uint32_t half, uint32_t spot, uint32_t host)
{
    return (10 + 10 * half) << 24 | spot << 8 | host;
}

static void look_around(uint32_t turn)
{
    for (uint32_t i = 0; i < ADDRESSES; i++) {
        uint32_t half = i % HALVES, spot = (turn * 7 + i * 13) % SPOTS;
        uint16_t hop = fib_lookup(race.fib, address_of(half, spot, (turn + i * 32) % 256));
        race.seen_short += hop == 1 + 2 * half;
        race.seen_long += hop == 2 + 2 * half;
        race.wrong += hop != 1 + 2 * half && hop != 2 + 2 * half;
    }
}

static void *read_on(void *unused)
{
    (void)unused;
    for (uint32_t turn = 0; !__atomic_load_n(&race.done, __ATOMIC_ACQUIRE); turn++) {
        look_around(turn);
        __atomic_store_n(&race.turns, race.turns + 1, __ATOMIC_RELEASE);
    }
    return 0;
}

/* Two turns: the first may have begun before what was changed. */
static void wait_for_reader(void)
{
    uint64_t before = __atomic_load_n(&race.turns, __ATOMIC_ACQUIRE);
    while (__atomic_load_n(&race.turns, __ATOMIC_ACQUIRE) < before + 2)
        sched_yield();
}

static uint32_t draw(uint64_t *random, uint32_t limit)
{
    *random = *random * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(*random >> 33) % limit;
}

/* Makes so many changes; returns how many lookups found a next hop that the address never had. */
uint64_t host_fib_threads(struct fib *fib, uint32_t changes, uint64_t seed, uint64_t *seen_short, uint64_t *seen_long)
{
    static uint8_t present[HALVES][SPOTS];
    static const uint8_t lengths[] = {0, 24, 25, 28, 32};
    pthread_t reader;
    race = (typeof(race)){.fib = fib};
    __builtin_memset(present, 0, sizeof(present));
    fib->quiesce = wait_for_reader;
    for (uint32_t half = 0; half < HALVES; half++)
        fib_add(fib, address_of(half, 0, 0), 8, (uint16_t)(1 + 2 * half));
    pthread_create(&reader, 0, read_on, 0);
    for (uint32_t i = 0; i < changes; i++) {
        uint32_t half = draw(&seed, HALVES), spot = draw(&seed, SPOTS);
        uint8_t *length = &present[half][spot];
        if (*length) {
            fib_remove(fib, address_of(half, spot, 0), *length, 8, (uint16_t)(1 + 2 * half));
            *length = 0;
        } else {
            *length = lengths[1 + draw(&seed, sizeof(lengths) - 1)];
            fib_add(fib, address_of(half, spot, 0), *length, (uint16_t)(2 + 2 * half));
        }
    }
    __atomic_store_n(&race.done, true, __ATOMIC_RELEASE);
    pthread_join(reader, 0);
    *seen_short = race.seen_short;
    *seen_long = race.seen_long;
    return race.wrong;
}
