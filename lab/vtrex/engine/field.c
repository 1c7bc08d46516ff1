#include "field.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <rte_byteorder.h>
#include <rte_common.h>

#include "checksum.h"
#include "ip.h"

#define ALWAYS 0xffffffffu /* a bit for each frame of a burst: at which of them a variable advances, or wraps around */

_Static_assert(BURST <= 32, "the frames of a burst are bits of a word");

static uint64_t next_random(uint64_t *state) /* splitmix64 (Steele, Lea, Flood 2014) */
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static uint64_t random_between(struct field_variable *variable)
{
	uint64_t span = variable->last - variable->first + 1;
	uint64_t random = next_random(&variable->state);
	return span == 0 ? random : variable->first + (uint64_t)(((__uint128_t)random * span) >> 64);
}

static void restart(struct field_variable *variable)
{
	variable->state = variable->value = variable->initial;
	if (variable->op == VARIABLE_RANDOM)
		variable->value = random_between(variable);
}

/* The values of a variable that steps after each frame. Returns the frames after which it wraps around. */
static uint32_t step_values(struct field_variable *variable, uint64_t *values, uint32_t count)
{
	uint64_t value = variable->value, first = variable->first, last = variable->last, step = variable->step;
	uint32_t wraps = 0;
	for (uint32_t i = 0; i < count; i++) {
		values[i] = value;
		wraps |= (uint32_t)(value == last) << i;
		value = value == last ? first : value + step;
	}
	variable->value = value;
	return wraps;
}

/* The same of any variable, which takes its next value after the frames `advance`, and begins anew after `again`. */
static uint32_t other_values(struct field_variable *variable, uint32_t advance, uint32_t again, uint64_t *values,
			     uint32_t count)
{
	uint32_t wraps = 0;
	for (uint32_t i = 0; i < count; i++) {
		values[i] = variable->value;
		if ((again >> i & 1) != 0) {
			restart(variable);
		} else if ((advance >> i & 1) == 0) {
			continue;
		} else if (variable->op == VARIABLE_RANDOM) {
			variable->value = random_between(variable);
		} else {
			wraps |= (uint32_t)(variable->value == variable->last) << i;
			variable->value = variable->value == variable->last ? variable->first
									    : variable->value + variable->step;
		}
	}
	return wraps;
}

static void all_values(struct field_program *program, uint64_t (*values)[BURST], uint32_t count)
{
	uint32_t wraps[MAX_VARIABLES];
	for (uint32_t i = 0; i < program->variables; i++) {
		struct field_variable *variable = &program->variable[i];
		uint32_t advance = variable->advanced_by == NO_VARIABLE ? ALWAYS : wraps[variable->advanced_by];
		uint32_t again = variable->restarted_by == NO_VARIABLE ? 0 : wraps[variable->restarted_by];
		if (variable->op == VARIABLE_STEP && advance == ALWAYS && again == 0)
			wraps[i] = step_values(variable, values[i], count);
		else
			wraps[i] = other_values(variable, advance, again, values[i], count);
		if (variable->list != NULL)
			for (uint32_t k = 0; k < count; k++)
				values[i][k] = variable->list[values[i][k]];
	}
}

/* The bytes that are written are the last ones of the big-endian or the first ones of the little-endian value. */
static __rte_always_inline void write_sized(const struct action_spec *write, const uint64_t *values,
					    struct rte_mbuf **frames, uint32_t count, const uint32_t size)
{
	uint64_t add = (uint64_t)write->add;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t value = values[i] + add;
		if (write->big_endian)
			value = rte_cpu_to_be_64(value << (64 - 8 * size));
		memcpy(rte_pktmbuf_mtod_offset(frames[i], uint8_t *, write->offset), &value, size);
	}
}

static void write_values(const struct action_spec *write, const uint64_t *values, struct rte_mbuf **frames,
			 uint32_t count)
{
	switch (write->size) { /* a loop for each, as the size is then known to the compiler */
	case 1: write_sized(write, values, frames, count, 1); break;
	case 2: write_sized(write, values, frames, count, 2); break;
	case 4: write_sized(write, values, frames, count, 4); break;
	default: write_sized(write, values, frames, count, 8); break;
	}
}

static uint32_t swapped(uint32_t value, const struct action_spec *write)
{
	if (!write->big_endian || write->size == 1)
		return value;
	return write->size == 2 ? rte_bswap16((uint16_t)value) : rte_bswap32(value);
}

static void write_masked(const struct action_spec *write, const uint64_t *values, struct rte_mbuf **frames,
			 uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint8_t *to = rte_pktmbuf_mtod_offset(frames[i], uint8_t *, write->offset);
		uint32_t value = (uint32_t)(values[i] + (uint64_t)write->add), there = 0;
		value = write->shift >= 0 ? value << write->shift : value >> -write->shift;
		memcpy(&there, to, write->size);
		value = swapped((swapped(there, write) & ~write->mask) | (value & write->mask), write);
		memcpy(to, &value, write->size);
	}
}

static void trim(const struct field_program *program, const uint64_t *values, struct rte_mbuf **frames, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint64_t length = RTE_MAX(RTE_MIN(values[i], program->length), (uint64_t)SHORTEST_FRAME);
		frames[i]->data_len = (uint16_t)length;
		frames[i]->pkt_len = (uint32_t)length;
	}
}

static void fix_transport(const struct action_spec *action, struct rte_mbuf **frames, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint8_t *bytes = rte_pktmbuf_mtod(frames[i], uint8_t *);
		if (frames[i]->data_len < action->transport + (action->protocol == IPPROTO_TCP ? 20 : 8))
			continue; /* trimmed so short that there is no such header */
		checksum_transport(bytes + action->offset, bytes + action->transport, bytes + frames[i]->data_len,
				   action->protocol);
	}
}

static void fix_ipv4(const struct action_spec *action, struct rte_mbuf **frames, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint8_t *ip = rte_pktmbuf_mtod_offset(frames[i], uint8_t *, action->offset);
		if (likely(action->size == IPV4_BYTES))
			checksum_ipv4(ip, IPV4_BYTES);
		else
			checksum_ipv4(ip, action->size);
	}
}

void field_apply(struct field_program *program, struct rte_mbuf **frames, uint32_t count)
{
	uint64_t values[MAX_VARIABLES][BURST];
	all_values(program, values, count);
	for (uint32_t i = 0; i < program->actions; i++) {
		const struct action_spec *action = &program->action[i];
		switch (action->kind) {
		case ACTION_WRITE: write_values(action, values[action->variable], frames, count); break;
		case ACTION_WRITE_MASKED: write_masked(action, values[action->variable], frames, count); break;
		case ACTION_TRIM: trim(program, values[action->variable], frames, count); break;
		case ACTION_FIX_IPV4: fix_ipv4(action, frames, count); break;
		case ACTION_FIX_TRANSPORT: fix_transport(action, frames, count); break;
		default: break; /* field_finish() */
		}
	}
}

void field_finish(const struct field_program *program, struct rte_mbuf **frames, uint32_t count)
{
	for (uint32_t i = 0; i < program->actions; i++) {
		if (program->action[i].kind == ACTION_FINISH_IPV4)
			fix_ipv4(&program->action[i], frames, count);
		if (program->action[i].kind == ACTION_FINISH_TRANSPORT)
			fix_transport(&program->action[i], frames, count);
	}
}

/* Whether steps from the first value lead to the initial one, and on to the last. */
static bool arrives(const struct variable_spec *spec)
{
	bool down = spec->step >> 63;
	uint64_t step = down ? -spec->step : spec->step;
	uint64_t to_last = down ? spec->first - spec->last : spec->last - spec->first;
	uint64_t to_initial = down ? spec->first - spec->initial : spec->initial - spec->first;
	return step != 0 && to_last % step == 0 && to_initial % step == 0 && to_initial <= to_last;
}

static bool read_variable(struct field_program *program, uint16_t index, const struct variable_spec *spec,
			  uint32_t list_values)
{
	struct field_variable *variable = &program->variable[index];
	*variable = (struct field_variable){
		.first = spec->first, .last = spec->last, .step = spec->step, .initial = spec->initial, .op = spec->op,
		.advanced_by = spec->advanced_by, .restarted_by = spec->restarted_by,
	};
	if ((spec->advanced_by != NO_VARIABLE && spec->advanced_by >= index) ||
	    (spec->restarted_by != NO_VARIABLE && spec->restarted_by >= index))
		return false;
	if (spec->op == VARIABLE_RANDOM ? spec->last < spec->first : spec->op != VARIABLE_STEP || !arrives(spec))
		return false;
	if (spec->list_length != 0) {
		if ((uint64_t)spec->list_offset + spec->list_length > list_values ||
		    RTE_MAX(spec->first, spec->last) >= spec->list_length)
			return false;
		variable->list = program->lists + spec->list_offset;
	}
	restart(variable);
	return true;
}

static bool action_fits(const struct field_program *program, const struct action_spec *action)
{
	uint32_t length = program->length, end = (uint32_t)action->offset + action->size;
	switch (action->kind) {
	case ACTION_WRITE:
		return action->variable < program->variables && end <= length && rte_is_power_of_2(action->size) &&
		       action->size <= 8;
	case ACTION_WRITE_MASKED:
		return action->variable < program->variables && end <= length && rte_is_power_of_2(action->size) &&
		       action->size <= 4 && action->shift > -32 && action->shift < 32;
	case ACTION_TRIM:
		return action->variable < program->variables;
	case ACTION_FIX_IPV4:
	case ACTION_FINISH_IPV4:
		return action->size >= 20 && action->size % 4 == 0 && end <= length;
	case ACTION_FIX_TRANSPORT:
	case ACTION_FINISH_TRANSPORT:
		return action->transport >= action->offset + 20 && action->transport < length;
	default:
		return false;
	}
}

const uint8_t *field_read(struct field_program *program, const struct stream_spec *spec, const uint8_t *from,
			  const uint8_t *end)
{
	const struct variable_spec *variables = (const void *)from;
	const struct action_spec *actions = (const void *)(variables + spec->variables);
	const uint8_t *values = (const void *)(actions + spec->actions);
	size_t list_bytes = 8 * (size_t)spec->list_values;
	*program = (struct field_program){.variables = spec->variables, .actions = spec->actions, .length = spec->length};
	if (spec->variables > MAX_VARIABLES || values > end || list_bytes > (size_t)(end - values))
		return NULL;
	if (spec->actions == 0)
		return values + list_bytes;
	program->variable = calloc(spec->variables + 1u, sizeof(*program->variable));
	program->action = malloc(spec->actions * sizeof(*program->action));
	program->lists = malloc(list_bytes + 1);
	if (program->variable == NULL || program->action == NULL || program->lists == NULL)
		return NULL;
	memcpy(program->lists, values, list_bytes);
	memcpy(program->action, actions, spec->actions * sizeof(*actions));
	for (uint16_t i = 0; i < spec->variables; i++)
		if (!read_variable(program, i, &variables[i], spec->list_values))
			return NULL;
	for (uint16_t i = 0; i < spec->actions; i++) {
		if (!action_fits(program, &actions[i]))
			return NULL;
		program->trims |= actions[i].kind == ACTION_TRIM;
		program->finishes |= actions[i].kind == ACTION_FINISH_IPV4 || actions[i].kind == ACTION_FINISH_TRANSPORT;
	}
	return values + list_bytes;
}

void field_release(struct field_program *program)
{
	free(program->variable);
	free(program->action);
	free(program->lists);
	*program = (struct field_program){0};
}
