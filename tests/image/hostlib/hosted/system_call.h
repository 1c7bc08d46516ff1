/* Instead of include/system_call.h: what the kernel does for ring 3. */
#ifndef PIX_SYSTEM_CALL_H
#define PIX_SYSTEM_CALL_H

#include <stdint.h>

#include "io.h"

enum { SYSTEM_CALL_RUN, SYSTEM_CALL_PARK, SYSTEM_CALL_REBOOT };

long system_call(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

/* There are no interrupts: who waits for one asks again. */
static inline void wait_for_interrupt(void)
{
    cpu_relax();
}

#endif
