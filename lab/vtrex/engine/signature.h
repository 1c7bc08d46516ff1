/* What a verified frame carries in its last 16 bytes, by which its receiver tells it from any other.
 *
 * A frame of a "stats" flow ends in a signature. A latency frame ends in TRex's header (flow.h) and has no room for
 * one; the upper 16 bits of its time stamp hold a check instead, and the stamp itself says of which trial it is.
 *
 * The checks are keyed by a secret of the process and cover what the DUT must not change and what the receiver cannot
 * know beforehand: the addresses, which the field engine changes from frame to frame, and all else that it writes.
 */
#ifndef VTREX_SIGNATURE_H
#define VTREX_SIGNATURE_H

#include <stdint.h>
#include <string.h>

#include "field.h"
#include "protocol.h"

#define SEQUENCE_BITS 48

WIRE_STRUCT signature {
	uint64_t number; /* flow index in the upper 16 bits, sequence number from 0 in the lower 48 */
	uint32_t trial;  /* a random number of the trial */
	uint32_t check;
};

#define SIGNATURE_BYTES 16u /* also of TRex's latency header */

#define MAX_IDENTITY_FIELDS 16u

/* Where in a frame its identity stands: the IPv4 addresses and what else the field engine writes. */
struct identity {
	uint16_t addresses; /* offset of source and destination */
	uint16_t end;       /* offset behind all of it */
	uint16_t fields;
	struct {
		uint16_t offset, size;
	} field[MAX_IDENTITY_FIELDS];
};

extern uint64_t signature_secret;

/* Odd constants of the fractional parts of the golden ratio, of sqrt(2) and of sqrt(3). */
#define MIX_A 0x9e3779b97f4a7c15ull
#define MIX_B 0x6a09e667f3bcc909ull
#define MIX_C 0xbb67ae8584caa73bull

static inline uint64_t identity_of(const struct identity *identity, const uint8_t *frame)
{
	uint64_t mixed, value;
	uint32_t source, destination; /* read as they were just written: a wider read would wait for both writes to end */
	memcpy(&source, frame + identity->addresses, sizeof(source));
	memcpy(&destination, frame + identity->addresses + 4, sizeof(destination));
	mixed = (((uint64_t)source << 32 | destination) + signature_secret) * MIX_A;
	for (uint32_t i = 0; i < identity->fields; i++) {
		value = 0;
		memcpy(&value, frame + identity->field[i].offset, identity->field[i].size);
		mixed = ((mixed ^ mixed >> 32) + value) * MIX_B;
	}
	return mixed ^ mixed >> 32;
}

static inline uint32_t signature_check(uint64_t identity, uint64_t number, uint64_t trial)
{
	uint64_t mixed = (identity + number * MIX_B + trial * MIX_C) * MIX_A;
	return (uint32_t)((mixed ^ mixed >> 29) * MIX_C >> 32);
}

/* A latency frame's time stamp with its check in the upper bits; `head` is the first half of its header. */
#define STAMP_BITS 48

static inline uint64_t stamp_checked(uint64_t identity, uint64_t head, uint64_t ticks)
{
	ticks &= (1ull << STAMP_BITS) - 1;
	return ticks | (uint64_t)(signature_check(identity, head, ticks) & 0xffff) << STAMP_BITS;
}

/* Ticks from `then` to `now`, both of which may have lost the bits above the stamp's; negative: the other way round. */
static inline int64_t stamp_distance(uint64_t then, uint64_t now)
{
	return (int64_t)((now - then) << (64 - STAMP_BITS)) >> (64 - STAMP_BITS);
}

#endif
