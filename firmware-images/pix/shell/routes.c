#include "control.h"

#include "hops.h"

void routes_init(void)
{
    fib_init(&control.fib);
    rib_init(&control.rib);
    hops_init();
}

const char *routes_add(struct route route, struct next_hop hop)
{
    const char *wrong = 0;
    if (rib_find(&control.rib, route.prefix, route.length))
        return "there is a route of this prefix: remove it first";
    route.hop = hop_take(hop, &wrong);
    if (wrong)
        return wrong;
    if (!rib_add(&control.rib, route)) {
        hop_leave(route.hop);
        return "the routing table is full";
    }
    if (fib_add(&control.fib, route.prefix, route.length, route.hop)) {
        rib_remove(&control.rib, rib_find(&control.rib, route.prefix, route.length));
        hop_leave(route.hop);
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
    hop_leave(gone.hop);
}

/* Removes the routes that a question is answered with yes for. */
static void remove_where(bool (*goes)(const struct route *route, uint32_t argument), uint32_t argument)
{
    for (uint32_t slot = 0; slot < RIB_SLOTS;) {
        struct route *route = &control.rib.slots[slot];
        if (route->kind != ROUTE_NONE && goes(route, argument))
            routes_remove(route); /* another may have moved into this slot */
        else
            slot++;
    }
}

static bool is_by_port(const struct route *route, uint32_t port)
{
    return control.hops[route->hop].port == port;
}

static bool is_of_kind(const struct route *route, uint32_t kind)
{
    return route->kind == kind;
}

void routes_remove_of_port(uint32_t port)
{
    remove_where(is_by_port, port);
}

void routes_remove_static(void)
{
    remove_where(is_of_kind, ROUTE_STATIC);
}
