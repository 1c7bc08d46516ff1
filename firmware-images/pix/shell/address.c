/* The ports' own addresses and the routes that come with them. */
#include "control.h"

const char *control_address_remove(uint32_t number)
{
    struct port *port = &control.ports[number];
    if (!port->address)
        return "the port has no address";
    port->address = port->mask = port->length = 0;
    own_set(&control.own, control.ports, control.port_count);
    routes_remove_of_port(number);
    return 0;
}

static const char *add_own_routes(uint32_t number, uint32_t address, unsigned length)
{
    uint32_t mask = prefix_mask(length);
    uint8_t port = (uint8_t)number;
    struct route network = {.prefix = address & mask, .length = (uint8_t)length, .kind = ROUTE_CONNECTED};
    struct route own = {.prefix = address, .length = 32, .kind = ROUTE_LOCAL};
    const char *wrong = 0;
    if (length < 32)
        wrong = routes_add(network, (struct next_hop){.kind = HOP_CONNECTED, .port = port});
    if (!wrong && length < 31) { /* RFC 3021: a /31 has no broadcast addresses */
        struct route low = {.prefix = address & mask, .length = 32, .kind = ROUTE_BROADCAST};
        struct route high = {.prefix = address | ~mask, .length = 32, .kind = ROUTE_BROADCAST};
        wrong = routes_add(low, (struct next_hop){.kind = HOP_BROADCAST, .port = port});
        if (!wrong)
            wrong = routes_add(high, (struct next_hop){.kind = HOP_BROADCAST, .port = port});
    }
    return wrong ? wrong : routes_add(own, (struct next_hop){.kind = HOP_LOCAL, .port = port});
}

const char *control_address_add(uint32_t number, uint32_t address, unsigned length)
{
    struct port *port = &control.ports[number];
    uint32_t mask = prefix_mask(length);
    if (port->address)
        return "the port has an address: remove it first";
    if (length < 8 || ipv4_is_special(address) || (length < 31 && (address == (address & mask) || address == (address | ~mask))))
        return "this is no host's address in a network of 8 to 32 bits";
    for (uint32_t i = 0; i < control.port_count; i++) {
        uint32_t common = mask & control.ports[i].mask;
        if (control.ports[i].address && ((control.ports[i].address ^ address) & common) == 0)
            return "the network overlaps with that of another port";
    }
    const char *wrong = add_own_routes(number, address, length);
    if (wrong) {
        routes_remove_of_port(number);
        return wrong;
    }
    port->mask = mask;
    port->length = (uint8_t)length;
    __atomic_store_n(&port->address, address, __ATOMIC_RELEASE);
    own_set(&control.own, control.ports, control.port_count);
    struct message message = {.kind = MESSAGE_ANNOUNCE, .port = number};
    return control.started ? control_request_keeper(&message) : 0;
}
