/* The scheduler: always the agent of time with the smallest clock takes one step (lab/simulation/reference.py). On equal
 * clocks store buffers come before programs, lower numbers before higher.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"

static void prepare(struct core *core, const struct scene *scene, struct outcome *outcome, struct lines *lines, int64_t n)
{
	memset(core, 0, sizeof(*core));
	core->scene = scene;
	core->lines = lines;
	core->code = scene->code + scene->first[n];
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
	bool warm = false;

	for (;;) {
		struct core *next = NULL;
		int64_t best = NEVER;
		bool drain = false;

		for (int64_t i = 0; i < scene->agents; i++)
			if (cores[i].drain_clock < best) {
				best = cores[i].drain_clock;
				next = &cores[i];
				drain = true;
			}
		for (int64_t i = 0; i < scene->agents; i++)
			if (cores[i].clock < best) {
				best = cores[i].clock;
				next = &cores[i];
				drain = false;
			}
		if (!next || best >= scene->end_ps)
			break;
		if (drain)
			core_drain(next);
		else
			core_step(next);
		if (next->status != DONE) {
			outcome->failed_agent = next->number;
			outcome->failed_at = next->pc;
			return next->status;
		}
		if (!warm && best >= scene->warm_ps) {
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
	int status = NO_MEMORY;

	if (cores && lines.line && lines.copy) {
		for (size_t i = 0; i < count; i++)
			lines.line[i].owner = lines.line[i].supplier = NOBODY;
		for (int64_t i = 0; i < scene->agents; i++)
			prepare(&cores[i], scene, outcome, &lines, i);
		status = run(cores, scene, outcome);
		for (int64_t i = 0; i < scene->agents; i++) {
			outcome->clocks_ps[i] = cores[i].clock == NEVER ? cores[i].stopped_ps : cores[i].clock;
			outcome->accesses += cores[i].accesses;
		}
		outcome->fingerprint = lines.fingerprint;
	}
	free(cores);
	free(lines.line);
	free(lines.copy);
	return status;
}
