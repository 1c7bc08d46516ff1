/* Why frames are dropped. D(name): a counter of each port and QGM; the text of the name is what `counters` prints. */
#ifndef PIX_DROPS_H
#define PIX_DROPS_H

#define DROP_REASON_LIST(D)                                                                       \
    D(runt)                    /* too short for its headers */                                    \
    D(not_for_us)              /* unicast to another MAC address */                               \
    D(link_broadcast)          /* IPv4 in a link-layer broadcast or multicast: RFC 1812 5.3.4 */  \
    D(ethertype)               /* neither IPv4 nor ARP */                                         \
    D(ip_version)              /* RFC 1812 5.2.2 (3) */                                           \
    D(ip_header_length)        /* RFC 1812 5.2.2 (4) */                                           \
    D(ip_total_length)         /* RFC 1812 5.2.2 (1), (5) */                                      \
    D(ip_checksum)             /* RFC 1812 5.2.2 (2) */                                           \
    D(ip_options)              /* that cannot be told apart */                                    \
    D(ip_source_route)         /* RFC 7126 4.3 */                                                 \
    D(martian_source)          /* RFC 1812 5.3.7, 4.2.2.11 */                                     \
    D(martian_destination)     /* 0/8, 127/8, 240/4: RFC 1812 5.3.7 */                            \
    D(multicast)               /* 224/4: no multicast forwarding */                               \
    D(broadcast)               /* to a broadcast address of one of our networks */                \
    D(ttl_expired)                                                                                \
    D(no_route)                                                                                   \
    D(mtu_exceeded)            /* longer than the MTU of the way out, not to be fragmented */     \
    D(port_down)               /* the way out has no started port */                              \
    D(neighbour_unresolved)    /* more frames than are held wait for the neighbour */             \
    D(neighbour_unreachable)   /* the neighbour did not answer */                                 \
    D(neighbour_table_full)                                                                       \
    D(arp_invalid)                                                                                \
    D(arp_conflict)            /* somebody else claims our address: RFC 5227 2.4 */               \
    D(arp_not_for_us)                                                                             \
    D(local_unsupported)       /* to an own address, but no ICMP echo request */                  \
    D(icmp_invalid)                                                                               \
    D(icmp_unroutable)         /* an ICMP message of ours that has no way */                      \
    D(ring_full)               /* no room in the ring to the QGM that has the way out */          \
    D(tx_queue_full)           /* counted at the port that it should have left by */              \
    D(stopped)                 /* held, or in a ring, when `stop` came */

#define DROP_ENUM(name) DROP_##name,
enum drop_reason { DROP_REASON_LIST(DROP_ENUM) DROP_REASONS, DROP_NONE = DROP_REASONS };

#endif
