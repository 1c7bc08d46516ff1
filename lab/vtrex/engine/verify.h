/* Verification: every received frame of a verified flow is compared with the one that was sent.
 *
 * A frame counts as received when it is of this trial, at the right port, equal to its template byte for byte (but for
 * the addresses of the link, a TTL less by the hops, and a header checksum that is right), fits its keyed check, and
 * its number has not been seen before. Otherwise it is counted in its direction as one of enum wrong_kind.
 *
 * Limits: a frame that comes after 2^24 later ones of its flow can no longer be told from a duplicate and counts as
 * stale. Order is judged among frames of one flow with the same addresses (and other written fields); the last number
 * of such a pair is remembered in a table of 2^16 places, where another pair may take its place. So what is counted as
 * reordered is reordered (RFC 4737, section 3.3: a greater number of the pair came before), and with more pairs than
 * places not all of it may be counted.
 *
 * All of this runs in the polling threads; what is kept of a flow under its lock (flow.h).
 */
#ifndef VTREX_VERIFY_H
#define VTREX_VERIFY_H

#include <stdint.h>
#include <rte_mbuf.h>

#include "verifier.h"

extern struct verified_direction verified[MAX_PORTS][MAX_PORTS]; /* of the present trial, by tx and rx port */

/* Forget the counts of the last trial; let a verifier decide on its flow's frames, which tx_port sends from now on. */
void verify_begin_trial(void);
void verify_begin(struct verifier *verifier, uint32_t tx_port, uint64_t now);

/* Sign built frames; write the checked time stamp into a latency frame just before it is sent. */
void verify_sign(struct verifier *verifier, struct rte_mbuf **frames, uint32_t count);
void verify_stamp(const struct verifier *verifier, struct rte_mbuf *frame, uint64_t ticks);

/* What a received frame is. FOREIGN: none of the lab's, to be counted as unknown. DUPLICATE: wrong in this way alone. */
enum verdict { VERDICT_GOOD, VERDICT_WRONG, VERDICT_DUPLICATE, VERDICT_FOREIGN };

/* Judge a frame of at least 34 bytes whose IPv4 identification names a verified flow; unless it is foreign it has then
 * been accounted for in its direction.
 */
enum verdict verify_stats(struct verifier *verifier, uint32_t port, const struct rte_mbuf *frame);
enum verdict verify_latency(struct verifier *verifier, uint32_t port, const struct rte_mbuf *frame);

/* Judge a frame that nothing else knows: it may be a damaged or a stale one. Never VERDICT_GOOD. */
enum verdict verify_unknown(uint32_t port, const struct rte_mbuf *frame);

#endif
