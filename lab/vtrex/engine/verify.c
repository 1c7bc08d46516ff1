#include "verify.h"

#include <emmintrin.h>
#include <string.h>

#include "flow.h"

#define BLOCK 16
#define ORDER_PLACES 65536u

struct verified_direction verified[MAX_PORTS][MAX_PORTS];

/* By addresses: a tag of them in the upper half, the greatest number that has come in the lower. Those of earlier trials
 * do not match, as the tag is made of the trial's number, too.
 */
static uint64_t order[ORDER_PLACES];

void verify_begin_trial(void)
{
	memset(verified, 0, sizeof(verified));
	verifier_begin_trial();
}

void verify_begin(struct verifier *verifier, uint32_t tx_port, uint64_t now)
{
	verifier_install(verifier, tx_port, now);
	verified[tx_port][verifier->rx_port].flows++;
}

void verify_sign(struct verifier *verifier, struct rte_mbuf **frames, uint32_t count)
{
	uint64_t number = (uint64_t)verifier->flow << SEQUENCE_BITS | verifier->sent;
	for (uint32_t i = 0; i < count; i++, number++) {
		uint8_t *bytes = rte_pktmbuf_mtod(frames[i], uint8_t *);
		uint64_t identity = identity_of(&verifier->identity, bytes);
		struct signature *signature = (void *)(bytes + verifier->length - sizeof(*signature));
		signature->number = number;
		signature->trial = verifier->trial;
		signature->check = signature_check(identity, number, verifier->trial);
	}
	verifier->sent += count;
}

void verify_stamp(const struct verifier *verifier, struct rte_mbuf *frame, uint64_t ticks)
{
	uint8_t *bytes = rte_pktmbuf_mtod(frame, uint8_t *);
	struct latency_header *header = (void *)(bytes + verifier->length - sizeof(*header));
	uint64_t head;
	memcpy(&head, header, sizeof(head));
	header->ticks = stamp_checked(identity_of(&verifier->identity, bytes), head, ticks);
}

/* The last 16 bytes of what is in the buffer. */
static const void *tail(const struct rte_mbuf *frame)
{
	return rte_pktmbuf_mtod_offset(frame, const uint8_t *, frame->data_len - SIGNATURE_BYTES);
}

static bool has_identity(const struct verifier *verifier, const struct rte_mbuf *frame)
{
	return frame->data_len == frame->pkt_len && frame->data_len >= verifier->identity.end + SIGNATURE_BYTES;
}

/* Of a frame that is shorter than that this is the identity of what its buffer had before; has_identity() tells. */
static uint64_t frame_identity(const struct verifier *verifier, const struct rte_mbuf *frame)
{
	return identity_of(&verifier->identity, rte_pktmbuf_mtod(frame, const uint8_t *));
}

static bool same_content(const struct verifier *verifier, const uint8_t *bytes)
{
	__m128i differing = _mm_setzero_si128();
	for (uint32_t at = 0; at < verifier->compared; at += BLOCK) {
		__m128i change = _mm_xor_si128(_mm_loadu_si128((const void *)(bytes + at)),
					       _mm_loadu_si128((const void *)(verifier->expected + at)));
		change = _mm_and_si128(change, _mm_loadu_si128((const void *)(verifier->mask + at)));
		differing = _mm_or_si128(differing, change);
	}
	return _mm_movemask_epi8(_mm_cmpeq_epi8(differing, _mm_setzero_si128())) == 0xffff;
}

/* The header's length has been found right before, being part of the content. */
static bool right_checksum(const uint8_t *ip)
{
	uint64_t sum = 0;
	uint32_t words = ip[0] & 15u, word;
	for (uint32_t i = 0; i < words; i++) {
		memcpy(&word, ip + 4 * i, 4);
		sum += word;
	}
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

static void account_order(const struct verifier *verifier, uint64_t identity, uint64_t number,
			  struct verified_direction *direction)
{
	uint64_t mixed = (identity + ((uint64_t)verifier->flow << 32 | verifier->trial) * MIX_C) * MIX_B;
	uint64_t *place = &order[mixed >> 48], tag = mixed << 16 & 0xffffffff00000000ull;
	uint32_t sequence = (uint32_t)number;
	if ((*place & 0xffffffff00000000ull) == tag && (int32_t)(sequence - (uint32_t)*place) < 0)
		direction->reordered++;
	else
		*place = tag | sequence;
}

static void describe(const struct verifier *verifier, const struct rte_mbuf *frame, struct wrong_sample *sample)
{
	const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);
	sample->reason = REASON_SIGNATURE;
	if (frame->pkt_len != verifier->length || frame->data_len != frame->pkt_len) {
		sample->reason = REASON_LENGTH;
		sample->expected = verifier->length;
		return;
	}
	for (uint32_t at = 0; at < verifier->compared; at++)
		if (((bytes[at] ^ verifier->expected[at]) & verifier->mask[at]) != 0) {
			sample->reason = REASON_BYTE;
			sample->offset = at;
			sample->expected = verifier->expected[at];
			return;
		}
	if (!right_checksum(bytes + verifier->identity.addresses - 12))
		sample->reason = REASON_CHECKSUM;
}

static enum verdict wrong(const struct verifier *verifier, enum wrong_kind kind, uint32_t port,
			  const struct rte_mbuf *frame)
{
	struct verified_direction *direction = &verified[verifier->tx_port][verifier->rx_port];
	struct wrong_sample *sample = &direction->first[kind];
	/* Of another polling thread's flow, perhaps, as it came to the wrong port. */
	if (__atomic_fetch_add(&direction->wrong[kind], 1, __ATOMIC_RELAXED) != 0)
		return VERDICT_WRONG;
	sample->port = port;
	sample->length = frame->pkt_len;
	sample->kept = RTE_MIN(frame->data_len, (uint16_t)sizeof(sample->bytes));
	memcpy(sample->bytes, rte_pktmbuf_mtod(frame, const void *), sample->kept);
	if (kind == WRONG_CONTENT)
		describe(verifier, frame, sample);
	return VERDICT_WRONG;
}

/* The rest of the judgement of a frame of this trial whose check is right. */
static enum verdict judge(struct verifier *verifier, uint32_t port, const struct rte_mbuf *frame, uint64_t identity,
			  uint64_t number)
{
	const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);
	if (unlikely(port != verifier->rx_port))
		return wrong(verifier, WRONG_PORT, port, frame);
	if (unlikely(frame->data_len != verifier->length || number >= verifier->sent || !same_content(verifier, bytes) ||
		     !right_checksum(bytes + verifier->identity.addresses - 12)))
		return wrong(verifier, WRONG_CONTENT, port, frame);
	if (unlikely(window_has_left(&verifier->window, number)))
		return wrong(verifier, WRONG_STALE, port, frame);
	if (unlikely(!window_note(&verifier->window, number))) {
		(void)wrong(verifier, WRONG_DUPLICATE, port, frame);
		return VERDICT_DUPLICATE;
	}
	struct verified_direction *direction = &verified[verifier->tx_port][verifier->rx_port];
	direction->good++;
	account_order(verifier, identity, number, direction);
	return VERDICT_GOOD;
}

static bool signature_right(const struct rte_mbuf *frame, uint64_t identity)
{
	const struct signature *found = tail(frame);
	return found->check == signature_check(identity, found->number, found->trial);
}

static bool stamp_right(const struct rte_mbuf *frame, uint64_t identity)
{
	const struct latency_header *header = tail(frame);
	uint64_t head;
	memcpy(&head, header, sizeof(head));
	return header->ticks == stamp_checked(identity, head, header->ticks);
}

enum verdict verify_stats(struct verifier *verifier, uint32_t port, const struct rte_mbuf *frame)
{
	const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);
	const struct signature *found = tail(frame);
	uint32_t protocol = verifier->identity.addresses - 3u;
	/* A DUT's own packets (an ICMP error) may have any identification; they carry no signature of this trial. */
	if (unlikely(bytes[protocol] != verifier->expected[protocol] && found->trial != verifier->trial))
		return VERDICT_FOREIGN;
	uint64_t identity = frame_identity(verifier, frame);
	if (unlikely(!has_identity(verifier, frame) || !signature_right(frame, identity)))
		return wrong(verifier, WRONG_CONTENT, port, frame);
	if (unlikely(found->number >> SEQUENCE_BITS != verifier->flow))
		return verify_unknown(port, frame);
	if (unlikely(found->trial != verifier->trial))
		return wrong(verifier, WRONG_STALE, port, frame);
	return judge(verifier, port, frame, identity, found->number & ((1ull << SEQUENCE_BITS) - 1));
}

enum verdict verify_latency(struct verifier *verifier, uint32_t port, const struct rte_mbuf *frame)
{
	const struct latency_header *header = tail(frame);
	uint64_t identity = frame_identity(verifier, frame);
	if (!has_identity(verifier, frame) || !stamp_right(frame, identity))
		return wrong(verifier, WRONG_CONTENT, port, frame);
	if (stamp_distance(verifier->begin, header->ticks) < 0)
		return wrong(verifier, WRONG_STALE, port, frame);
	if (header->generation != verifier->generation)
		return wrong(verifier, WRONG_CONTENT, port, frame);
	return judge(verifier, port, frame, identity, header->sequence - FIRST_SEQUENCE);
}

/* A signed frame whose identification is not that of its flow, or whose flow has ended. */
static enum verdict unknown_stats(struct verifier *verifier, uint32_t port, const struct rte_mbuf *frame)
{
	const struct signature *found = tail(frame);
	if (flow_active[verifier->flow] && found->trial == verifier->trial)
		return wrong(verifier, WRONG_CONTENT, port, frame);
	if (found->trial != verifier_trial && has_identity(verifier, frame) &&
	    signature_right(frame, frame_identity(verifier, frame)))
		return wrong(verifier, WRONG_STALE, port, frame);
	return VERDICT_FOREIGN;
}

/* The same with a latency header. */
static enum verdict unknown_latency(struct verifier *verifier, uint32_t port, const struct rte_mbuf *frame)
{
	if (!has_identity(verifier, frame) || !stamp_right(frame, frame_identity(verifier, frame)))
		return VERDICT_FOREIGN;
	if (flow_active[verifier->flow])
		return wrong(verifier, WRONG_CONTENT, port, frame);
	return verifier->trial != verifier_trial ? wrong(verifier, WRONG_STALE, port, frame) : VERDICT_FOREIGN;
}

static bool same_headers(const struct verifier *verifier, const struct rte_mbuf *frame)
{
	const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);
	uint32_t end = verifier->identity.end;
	if (frame->data_len < end)
		return false;
	for (uint32_t at = 0; at < end; at++)
		if (((bytes[at] ^ verifier->expected[at]) & verifier->mask[at]) != 0)
			return false;
	return true;
}

/* A frame whose last bytes tell nothing, but whose headers are those of a flow that is sent now: of one that is expected
 * at this port, if there is one.
 */
static enum verdict unknown_tail(uint32_t port, const struct rte_mbuf *frame)
{
	const struct verifier *found = NULL;
	for (uint32_t i = 0; i < verifiers_installed && (found == NULL || found->rx_port != port); i++) {
		const struct verifier *verifier = verifiers[installed_flows[i]];
		if (flow_active[verifier->flow] && same_headers(verifier, frame))
			found = verifier;
	}
	return found != NULL ? wrong(found, WRONG_CONTENT, port, frame) : VERDICT_FOREIGN;
}

enum verdict verify_unknown(uint32_t port, const struct rte_mbuf *frame)
{
	if (verifiers_installed == 0 || frame->data_len < SIGNATURE_BYTES)
		return VERDICT_FOREIGN;
	const struct signature *found = tail(frame);
	const struct latency_header *header = tail(frame);
	uint64_t flow = found->number >> SEQUENCE_BITS;
	enum verdict verdict = VERDICT_FOREIGN;
	if (flow < STATS_FLOWS && verifiers[flow] != NULL)
		verdict = unknown_stats(verifiers[flow], port, frame);
	if (verdict == VERDICT_FOREIGN && header->magic == LATENCY_MAGIC && header->hw_id < LATENCY_FLOWS &&
	    verifiers[STATS_FLOWS + header->hw_id] != NULL)
		verdict = unknown_latency(verifiers[STATS_FLOWS + header->hw_id], port, frame);
	return verdict == VERDICT_FOREIGN ? unknown_tail(port, frame) : verdict;
}
