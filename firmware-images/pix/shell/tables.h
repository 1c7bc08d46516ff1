/* The large tables, in memory that nobody clears at boot. */
#ifndef PIX_TABLES_H
#define PIX_TABLES_H

#include "control.h"

extern struct neighbour_table neighbour_tables[MAX_PORTS];
extern struct virtqueue_memory queue_memory[MAX_QUEUE_PAIRS][2];
extern struct route rib_slots[RIB_SLOTS];
extern uint16_t fib_table24[FIB_ENTRIES], fib_table8[FIB_GROUPS * 256], fib_free_groups[FIB_GROUPS];
extern uint8_t fib_depth24[FIB_ENTRIES], fib_depth8[FIB_GROUPS * 256];

#endif
