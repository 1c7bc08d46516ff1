/* The field engine: variables that change from frame to frame, and what is done with them to each frame.
 *
 * A variable takes its next value after each frame; one that is linked to another only after those frames at which the
 * other wraps around. The actions then run over the frames in their order. What a NIC would do as it sends a frame (the
 * checksums of fix_checksum_hw) is done last of all, when the generator has written its own header, too.
 */
#ifndef VTREX_FIELD_H
#define VTREX_FIELD_H

#include <stdbool.h>
#include <stdint.h>
#include <rte_mbuf.h>

#include "protocol.h"

struct field_variable {
	uint64_t first, last, step;
	uint64_t value, state, initial; /* state: of the random numbers */
	const uint64_t *list; /* NULL: the value itself is used */
	uint16_t advanced_by, restarted_by;
	uint8_t op;
};

struct field_program {
	uint16_t variables, actions;
	uint16_t length; /* of the untrimmed frame */
	bool trims;      /* frames differ in length */
	bool finishes;   /* there is something for field_finish() */
	struct field_variable *variable;
	struct action_spec *action;
	uint64_t *lists;
};

/* Read a program from the payload of a request; returns the byte after it, or NULL when it cannot be. In both cases it
 * must be released.
 */
const uint8_t *field_read(struct field_program *program, const struct stream_spec *spec, const uint8_t *from,
			  const uint8_t *end);
void field_release(struct field_program *program);

/* Apply the program to `count` (at most BURST) frames, copies of the stream's one, and advance the variables. */
void field_apply(struct field_program *program, struct rte_mbuf **frames, uint32_t count);

/* Do what comes last to frames that are otherwise ready. */
void field_finish(const struct field_program *program, struct rte_mbuf **frames, uint32_t count);

#endif
