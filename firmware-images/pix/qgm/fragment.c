#include "fragment.h"

#include "buffers.h"
#include "engine.h"
#include "options.h"

#define OPTIONS_MAX 40
#define OFFSET_UNIT 8

/* Sends size bytes of payload behind this header. `fragment` is the field of that name, in host byte order. */
static void send_piece(struct qgm *qgm, uint32_t in_port, uint32_t hop, const uint8_t *header, uint32_t header_size,
                       const uint8_t *payload, uint32_t size, uint16_t fragment)
{
    uint8_t *bytes = (uint8_t *)buffer_take(qgm) + LINK_HEADER;
    uint8_t *ip = bytes + ETHERNET_HEADER;
    uint32_t frame_size = ETHERNET_HEADER + header_size + size;
    __builtin_memset(bytes, 0, ETHERNET_MIN); /* what a short one is padded with */
    store16(bytes + ETHERNET_TYPE, ETHERTYPE_IPV4);
    __builtin_memcpy(ip, header, header_size);
    __builtin_memcpy(ip + header_size, payload, size);
    ip[0] = (uint8_t)(0x40 | header_size / 4);
    store16(ip + IPV4_TOTAL_LENGTH, (uint16_t)(header_size + size));
    store16(ip + IPV4_FRAGMENT, fragment);
    checksum_store(ip + IPV4_CHECKSUM, ip, header_size);
    CORE_WORD(qgm->core, originated)++;
    engine_send(qgm, in_port, hop, (struct frame){bytes, frame_size < ETHERNET_MIN ? ETHERNET_MIN : frame_size});
}

void fragment_send(struct qgm *qgm, uint32_t in_port, uint32_t hop, uint32_t mtu, struct frame frame)
{
    const uint8_t *ip = frame.bytes + ETHERNET_HEADER;
    uint32_t first_header = (ip[0] & 15u) * 4, header_size = first_header;
    const uint8_t *payload = ip + first_header;
    uint32_t left = load16(ip + IPV4_TOTAL_LENGTH) - first_header;
    uint16_t field = load16(ip + IPV4_FRAGMENT);
    uint8_t header[IPV4_HEADER + OPTIONS_MAX];
    __builtin_memcpy(header, ip, first_header);
    while (left) {
        uint32_t room = (mtu - header_size) / OFFSET_UNIT * OFFSET_UNIT;
        bool is_last = left <= mtu - header_size;
        uint32_t size = is_last ? left : room;
        send_piece(qgm, in_port, hop, header, header_size, payload, size, is_last ? field : field | IPV4_MORE_FRAGMENTS);
        if (payload == ip + first_header)
            header_size = IPV4_HEADER + options_for_fragments(ip, header + IPV4_HEADER);
        payload += size;
        left -= size;
        field = (uint16_t)(field + size / OFFSET_UNIT);
    }
    CORE_WORD(qgm->core, consumed)++;
    buffer_free(qgm, (uint64_t)(frame.bytes - LINK_HEADER));
}
