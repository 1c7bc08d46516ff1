/* The field engine: variables that change from frame to frame, and what is written from them into each frame. */
#ifndef VTREX_FIELD_H
#define VTREX_FIELD_H

#include <stdbool.h>
#include <stdint.h>
#include <rte_mbuf.h>

#include "protocol.h"

#define MAX_FIELDS 16 /* variables, writes and checksums of one stream, each */

struct field_variable {
	uint64_t minimum, maximum, step, value, state;
	const uint64_t *list; /* NULL: the value itself is written */
	uint8_t op;
};

struct field_program {
	uint8_t variables, writes, checksums;
	struct field_variable variable[MAX_FIELDS];
	struct write_spec write[MAX_FIELDS];
	uint16_t checksum[MAX_FIELDS];
};

/* Read a program from the payload of a request; returns the byte after it, or NULL when it cannot be.
 * `lists` receives an array to be freed with the stream.
 */
const uint8_t *field_read(struct field_program *program, const struct stream_spec *spec, const uint8_t *from,
			  const uint8_t *end, uint64_t **lists);

/* Apply the program to `count` (at most BURST) frames and advance the variables. */
void field_apply(struct field_program *program, struct rte_mbuf **frames, uint32_t count);

/* Compute the IPv4 header checksum of the header at `ip`. */
void field_ipv4_checksum(uint8_t *ip);

#endif
