/*
 * System calls, by an undefined instruction: of all ways from ring 3 into ring 0 this is the one that also works on the
 * nested KVM of shared virtual machines, where `int` and `syscall` do not arrive. A QGM makes exactly one, to park.
 */
#ifndef PIX_SYSTEM_CALL_H
#define PIX_SYSTEM_CALL_H

#include <stdint.h>

enum {
    SYSTEM_CALL_RUN = 0x50495801, /* core, entry, stack, argument -> 0 or -1 */
    SYSTEM_CALL_PARK,
    SYSTEM_CALL_REBOOT,
};

static inline long system_call(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    long result = number;
    __asm__ volatile("ud2" : "+a"(result) : "D"(a), "S"(b), "d"(c), "c"(d) : "memory");
    return result;
}

/* Gives the core up until an interrupt comes. One that came earlier and is still pending ends it at once. */
static inline void wait_for_interrupt(void)
{
    __asm__ volatile("hlt" : : : "memory");
}

#endif
