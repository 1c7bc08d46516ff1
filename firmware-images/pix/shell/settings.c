/* `set` and `settings`. */
#include "settings.h"

#include "command.h"
#include "console.h"
#include "control.h"
#include "parse.h"
#include "string.h"

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
