/* How many of what this image can hold; every table is sized by these. */
#ifndef PIX_CAPACITY_H
#define PIX_CAPACITY_H

#define MAX_PORTS 8
#define MAX_CORES 17           /* the generic core 0 and the exclusive ones */
#define MAX_EXCLUSIVE_CORES 16 /* on how many a QGM can run */
#define MAX_QUEUE_PAIRS 32     /* of all ports together */
#define MAX_PORT_QUEUES 8      /* queue pairs of one port */

#define QUEUE_LENGTH_MAX 1024 /* descriptors of one virtqueue */
#define RING_LENGTH_MAX 1024  /* slots of the ring of a pair of cores */
#define BATCH_MAX 64          /* frames taken from a receive queue or a ring at once */
#define HOLD_MAX 4            /* frames that wait for one neighbour's address */

#endif
