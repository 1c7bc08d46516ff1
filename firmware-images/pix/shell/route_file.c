#include "route_file.h"

#include "boot_info.h"
#include "control.h"
#include "parse.h"
#include "sha256.h"
#include "string.h"

#define LINE_SIZE 96
#define ROUTE_WORDS 3

struct line_route {
    uint32_t prefix, gateway;
    unsigned length;
};

/* A place in the file: what comes next, and the number of the line before it. */
struct cursor {
    const char *at;
    uint32_t line;
};

static uint32_t loaded;       /* routes at the beginning of the file that the last load added */
static uint32_t churned;      /* of these, how many the churns since have passed; begins again at loaded */
static struct cursor churner; /* the place behind them */

enum found { FOUND_ROUTE, FOUND_END, FOUND_WRONG };

static const char *file_start(void)
{
    return (const char *)boot_info.route_file_address;
}

static const char *file_end(void)
{
    return file_start() + boot_info.route_file_size;
}

bool route_file_present(void)
{
    return boot_info.route_file_size != 0;
}

uint32_t route_file_lines(void)
{
    static uint32_t lines;
    if (lines || !route_file_present())
        return lines;
    for (const char *at = file_start(); at < file_end(); at++)
        lines += *at == '\n';
    lines += file_end()[-1] != '\n';
    return lines;
}

const char *route_file_sha256(void)
{
    static char digest[65];
    if (!digest[0])
        sha256_hex((const uint8_t *)file_start(), boot_info.route_file_size, digest);
    return digest;
}

/* Copies the next line up to a comment into text, as a string. Returns false if it has no room there. */
static bool take_line(struct cursor *cursor, char text[LINE_SIZE])
{
    unsigned used = 0;
    bool in_comment = false, fits = true;
    cursor->line++;
    while (cursor->at < file_end()) {
        char c = *cursor->at++;
        if (c == '\n')
            break;
        in_comment |= c == '#';
        if (in_comment || c == '\r')
            continue;
        if (used + 1 < LINE_SIZE)
            text[used++] = c == '\t' ? ' ' : c ? c : '?'; /* a zero byte would hide what follows it */
        else
            fits = false;
    }
    text[used] = 0;
    return fits;
}

/* The next route; passes over lines without one. `wrong` is null when there is one, or none is left. */
static enum found take_route(struct cursor *cursor, struct line_route *route, const char **wrong)
{
    char text[LINE_SIZE], *word[ROUTE_WORDS + 1];
    unsigned count = 0;
    *wrong = "this is no route like 10.1.0.0/16 via 10.0.0.2";
    while (!count) {
        if (cursor->at >= file_end()) {
            *wrong = 0;
            return FOUND_END;
        }
        if (!take_line(cursor, text))
            return FOUND_WRONG;
        count = parse_words(text, word, ROUTE_WORDS + 1);
    }
    if (count != ROUTE_WORDS || strcmp(word[1], "via") || !parse_prefix(word[0], &route->prefix, &route->length) ||
        !parse_address(word[2], &route->gateway))
        return FOUND_WRONG;
    *wrong = 0;
    return FOUND_ROUTE;
}

static void remove_first(uint32_t count)
{
    struct cursor cursor = {.at = file_start()};
    struct line_route route;
    const char *wrong;
    while (count-- && take_route(&cursor, &route, &wrong) == FOUND_ROUTE)
        routes_remove(rib_find(&control.rib, route.prefix, route.length));
}

struct route_file_result route_file_load(uint32_t count)
{
    struct route_file_result result = {0};
    struct cursor cursor = {.at = file_start()};
    while (result.routes < count) {
        struct line_route route;
        enum found found = take_route(&cursor, &route, &result.wrong);
        if (found == FOUND_END)
            break;
        if (found == FOUND_ROUTE)
            result.wrong = routes_add_static(route.prefix, route.length, route.gateway);
        if (result.wrong) {
            remove_first(result.routes);
            return (struct route_file_result){.wrong = result.wrong, .line = cursor.line};
        }
        result.routes++;
    }
    loaded = result.routes;
    churned = 0;
    return result;
}

static const char *withdraw_and_announce(const struct line_route *line)
{
    struct route *route = rib_find(&control.rib, line->prefix, line->length);
    if (!route || route->kind != ROUTE_STATIC)
        return "this route is not in the table: load the file first";
    routes_remove(route);
    return routes_add_static(line->prefix, line->length, line->gateway);
}

struct route_file_result route_file_churn(uint32_t count)
{
    struct route_file_result result = {0};
    if (!loaded)
        result.wrong = "no route of the file is in the table: load it first";
    for (; !result.wrong && result.routes < count; result.routes++) {
        struct line_route route;
        if (churned == 0 || churned >= loaded) {
            churner = (struct cursor){.at = file_start()};
            churned = 0;
        }
        if (take_route(&churner, &route, &result.wrong) == FOUND_ROUTE)
            result.wrong = withdraw_and_announce(&route);
        churned = result.wrong ? 0 : churned + 1;
        result.line = result.wrong ? churner.line : 0;
    }
    return result;
}
