#include "icmp.h"

#include "buffers.h"
#include "engine.h"

#define ICMP_HEADER 8
#define ICMP_CHECKSUM 2
#define ICMP_REST 4
#define ICMP_ECHO_REPLY 0
#define ICMP_DESTINATION_UNREACHABLE 3
#define ICMP_ECHO_REQUEST 8
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETER_PROBLEM 12
#define ICMP_INFORMATION_LAST 18 /* of the types, those that are no errors go up to here */
#define DEFAULT_TTL 64
#define ERROR_SIZE_MAX 576 /* RFC 1812 4.3.2.3 */
#define BURST 50           /* errors that may be sent at once */
#define PRECEDENCE_INTERNETWORK_CONTROL 0xc0 /* RFC 1812 4.3.2.5 */
#define TOS_COPIED 0x1c    /* the same; without the last bit of TOS, which is ECN's now (RFC 3168) */

/* Whether this packet is an ICMP error (or of a type unknown to us): none is sent about those. */
static bool is_icmp_error(const uint8_t *ip, uint32_t header, uint32_t total)
{
    if (ip[IPV4_PROTOCOL] != PROTOCOL_ICMP)
        return false;
    if (total < header + ICMP_HEADER)
        return true;
    uint8_t type = ip[header];
    bool informs = type == ICMP_ECHO_REPLY || type == ICMP_ECHO_REQUEST || (type >= 13 && type <= ICMP_INFORMATION_LAST);
    return !informs;
}

/* Takes one error out of the token bucket (RFC 1812 4.3.2.8), if there is one. A token is tsc_hz of credit. */
static bool take_token(struct qgm *qgm)
{
    uint64_t rate_pps = qgm->tuning->icmp_rate_pps, most = BURST * qgm->tsc_hz;
    uint64_t elapsed = qgm->now_tsc - qgm->icmp_bucket.since_tsc;
    if (elapsed > most) /* as if a second for each token had gone by: the product below stays in range */
        elapsed = most;
    qgm->icmp_bucket.since_tsc = qgm->now_tsc;
    qgm->icmp_bucket.credit += elapsed * rate_pps;
    if (qgm->icmp_bucket.credit > most)
        qgm->icmp_bucket.credit = most;
    if (!rate_pps || qgm->icmp_bucket.credit < qgm->tsc_hz)
        return false;
    qgm->icmp_bucket.credit -= qgm->tsc_hz;
    return true;
}

/* The address of the port by which the message leaves (RFC 1812 4.3.2.4); 0 if there is no way or none may be sent. */
static uint32_t error_source(const struct qgm *qgm, const uint8_t *ip)
{
    uint32_t header = (ip[0] & 15u) * 4, total = load16(ip + IPV4_TOTAL_LENGTH);
    const struct next_hop *hop = &qgm->hops[fib_lookup(qgm->fib, load32(ip + IPV4_SOURCE))];
    if (hop->kind != HOP_CONNECTED && hop->kind != HOP_GATEWAY)
        return 0;
    if (is_icmp_error(ip, header, total) || (load16(ip + IPV4_FRAGMENT) & IPV4_OFFSET_MASK))
        return 0;
    return qgm->ports[hop->port].address;
}

/* rest: the second word of the ICMP header. */
static void send_error(struct qgm *qgm, uint32_t in_port, struct frame cause, uint8_t type, uint8_t code, uint32_t rest)
{
    const uint8_t *ip = cause.bytes + ETHERNET_HEADER;
    uint32_t source = error_source(qgm, ip), quoted = load16(ip + IPV4_TOTAL_LENGTH);
    if (!source)
        return;
    if (!take_token(qgm)) {
        CORE_WORD(qgm->core, icmp_suppressed)++;
        return;
    }
    if (quoted > ERROR_SIZE_MAX - IPV4_HEADER - ICMP_HEADER)
        quoted = ERROR_SIZE_MAX - IPV4_HEADER - ICMP_HEADER;
    uint32_t length = IPV4_HEADER + ICMP_HEADER + quoted, size = ETHERNET_HEADER + length;
    uint8_t *bytes = (uint8_t *)buffer_take(qgm) + LINK_HEADER;
    uint8_t *out = bytes + ETHERNET_HEADER, *icmp = out + IPV4_HEADER;
    __builtin_memset(bytes, 0, ETHERNET_MIN);
    store16(bytes + ETHERNET_TYPE, ETHERTYPE_IPV4);
    out[0] = IPV4_FIRST_BYTE;
    out[IPV4_TOS] = PRECEDENCE_INTERNETWORK_CONTROL | (ip[IPV4_TOS] & TOS_COPIED);
    store16(out + IPV4_TOTAL_LENGTH, (uint16_t)length);
    store16(out + IPV4_ID, ++qgm->ip_id);
    out[IPV4_TTL] = DEFAULT_TTL;
    out[IPV4_PROTOCOL] = PROTOCOL_ICMP;
    store32(out + IPV4_SOURCE, source);
    __builtin_memcpy(out + IPV4_DESTINATION, ip + IPV4_SOURCE, 4);
    checksum_store(out + IPV4_CHECKSUM, out, IPV4_HEADER);
    icmp[0] = type;
    icmp[1] = code;
    store32(icmp + ICMP_REST, rest);
    __builtin_memcpy(icmp + ICMP_HEADER, ip, quoted);
    checksum_store(icmp + ICMP_CHECKSUM, icmp, ICMP_HEADER + quoted);
    CORE_WORD(qgm->core, originated)++;
    engine_send_own(qgm, in_port, (struct frame){bytes, size < ETHERNET_MIN ? ETHERNET_MIN : size});
}

void icmp_unreachable(struct qgm *qgm, uint32_t in_port, struct frame frame, uint8_t code)
{
    send_error(qgm, in_port, frame, ICMP_DESTINATION_UNREACHABLE, code, 0);
}

void icmp_fragmentation_needed(struct qgm *qgm, uint32_t in_port, struct frame frame, uint16_t mtu)
{
    send_error(qgm, in_port, frame, ICMP_DESTINATION_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED, mtu);
}

void icmp_parameter_problem(struct qgm *qgm, uint32_t in_port, struct frame frame, uint8_t at)
{
    send_error(qgm, in_port, frame, ICMP_PARAMETER_PROBLEM, 0, (uint32_t)at << 24);
}

void icmp_time_exceeded(struct qgm *qgm, uint32_t in_port, struct frame frame)
{
    send_error(qgm, in_port, frame, ICMP_TIME_EXCEEDED, 0, 0);
}

static void answer_echo(struct qgm *qgm, uint32_t in_port, struct frame frame)
{
    uint8_t *ip = frame.bytes + ETHERNET_HEADER, source[4];
    uint32_t header = (ip[0] & 15u) * 4, total = load16(ip + IPV4_TOTAL_LENGTH);
    uint8_t *icmp = ip + header;
    if (total < header + ICMP_HEADER || checksum(icmp, total - header)) {
        frame_drop(qgm, in_port, frame, DROP_icmp_invalid);
        return;
    }
    if (icmp[0] != ICMP_ECHO_REQUEST || icmp[1] != 0) {
        frame_drop(qgm, in_port, frame, DROP_local_unsupported);
        return;
    }
    icmp[0] = ICMP_ECHO_REPLY;
    checksum_store(icmp + ICMP_CHECKSUM, icmp, total - header);
    __builtin_memcpy(source, ip + IPV4_SOURCE, 4);
    __builtin_memcpy(ip + IPV4_SOURCE, ip + IPV4_DESTINATION, 4);
    __builtin_memcpy(ip + IPV4_DESTINATION, source, 4);
    ip[IPV4_TTL] = DEFAULT_TTL;
    store16(ip + IPV4_FRAGMENT, 0); /* whoever forbids fragments of the request has not spoken of the reply */
    checksum_store(ip + IPV4_CHECKSUM, ip, header);
    engine_send_own(qgm, in_port, frame);
}

void icmp_local_input(struct qgm *qgm, uint32_t in_port, struct frame frame)
{
    const uint8_t *ip = frame.bytes + ETHERNET_HEADER;
    bool is_fragment = load16(ip + IPV4_FRAGMENT) & (IPV4_OFFSET_MASK | IPV4_MORE_FRAGMENTS);
    if (ip[IPV4_PROTOCOL] == PROTOCOL_ICMP && !is_fragment) {
        answer_echo(qgm, in_port, frame);
        return;
    }
    if (!is_fragment) {
        bool is_udp = ip[IPV4_PROTOCOL] == PROTOCOL_UDP;
        icmp_unreachable(qgm, in_port, frame, is_udp ? ICMP_PORT_UNREACHABLE : ICMP_PROTOCOL_UNREACHABLE);
    }
    frame_drop(qgm, in_port, frame, DROP_local_unsupported);
}
