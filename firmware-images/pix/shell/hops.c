#include "hops.h"

#include "control.h"
#include "string.h"

#define BUCKET_BITS 12
#define BUCKETS (1u << BUCKET_BITS)

static uint16_t bucket[BUCKETS];  /* first number of a chain, 0: none */
static uint16_t chain[NEXT_HOPS]; /* the next number of the same bucket, or of the free ones */
static uint16_t free_number;

void hops_init(void)
{
    memset(bucket, 0, sizeof(bucket));
    memset(control.hop_users, 0, sizeof(control.hop_users));
    free_number = 0;
    for (uint16_t number = NEXT_HOPS - 1; number; number--) {
        chain[number] = free_number;
        free_number = number;
    }
}

static uint16_t *bucket_of(const struct next_hop *hop)
{
    uint32_t mixed = (hop->gateway ^ (uint32_t)hop->port << 24 ^ (uint32_t)hop->kind << 16) * 0x9e3779b1u;
    return &bucket[mixed >> (32 - BUCKET_BITS)];
}

static bool same_hop(const struct next_hop *a, const struct next_hop *b)
{
    return a->kind == b->kind && a->port == b->port && a->gateway == b->gateway;
}

uint16_t hop_take(struct next_hop hop, const char **wrong)
{
    uint16_t *first = bucket_of(&hop), number = *first;
    while (number && !same_hop(&control.hops[number], &hop))
        number = chain[number];
    if (number) {
        control.hop_users[number]++;
        return number;
    }
    if (!free_number) {
        *wrong = "all next hops are in use";
        return 0;
    }
    if (hop.kind == HOP_GATEWAY) {
        struct message message = {.kind = MESSAGE_TRACK, .port = hop.port, .address = hop.gateway};
        *wrong = control_request_keeper(&message);
        if (!*wrong && message.result < 0)
            *wrong = "the port's neighbour table has no room for the gateway";
        if (*wrong)
            return 0;
        hop.neighbour = (uint16_t)message.result;
    }
    number = free_number;
    free_number = chain[number];
    chain[number] = *first;
    *first = number;
    control.hops[number] = hop;
    control.hop_users[number] = 1;
    return number;
}

void hop_leave(uint16_t number)
{
    const struct next_hop *hop = &control.hops[number];
    if (--control.hop_users[number])
        return;
    uint16_t *link = bucket_of(hop);
    while (*link != number)
        link = &chain[*link];
    *link = chain[number];
    control.fib.quiesce();
    if (hop->kind == HOP_GATEWAY) {
        struct message message = {.kind = MESSAGE_UNTRACK, .port = hop->port, .address = hop->gateway};
        control_request_keeper(&message);
    }
    chain[number] = free_number;
    free_number = number;
}
