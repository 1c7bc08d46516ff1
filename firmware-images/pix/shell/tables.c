#include "tables.h"

#define TABLE __attribute__((section(".tables,\"aw\",@nobits#"), aligned(4096)))

struct neighbour_table neighbour_tables[MAX_PORTS] TABLE;
struct virtqueue_memory queue_memory[MAX_QUEUE_PAIRS][2] TABLE;
struct route rib_slots[RIB_SLOTS] TABLE;
uint16_t fib_table24[FIB_ENTRIES] TABLE;
uint16_t fib_table8[FIB_GROUPS * 256] TABLE;
uint16_t fib_free_groups[FIB_GROUPS] TABLE;
uint8_t fib_depth24[FIB_ENTRIES] TABLE;
uint8_t fib_depth8[FIB_GROUPS * 256] TABLE;
