/* Commands for routes. */
#include "command.h"

#include "boot_info.h"
#include "console.h"
#include "control.h"
#include "parse.h"
#include "route_file.h"
#include "string.h"

static void show_route(const struct route *route, bool json)
{
    static const char *const kinds[] = {"", "connected", "local", "broadcast", "static"};
    const struct next_hop *hop = &control.hops[route->hop];
    print(json ? "{\"prefix\":\"" ADDRESS "/%u\",\"kind\":\"%s\",\"port\":%u,\"via\":" : ADDRESS "/%u: %s, port %u",
          ADDRESS_WORDS(route->prefix), route->length, kinds[route->kind], hop->port);
    if (hop->kind == HOP_GATEWAY)
        print(json ? "\"" ADDRESS "\"" : ", via " ADDRESS, ADDRESS_WORDS(hop->gateway));
    else
        print(json ? "null" : "");
    print(json ? "}\n" : "\n");
}

void command_route(const struct arguments *arguments)
{
    for (uint32_t slot = 0; slot < RIB_SLOTS; slot++)
        if (control.rib.slots[slot].kind != ROUTE_NONE)
            show_route(&control.rib.slots[slot], arguments->json);
}

void command_route_add(const struct arguments *arguments)
{
    uint32_t prefix, gateway;
    unsigned length;
    if (strcmp(arguments->word[1], "via"))
        print("usage: route add PREFIX/LEN via A.B.C.D\n");
    else if (!parse_prefix(arguments->word[0], &prefix, &length))
        print("error: %s is not a prefix like 10.1.0.0/16\n", arguments->word[0]);
    else if (!parse_address(arguments->word[2], &gateway))
        print("error: %s is not an address like 10.0.0.1\n", arguments->word[2]);
    else
        command_done(routes_add_static(prefix, length, gateway));
}

void command_route_del(const struct arguments *arguments)
{
    uint32_t prefix;
    unsigned length;
    if (!parse_prefix(arguments->word[0], &prefix, &length)) {
        print("error: %s is not a prefix like 10.1.0.0/16\n", arguments->word[0]);
        return;
    }
    struct route *route = rib_find(&control.rib, prefix, length);
    if (!route)
        print("error: there is no route %s\n", arguments->word[0]);
    else if (route->kind != ROUTE_STATIC)
        print("error: %s comes with a port's address: addr del removes it\n", arguments->word[0]);
    else {
        routes_remove(route);
        command_done(0);
    }
}

void command_route_clear(const struct arguments *arguments)
{
    (void)arguments;
    routes_remove_static();
    command_done(0);
}

void command_route_count(const struct arguments *arguments)
{
    print(arguments->json ? "{\"routes\":%u,\"capacity\":%u}\n" : "%u routes, room for %u\n", control.rib.count, RIB_ROUTES);
}

/* The way is the one that the FIB has, which packets take; the prefix is the RIB's. */
void command_route_lookup(const struct arguments *arguments)
{
    uint32_t address;
    if (!parse_address(arguments->word[0], &address)) {
        print("error: %s is not an address like 10.0.0.1\n", arguments->word[0]);
        return;
    }
    const struct route *route = rib_match(&control.rib, address);
    uint16_t hop = fib_lookup(&control.fib, address);
    if ((route ? route->hop : 0) != hop)
        print("error: the tables do not agree on %s: next hop %u in the FIB, %u in the RIB\n", arguments->word[0], hop,
              route ? route->hop : 0);
    else if (route)
        show_route(route, arguments->json);
    else
        print("error: there is no route to %s\n", arguments->word[0]);
}

static bool require_file(void)
{
    if (route_file_present())
        return true;
    if (boot_info.route_file_status == ROUTE_FILE_NO_PXE)
        print("error: there is no route file: the image was not started by a PXE boot ROM that gives files\n");
    else
        print("error: there is no route file: the boot service has none beside the image (PXE status 0x%x)\n",
              boot_info.route_file_status);
    return false;
}

void command_route_file(const struct arguments *arguments)
{
    if (require_file())
        print(arguments->json ? "{\"size_bytes\":%u,\"lines\":%u,\"sha256\":\"%s\"}\n" : "%u bytes, %u lines\nsha256 %s\n",
              boot_info.route_file_size, route_file_lines(), route_file_sha256());
}

static void report(struct route_file_result result, bool json)
{
    if (result.wrong && result.line)
        print("error: route file line %u: %s\n", result.line, result.wrong);
    else if (result.wrong)
        print("error: route file: %s\n", result.wrong);
    else if (json)
        print("{\"routes\":%u}\n", result.routes);
    else
        command_done(0);
}

void command_route_load(const struct arguments *arguments)
{
    uint32_t count = RIB_ROUTES + 1; /* more than there is room for, so that a longer file is an error */
    if (!require_file())
        return;
    if (arguments->count && !parse_number(arguments->word[0], RIB_ROUTES, &count))
        print("error: %s is not a number of routes up to %u\n", arguments->word[0], RIB_ROUTES);
    else
        report(route_file_load(count), arguments->json);
}

void command_route_churn(const struct arguments *arguments)
{
    uint32_t count;
    if (!require_file())
        return;
    if (!parse_number(arguments->word[0], RIB_ROUTES, &count))
        print("error: %s is not a number of routes up to %u\n", arguments->word[0], RIB_ROUTES);
    else
        report(route_file_churn(count), arguments->json);
}
