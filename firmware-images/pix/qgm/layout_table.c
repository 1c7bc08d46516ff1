/*
 * The table of shared words as the compiler laid them out, for the manifest: tools/manifest.py reads this section of the
 * ELF. It is not part of the loaded file.
 */
#include <stddef.h>

#include "identity.h"
#include "shared.h"

struct layout_record {
    char name[32], owner[16], indexed_by[8], why[104];
    uint32_t offset_bytes, size_bytes, align_bytes, element_stride_bytes, count;
};

struct layout_head {
    char magic[8], ready_text[32], prompt[16], version[16], build_id[80];
    uint32_t max_exclusive_cores, block_size_bytes, record_size_bytes;
};

#define IN_SECTION(part) __attribute__((section(".pix_layout." part), used, aligned(4)))
#define ALIGNMENT(padded, type) ((padded) ? PADDED_ALIGN : sizeof(type))

static const struct layout_head head IN_SECTION("1") = {
    "PIXTAB1",  PIX_READY_TEXT,      PIX_PROMPT,           PIX_VERSION,
    PIX_BUILD_ID, MAX_EXCLUSIVE_CORES, sizeof(struct shared), sizeof(struct layout_record),
};

#define CORE_RECORD(type, name, owner, why)                                                                       \
    {"core." #name, owner, "core", why, offsetof(struct shared, core) + offsetof(struct core_words, name),        \
     sizeof(type), ALIGNMENT(LAYOUT_CORE_WORDS, type),                                                            \
     LAYOUT_CORE_WORDS ? sizeof(struct core_words) : sizeof(type), MAX_CORES},
#define QUEUE_RECORD(type, name, owner, why)                                                                      \
    {"queue." #name, owner, "queue", why, offsetof(struct shared, queue) + offsetof(struct queue_words, name),    \
     sizeof(type), ALIGNMENT(LAYOUT_QUEUE_WORDS, type),                                                           \
     LAYOUT_QUEUE_WORDS ? sizeof(struct queue_words) : sizeof(type), MAX_QUEUE_PAIRS},
#define RING_RECORD(type, name, owner, why)                                                                       \
    {#name, owner, "pair", why, offsetof(struct shared, ring) + offsetof(struct ring_words, name), sizeof(type),  \
     ALIGNMENT(LAYOUT_RING_WORDS, type), sizeof(((struct ring_words *)0)->name[0][0]), MAX_CORES * MAX_CORES},

static const struct layout_record records[] IN_SECTION("2") = {
    CORE_WORDS(CORE_RECORD)
    QUEUE_WORDS(QUEUE_RECORD)
    {"core.drops", "core", "core", "drop counters by port and reason, written only when something is dropped",
     offsetof(struct shared, drops), sizeof(struct drop_words), ALIGNMENT(LAYOUT_DROPS, uint64_t),
     sizeof(struct core_drops), MAX_CORES},
    RING_WORDS(RING_RECORD)
};
