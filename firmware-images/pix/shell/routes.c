#include "control.h"

#include "string.h"

static bool same_hop(const struct next_hop *a, const struct next_hop *b)
{
    return a->kind == b->kind && a->port == b->port && a->gateway == b->gateway;
}

/* The number of a next hop like this one, new or shared; 0 with `wrong` set if it cannot be had. */
static uint16_t take_hop(struct next_hop hop, const char **wrong)
{
    uint16_t free = 0;
    for (uint16_t i = 1; i < NEXT_HOPS; i++) {
        if (control.hop_users[i] && same_hop(&control.hops[i], &hop)) {
            control.hop_users[i]++;
            return i;
        }
        if (!control.hop_users[i] && !free)
            free = i;
    }
    if (!free) {
        *wrong = "all next hops are in use";
        return 0;
    }
    if (hop.kind == HOP_GATEWAY) {
        struct message message = {.kind = MESSAGE_TRACK, .port = hop.port, .address = hop.gateway};
        *wrong = control_request_keeper(&message);
        if (!*wrong && message.result < 0)
            *wrong = "the port's neighbour table has no room for the gateway";
        if (*wrong)
            return 0;
        hop.neighbour = (uint16_t)message.result;
    }
    control.hops[free] = hop;
    control.hop_users[free] = 1;
    return free;
}

/* After the FIB no longer leads to it. The number is used again only when no reader can still have it. */
static void leave_hop(uint16_t number)
{
    const struct next_hop *hop = &control.hops[number];
    if (--control.hop_users[number])
        return;
    control.fib.quiesce();
    if (hop->kind == HOP_GATEWAY) {
        struct message message = {.kind = MESSAGE_UNTRACK, .port = hop->port, .address = hop->gateway};
        control_request_keeper(&message);
    }
}

void routes_init(void)
{
    fib_init(&control.fib);
    rib_init(&control.rib);
    memset(control.hop_users, 0, sizeof(control.hop_users));
}

const char *routes_add(struct route route, struct next_hop hop)
{
    const char *wrong = 0;
    if (rib_find(&control.rib, route.prefix, route.length))
        return "there is a route of this prefix: remove it first";
    route.hop = take_hop(hop, &wrong);
    if (wrong)
        return wrong;
    if (!rib_add(&control.rib, route)) {
        leave_hop(route.hop);
        return "the routing table is full";
    }
    if (fib_add(&control.fib, route.prefix, route.length, route.hop)) {
        rib_remove(&control.rib, rib_find(&control.rib, route.prefix, route.length));
        leave_hop(route.hop);
        return "the forwarding table has no room for another prefix longer than 24 bits";
    }
    return 0;
}

const char *routes_add_static(uint32_t prefix, unsigned length, uint32_t gateway)
{
    if (prefix & ~prefix_mask(length))
        return "the prefix has bits set behind its length";
    for (uint32_t i = 0; i < control.port_count; i++) {
        const struct port *port = &control.ports[i];
        if (!port->address || ((port->address ^ gateway) & port->mask))
            continue;
        if (port->address == gateway)
            return "the gateway is one of our own addresses";
        struct route route = {.prefix = prefix, .length = (uint8_t)length, .kind = ROUTE_STATIC};
        return routes_add(route, (struct next_hop){.kind = HOP_GATEWAY, .port = (uint8_t)i, .gateway = gateway});
    }
    return "the gateway is in no port's network";
}

void routes_remove(struct route *route)
{
    struct route gone = *route;
    const struct route *parent = rib_parent(&control.rib, gone.prefix, gone.length);
    fib_remove(&control.fib, gone.prefix, gone.length, parent ? parent->length : 0, parent ? parent->hop : 0);
    rib_remove(&control.rib, route);
    leave_hop(gone.hop);
}

void routes_remove_of_port(uint32_t port)
{
    for (uint32_t slot = 0; slot < RIB_SLOTS;) {
        struct route *route = &control.rib.slots[slot];
        if (route->kind != ROUTE_NONE && control.hops[route->hop].port == port)
            routes_remove(route); /* another may have moved into this slot */
        else
            slot++;
    }
}
