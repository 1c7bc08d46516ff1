#include "field.h"

#include <stdlib.h>
#include <string.h>
#include <rte_byteorder.h>

static uint64_t next_random(uint64_t *state) /* splitmix64 (Steele, Lea, Flood 2014) */
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static uint64_t random_between(struct field_variable *variable)
{
	uint64_t span = variable->maximum - variable->minimum + 1;
	uint64_t random = next_random(&variable->state);
	return span == 0 ? random : variable->minimum + (uint64_t)(((__uint128_t)random * span) >> 64);
}

static void variable_values(struct field_variable *variable, uint64_t *values, uint32_t count)
{
	uint64_t value = variable->value, step = variable->step;
	if (variable->op == VARIABLE_RANDOM) {
		for (uint32_t i = 0; i < count; i++, value = random_between(variable))
			values[i] = value;
	} else {
		for (uint32_t i = 0; i < count; i++) {
			values[i] = value;
			if (variable->op == VARIABLE_INC)
				value = variable->maximum - value < step ? variable->minimum : value + step;
			else
				value = value - variable->minimum < step ? variable->maximum : value - step;
		}
	}
	variable->value = value;
	if (variable->list != NULL)
		for (uint32_t i = 0; i < count; i++)
			values[i] = variable->list[values[i]];
}

static void write_values(const struct write_spec *write, const uint64_t *values, struct rte_mbuf **frames,
			 uint32_t count)
{
	/* The bytes that are written are the last `size` ones of the big-endian or the first of the little-endian value. */
	for (uint32_t i = 0; i < count; i++) {
		uint8_t *to = rte_pktmbuf_mtod_offset(frames[i], uint8_t *, write->offset);
		uint64_t value = values[i] + (uint64_t)write->add;
		uint64_t bytes = write->big_endian ? rte_cpu_to_be_64(value << (64 - 8 * write->size)) : value;
		switch (write->size) {
		case 4: memcpy(to, &bytes, 4); break;
		case 2: memcpy(to, &bytes, 2); break;
		case 1: memcpy(to, &bytes, 1); break;
		default: memcpy(to, &bytes, 8); break;
		}
	}
}

void field_ipv4_checksum(uint8_t *ip)
{
	uint64_t sum = 0;
	uint32_t words = ip[0] & 15u, word;
	ip[10] = ip[11] = 0;
	for (uint32_t i = 0; i < words; i++) {
		memcpy(&word, ip + 4 * i, 4);
		sum += word;
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	uint16_t checksum = (uint16_t)~sum;
	memcpy(ip + 10, &checksum, 2);
}

void field_apply(struct field_program *program, struct rte_mbuf **frames, uint32_t count)
{
	uint64_t values[MAX_FIELDS][BURST];
	for (uint32_t i = 0; i < program->variables; i++)
		variable_values(&program->variable[i], values[i], count);
	for (uint32_t i = 0; i < program->writes; i++)
		write_values(&program->write[i], values[program->write[i].variable], frames, count);
	for (uint32_t i = 0; i < program->checksums; i++)
		for (uint32_t k = 0; k < count; k++)
			field_ipv4_checksum(rte_pktmbuf_mtod_offset(frames[k], uint8_t *, program->checksum[i]));
}

static bool read_variable(struct field_variable *variable, const struct variable_spec *spec, const uint64_t *lists,
			  uint32_t list_values)
{
	*variable = (struct field_variable){
		.minimum = spec->minimum, .maximum = spec->maximum, .step = spec->step, .value = spec->initial,
		.state = spec->seed, .op = spec->op,
	};
	if (spec->minimum > spec->maximum || spec->initial < spec->minimum || spec->initial > spec->maximum)
		return false;
	if (spec->list_length != 0) {
		if ((uint64_t)spec->list_offset + spec->list_length > list_values || spec->maximum >= spec->list_length)
			return false;
		variable->list = lists + spec->list_offset;
	}
	return true;
}

const uint8_t *field_read(struct field_program *program, const struct stream_spec *spec, const uint8_t *from,
			  const uint8_t *end, uint64_t **lists)
{
	const struct variable_spec *variables = (const void *)from;
	const struct write_spec *writes = (const void *)(variables + spec->variables);
	const struct checksum_spec *checksums = (const void *)(writes + spec->writes);
	const uint8_t *values = (const void *)(checksums + spec->checksums);
	if (spec->variables > MAX_FIELDS || spec->writes > MAX_FIELDS || spec->checksums > MAX_FIELDS ||
	    values > end || spec->list_values > (size_t)(end - values) / 8)
		return NULL;
	*lists = malloc(8 * (size_t)spec->list_values + 8);
	if (*lists == NULL)
		return NULL;
	memcpy(*lists, values, 8 * (size_t)spec->list_values);
	program->variables = spec->variables;
	program->writes = spec->writes;
	program->checksums = spec->checksums;
	for (uint32_t i = 0; i < spec->variables; i++)
		if (!read_variable(&program->variable[i], &variables[i], *lists, spec->list_values))
			return NULL;
	for (uint32_t i = 0; i < spec->writes; i++) {
		program->write[i] = writes[i];
		if (writes[i].variable >= spec->variables || writes[i].size == 0 || writes[i].size > 8 ||
		    writes[i].offset + writes[i].size > spec->length)
			return NULL;
	}
	for (uint32_t i = 0; i < spec->checksums; i++) {
		program->checksum[i] = checksums[i].offset;
		if (checksums[i].offset + 60 > spec->length && checksums[i].offset + 20 > spec->length)
			return NULL;
	}
	return values + 8 * (size_t)spec->list_values;
}
