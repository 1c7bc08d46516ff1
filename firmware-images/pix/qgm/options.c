#include "options.h"

#define OPTION_END 0
#define OPTION_NOP 1
#define OPTION_LOOSE_SOURCE_ROUTE 131
#define OPTION_STRICT_SOURCE_ROUTE 137
#define OPTION_COPIED 0x80

/* Bytes of the option that begins at this offset, 0 if it does not say or does not fit. */
static uint32_t option_size(const uint8_t *ip, uint32_t at, uint32_t header)
{
    if (ip[at] == OPTION_NOP)
        return 1;
    if (at + 1 >= header || ip[at + 1] < 2 || at + ip[at + 1] > header)
        return 0;
    return ip[at + 1];
}

enum drop_reason options_check(const uint8_t *ip, uint8_t *at)
{
    uint32_t header = (ip[0] & 15u) * 4, size;
    for (uint32_t i = IPV4_HEADER; i < header && ip[i] != OPTION_END; i += size) {
        size = option_size(ip, i, header);
        if (!size) {
            *at = (uint8_t)(i + 1 < header ? i + 1 : i);
            return DROP_ip_options;
        }
        if (ip[i] == OPTION_LOOSE_SOURCE_ROUTE || ip[i] == OPTION_STRICT_SOURCE_ROUTE)
            return DROP_ip_source_route;
    }
    return DROP_NONE;
}

uint32_t options_for_fragments(const uint8_t *ip, uint8_t *to)
{
    uint32_t header = (ip[0] & 15u) * 4, size, copied = 0;
    for (uint32_t i = IPV4_HEADER; i < header && ip[i] != OPTION_END; i += size) {
        size = option_size(ip, i, header);
        if (!(ip[i] & OPTION_COPIED))
            continue;
        __builtin_memcpy(to + copied, ip + i, size);
        copied += size;
    }
    while (copied % 4)
        to[copied++] = OPTION_END;
    return copied;
}
