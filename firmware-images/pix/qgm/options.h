/*
 * Options of an IPv4 header (RFC 791 3.1). The router acts on none of them: source routes are refused (RFC 7126 4.3),
 * headers whose options cannot be told apart are refused, all else is passed on unread, as RFC 7126 allows.
 */
#ifndef PIX_OPTIONS_H
#define PIX_OPTIONS_H

#include "frame.h"

/*
 * Why a packet with these options must not be passed on: DROP_ip_options (then *at is the offset in the header of the byte
 * that is wrong), DROP_ip_source_route, or DROP_NONE. The header has been checked by ipv4_check.
 */
enum drop_reason options_check(const uint8_t *ip, uint8_t *at);

/*
 * The options that every fragment has to bear (RFC 791: those whose first bit is set), padded to a multiple of four bytes,
 * into `to`, which takes 40. The options have been checked. Returns how many bytes they take.
 */
uint32_t options_for_fragments(const uint8_t *ip, uint8_t *to);

#endif
