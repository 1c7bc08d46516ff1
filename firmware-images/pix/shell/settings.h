/* What can be set before a start. */
#ifndef PIX_SETTINGS_H
#define PIX_SETTINGS_H

#include <stdint.h>

struct settings {
    uint32_t ring_length; /* slots of the ring of a pair of cores */
    uint32_t batch;       /* frames taken from a queue or ring at once */
};

extern struct settings settings;

#endif
