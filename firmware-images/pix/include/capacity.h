/* How many of what this image can hold; every table is sized by these. */
#ifndef PIX_CAPACITY_H
#define PIX_CAPACITY_H

#define MAX_PORTS 8
#define MAX_CORES 17          /* the generic core 0 and 16 exclusive ones */
#define MAX_EXCLUSIVE_CORES 1 /* on how many a QGM can run */

#define QUEUE_LENGTH_MAX 1024 /* descriptors of one virtqueue */
#define BATCH 64              /* frames taken from a receive queue at once */
#define HOLD_MAX 4            /* frames that wait for one neighbour's address */

#endif
