#include "icmp.h"

#include "buffers.h"
#include "engine.h"

#define ICMP_HEADER 8
#define ICMP_CHECKSUM 2
#define ICMP_ECHO_REPLY 0
#define ICMP_DESTINATION_UNREACHABLE 3
#define ICMP_ECHO_REQUEST 8
#define ICMP_TIME_EXCEEDED 11
#define ICMP_INFORMATION_LAST 18 /* of the types, those that are no errors go up to here */
#define DEFAULT_TTL 64
#define ERROR_SIZE_MAX 576 /* RFC 1812 4.3.2.3 */

static void store_checksum(uint8_t *field, const uint8_t *from, uint32_t size)
{
    __builtin_memset(field, 0, 2);
    uint16_t value = checksum(from, size);
    __builtin_memcpy(field, &value, 2);
}

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

static void send_error(struct qgm *qgm, uint32_t in_port, struct frame cause, uint8_t type, uint8_t code, uint16_t mtu)
{
    const uint8_t *ip = cause.bytes + ETHERNET_HEADER;
    uint32_t header = (ip[0] & 15u) * 4, total = load16(ip + IPV4_TOTAL_LENGTH);
    uint32_t source = qgm->ports[in_port].address;
    if (!source || is_icmp_error(ip, header, total) || (load16(ip + IPV4_FRAGMENT) & IPV4_OFFSET_MASK))
        return;
    uint32_t quoted = total < ERROR_SIZE_MAX - IPV4_HEADER - ICMP_HEADER ? total : ERROR_SIZE_MAX - IPV4_HEADER - ICMP_HEADER;
    uint32_t length = IPV4_HEADER + ICMP_HEADER + quoted;
    uint8_t *bytes = (uint8_t *)buffer_take(qgm) + LINK_HEADER;
    uint8_t *out = bytes + ETHERNET_HEADER, *icmp = out + IPV4_HEADER;
    __builtin_memset(bytes, 0, ETHERNET_HEADER + IPV4_HEADER + ICMP_HEADER);
    store16(bytes + ETHERNET_TYPE, ETHERTYPE_IPV4);
    out[0] = 0x45;
    out[1] = 0xc0; /* precedence internetwork control: RFC 1812 4.3.2.5 */
    store16(out + IPV4_TOTAL_LENGTH, (uint16_t)length);
    out[IPV4_TTL] = DEFAULT_TTL;
    out[IPV4_PROTOCOL] = PROTOCOL_ICMP;
    store32(out + IPV4_SOURCE, source);
    __builtin_memcpy(out + IPV4_DESTINATION, ip + IPV4_SOURCE, 4);
    store_checksum(out + IPV4_CHECKSUM, out, IPV4_HEADER);
    icmp[0] = type;
    icmp[1] = code;
    store16(icmp + 6, mtu);
    __builtin_memcpy(icmp + ICMP_HEADER, ip, quoted);
    store_checksum(icmp + ICMP_CHECKSUM, icmp, ICMP_HEADER + quoted);
    CORE_WORD(qgm->core, originated)++;
    uint32_t size = ETHERNET_HEADER + length;
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
    store_checksum(icmp + ICMP_CHECKSUM, icmp, total - header);
    __builtin_memcpy(source, ip + IPV4_SOURCE, 4);
    __builtin_memcpy(ip + IPV4_SOURCE, ip + IPV4_DESTINATION, 4);
    __builtin_memcpy(ip + IPV4_DESTINATION, source, 4);
    ip[IPV4_TTL] = DEFAULT_TTL;
    store_checksum(ip + IPV4_CHECKSUM, ip, header);
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
