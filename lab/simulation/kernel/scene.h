/* What a simulation is given and returns: the flat form of lab/simulation/scene.py. Times are integer picoseconds.
 *
 * Invariant: the field order and types are those of lab/simulation/native.py.
 */
#ifndef PIXSIM_SCENE_H
#define PIXSIM_SCENE_H

#include <stdint.h>

#define PIXSIM_EXPORTED __attribute__((visibility("default"))) /* all else is the library's own */
#define NEVER ((int64_t)1 << 60)
#define LONGEST_PS ((int64_t)1 << 56) /* every simulation ends then at the latest */
#define REGISTERS 128
#define STATS 11
#define MAX_AGENTS 64
#define MAX_STORE_BUFFER 128
#define MAX_MISSES 64
#define JITTER_ONE 1024
#define NO_REGISTER (-1)
#define FIRST_TOUCH (-1)
#define MAX_STILL 100000
#define AGENT_SEED 0x51A7E5u

/* Values as in lab/simulation/program.py, which says what each does. */
enum op {
	OP_HALT, OP_WORK, OP_LOAD, OP_PREF, OP_STORE, OP_INC, OP_CAS, OP_FENCE, OP_SFENCE, OP_BELL, OP_TILL,
	OP_MOVI, OP_ADD, OP_SUB, OP_ADDI, OP_ANDI, OP_MULI, OP_RAND,
	OP_JMP, OP_BLT, OP_BGE, OP_BEQ, OP_BNE, OP_GETR, OP_SETR, OP_COUNT,
	OP_NOW, OP_PEEK, OP_POKE, OP_SAMPLE
};

enum protocol { MESIF, MOESI };

enum status { DONE, STANDS_STILL, BAD_WORD, BAD_REGISTER, NO_MEMORY, BAD_SAMPLE };

struct instruction {
	int64_t op, a, b, c;
};

struct timing {
	int64_t l1_ps, issue_ps, shared_cache_ps, commit_ps, locked_ps, hold_ps, window_ps, overlap_ps;
	int64_t home_ps, remote_ps, from_memory_ps;
	int64_t concurrent_misses, store_buffer_entries, jitter, upgrade, protocol, hit_ps, restart_ps, snoop_ps, together;
};

struct scene {
	int64_t agents, words, lines, instructions;
	const struct instruction *code;   /* programs of all agents, one after the other */
	const int64_t *first;             /* [agents] where each program begins in code */
	const int64_t *socket;            /* [agents] */
	const uint64_t *mates;            /* [agents], a bit for each agent of the same core complex, itself included */
	const int64_t *device;            /* [agents] */
	const int64_t *transfer_ps;       /* [holder * agents + requester] */
	const int64_t *word_lines;        /* [words] */
	const int64_t *line_homes;        /* [lines], a socket or FIRST_TOUCH */
	struct timing timing;
	uint64_t seed;
	int64_t warm_ps, end_ps;
};

struct outcome {
	int64_t *stats, *warm_stats;      /* [agents * STATS] */
	int64_t *memory;                  /* [words], zero when the simulation begins */
	int64_t *clocks_ps;               /* [agents] */
	int64_t *transactions;            /* [agents] */
	int64_t *word_transactions;       /* [words], from warm_ps on */
	int64_t *latency_counts;          /* [BUCKETS], from warm_ps on */
	int64_t accesses;
	uint64_t fingerprint;
	int64_t failed_agent, failed_at;  /* when the status is not DONE */
};

/* Digest of the sources that this was built from (Makefile). */
extern PIXSIM_EXPORTED const int64_t pixsim_sources;

/* Run a scene that lab/simulation/check.py has accepted. Returns an enum status. */
PIXSIM_EXPORTED int pixsim_run(const struct scene *scene, struct outcome *outcome);

#endif
