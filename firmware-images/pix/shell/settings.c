/* `set` and `settings`. */
#include "settings.h"

#include "command.h"
#include "console.h"
#include "control.h"
#include "parse.h"
#include "string.h"

#define MTU_MIN 68 /* RFC 791, 3.2 */

struct settings settings = {.ring_length = 256, .batch = BATCH_MAX};

static const struct {
    const char *name;
    uint32_t *value;
    uint32_t min, max;
    bool power_of_two;
    bool while_stopped; /* takes effect at the next start only */
} known[] = {
    {"ring_length", &settings.ring_length, 2, RING_LENGTH_MAX, true, true},
    {"batch", &settings.batch, 1, BATCH_MAX, false, true},
#define TUNING_ROW(name, value, least, most, what) {#name, &control.tuning.name, least, most, false, false},
    TUNING_LIST(TUNING_ROW)
};

#define SETTINGS (sizeof(known) / sizeof(known[0]))

void command_settings(const struct arguments *arguments)
{
    for (unsigned i = 0; i < SETTINGS; i++)
        print(arguments->json ? "{\"name\":\"%s\",\"value\":%u}\n" : "%s %u\n", known[i].name, *known[i].value);
}

void command_set(const struct arguments *arguments)
{
    const char *name = arguments->word[0];
    uint32_t value;
    unsigned i = 0;
    while (i < SETTINGS && strcmp(known[i].name, name))
        i++;
    if (i == SETTINGS)
        print("error: no setting %s: settings lists them\n", name);
    else if (!parse_number(arguments->word[1], known[i].max, &value) || value < known[i].min)
        print("error: %s is %u to %u, not %s\n", name, known[i].min, known[i].max, arguments->word[1]);
    else if (known[i].power_of_two && (value & (value - 1)))
        print("error: %s is a power of two, not %u\n", name, value);
    else if (known[i].while_stopped && control.started)
        print("error: %s is set before the start: stop first\n", name);
    else {
        *known[i].value = value;
        command_done(0);
    }
}

void command_set_mtu(const struct arguments *arguments)
{
    unsigned port, mtu;
    if (!command_port(arguments->word[0], &port))
        return;
    if (!parse_number(arguments->word[1], control.nets[port].mtu, &mtu) || mtu < MTU_MIN)
        print("error: the MTU of port %u is %u to %u, not %s\n", port, MTU_MIN, control.nets[port].mtu, arguments->word[1]);
    else {
        control.ports[port].mtu = (uint16_t)mtu;
        command_done(0);
    }
}
