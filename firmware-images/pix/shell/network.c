/* Commands for addresses and neighbours. */
#include "command.h"

#include "console.h"
#include "control.h"
#include "parse.h"
#include "string.h"

void command_addr(const struct arguments *arguments)
{
    for (unsigned i = 0; i < control.port_count; i++) {
        const struct port *port = &control.ports[i];
        if (port->address)
            print(arguments->json ? "{\"port\":%u,\"address\":\"" ADDRESS "/%u\"}\n" : "port %u: " ADDRESS "/%u\n", i,
                  ADDRESS_WORDS(port->address), port->length);
    }
}

void command_addr_add(const struct arguments *arguments)
{
    unsigned port, length;
    uint32_t address;
    if (!command_port(arguments->word[0], &port))
        return;
    if (!parse_prefix(arguments->word[1], &address, &length))
        print("error: %s is not an address like 10.0.0.1/24\n", arguments->word[1]);
    else
        command_done(control_address_add(port, address, length));
}

void command_addr_del(const struct arguments *arguments)
{
    unsigned port;
    if (command_port(arguments->word[0], &port))
        command_done(control_address_remove(port));
}

static void show_neighbour(unsigned port, const struct neighbour *neighbour, bool json)
{
    static const char *const states[] = {"free", "incomplete", "failed", "reachable", "confirming", "static"};
    uint8_t mac[12];
    neighbour_write_link(neighbour, mac);
    print(json ? "{\"port\":%u,\"address\":\"" ADDRESS "\",\"state\":\"%s\",\"mac\":" : "port %u: " ADDRESS ", %s", port,
          ADDRESS_WORDS(neighbour->address), states[neighbour->state]);
    if (neighbour->state >= NEIGHBOUR_REACHABLE)
        print(json ? "\"%02x:%02x:%02x:%02x:%02x:%02x\"" : ", %02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
              mac[4], mac[5]);
    else
        print(json ? "null" : "");
    print(json ? "}\n" : "\n");
}

void command_neigh(const struct arguments *arguments)
{
    for (unsigned port = 0; port < control.port_count; port++)
        for (unsigned i = 0; i < NEIGHBOURS; i++) {
            const struct neighbour *neighbour = &control.ports[port].neighbours->entry[i];
            if (neighbour->state != NEIGHBOUR_FREE)
                show_neighbour(port, neighbour, arguments->json);
        }
}

void command_neigh_add(const struct arguments *arguments)
{
    struct message message = {.kind = MESSAGE_SET_STATIC};
    if (!command_port(arguments->word[0], &message.port))
        return;
    if (!parse_address(arguments->word[1], &message.address) || ipv4_is_special(message.address))
        print("error: %s is not a host's address like 10.0.0.1\n", arguments->word[1]);
    else if (!parse_mac(arguments->word[2], message.mac) || mac_is_group(message.mac))
        print("error: %s is not a host's address like 52:54:00:00:00:01\n", arguments->word[2]);
    else {
        const char *wrong = control_request_keeper(&message);
        command_done(!wrong && message.result < 0 ? "the port's neighbour table is full" : wrong);
    }
}

void command_neigh_flush(const struct arguments *arguments)
{
    (void)arguments;
    struct message message = {.kind = MESSAGE_FLUSH};
    command_done(control_request_all(&message));
}
