/*
 * What may be changed by `set` while packets flow. The generic core writes each word by one store; QGMs read it when
 * they need it, so a change is felt at once and nobody is told.
 */
#ifndef PIX_TUNING_H
#define PIX_TUNING_H

#include <stdint.h>

/* S(name, default, least, most, what it is) */
#define TUNING_LIST(S)                                                                                               \
    S(arp_age_s, 300, 1, 86400, "age at which a neighbour is asked whether it is still there")                       \
    S(arp_retry_ms, 1000, 100, 60000, "patience after a first ARP request; doubled for each further one")            \
    S(icmp_rate_pps, 1000, 0, 1000000, "ICMP errors a second of each QGM; 0: none are sent")

#define TUNING_WORD(name, value, least, most, what) uint32_t name;
#define TUNING_DEFAULT(name, value, least, most, what) .name = value,

struct tuning {
    TUNING_LIST(TUNING_WORD)
};

#endif
