/* The scheduler: always the agent of time with the smallest clock takes one step (lab/simulation/reference.py). On equal
 * clocks store buffers come before programs, lower numbers before higher.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"

const int64_t pixsim_sources = PIXSIM_SOURCES;

#define LANES 4 /* comparisons that do not wait for each other */

/* When each agent takes its next step: time << 7 | (is it the program's?) << 6 | its number; so the smallest is next.
 *
 * Invariants: key[n] is that of core n; keys beyond the last core, and of cores that will take no step, are NO_STEP.
 */
struct agenda {
	int64_t count;                        /* a multiple of LANES */
	int64_t key[MAX_AGENTS];
};

#define NO_STEP INT64_MAX
#define KEY_NUMBER (MAX_AGENTS - 1)
#define KEY_PROGRAM MAX_AGENTS
#define KEY_TIME_SHIFT 7

static int64_t key_of(const struct core *core)
{
	bool program = core->clock < core->drain_clock;
	int64_t next = program ? core->clock : core->drain_clock;

	return next >= LONGEST_PS ? NO_STEP : next << KEY_TIME_SHIFT | (program ? KEY_PROGRAM : 0) | core->number;
}

static int64_t smallest(const struct agenda *agenda)
{
	int64_t least[LANES];

	memcpy(least, agenda->key, sizeof(least));
	for (int64_t i = LANES; i < agenda->count; i += LANES)
		for (int64_t lane = 0; lane < LANES; lane++)
			least[lane] = min64(least[lane], agenda->key[i + lane]);
	return min64(min64(least[0], least[1]), min64(least[2], least[3]));
}

static void prepare(struct core *core, const struct scene *scene, struct outcome *outcome, struct lines *lines,
		    uint8_t *taken, int64_t n)
{
	memset(core, 0, sizeof(*core));
	core->scene = scene;
	core->lines = lines;
	core->code = scene->code + scene->first[n];
	core->jumps.taken = taken + scene->first[n];
	core->memory = outcome->memory;
	core->stats = outcome->stats + n * STATS;
	core->latency_counts = outcome->latency_counts;
	core->number = n;
	core->device = scene->device[n];
	core->drain_clock = NEVER;
	core->random = scene->seed + (uint64_t)AGENT_SEED * (uint64_t)(n + 1);
}

static int run(struct core *cores, const struct scene *scene, struct outcome *outcome)
{
	size_t stats_bytes = (size_t)scene->agents * STATS * sizeof(int64_t);
	struct agenda agenda = {.count = (scene->agents + LANES - 1) / LANES * LANES};
	bool warm = false;

	for (int64_t i = 0; i < agenda.count; i++)
		agenda.key[i] = i < scene->agents ? key_of(&cores[i]) : NO_STEP;
	for (;;) {
		int64_t key = smallest(&agenda), now = key >> KEY_TIME_SHIFT;

		if (key == NO_STEP || now >= scene->end_ps)
			break;
		struct core *next = &cores[key & KEY_NUMBER];

		if (key & KEY_PROGRAM)
			core_step(next);
		else
			core_drain(next);
		if (next->status != DONE) {
			outcome->failed_agent = next->number;
			outcome->failed_at = next->pc;
			return next->status;
		}
		agenda.key[next->number] = key_of(next);
		if (!warm && now >= scene->warm_ps) {
			memcpy(outcome->warm_stats, outcome->stats, stats_bytes);
			warm = true;
		}
	}
	if (!warm)
		memcpy(outcome->warm_stats, outcome->stats, stats_bytes);
	return DONE;
}

int pixsim_run(const struct scene *scene, struct outcome *outcome)
{
	size_t agents = (size_t)scene->agents, count = (size_t)scene->lines;
	struct core *cores = calloc(agents, sizeof(*cores));
	struct lines lines = {scene, calloc(count, sizeof(*lines.line)), calloc(agents * count, sizeof(*lines.copy)),
			      outcome->transactions, outcome->word_transactions, scene->seed, 0};
	uint8_t *taken = calloc((size_t)scene->instructions, sizeof(*taken));
	int status = NO_MEMORY;

	if (cores && taken && lines.line && lines.copy) {
		for (size_t i = 0; i < count; i++)
			lines.line[i] = (struct line){.owner = NOBODY, .supplier = NOBODY, .depot = NOBODY,
						      .home = (int32_t)scene->line_homes[i]};
		for (int64_t i = 0; i < scene->agents; i++)
			prepare(&cores[i], scene, outcome, &lines, taken, i);
		status = run(cores, scene, outcome);
		for (int64_t i = 0; i < scene->agents; i++) {
			outcome->clocks_ps[i] = cores[i].clock == NEVER ? cores[i].stopped_ps : cores[i].clock;
			outcome->accesses += cores[i].accesses;
		}
		outcome->fingerprint = lines.fingerprint;
	}
	free(cores);
	free(taken);
	free(lines.line);
	free(lines.copy);
	return status;
}
