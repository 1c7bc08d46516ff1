/* The shell on the serial port: reads a line, finds the command, runs it. */
#include "command.h"

#include "bench.h"
#include "boot_info.h"
#include "console.h"
#include "control.h"
#include "identity.h"
#include "parse.h"
#include "string.h"
#include "system_call.h"

#define LINE_SIZE 128
#define WORDS_MAX 10
#define LAST_OPTIONAL 16
#define ANY_WORDS 15

char shell_stack[SHELL_STACK_SIZE] __attribute__((aligned(128)));

struct command {
    const char *name, *verb; /* `route`, `add`; a null verb is the command alone */
    const char *usage, *help;
    unsigned words; /* behind name and verb; + LAST_OPTIONAL when the last may be left out; ANY_WORDS: the command counts them */
    bool lists;     /* takes `json` */
    void (*run)(const struct arguments *arguments);
};

static void command_help(const struct arguments *arguments);

static void command_start(const struct arguments *arguments)
{
    (void)arguments;
    command_done(control_start());
}

static void command_stop(const struct arguments *arguments)
{
    (void)arguments;
    command_done(control_stop());
}

static void command_reboot(const struct arguments *arguments)
{
    (void)arguments;
    if (control.started)
        control_stop();
    print("rebooting\n");
    system_call(SYSTEM_CALL_REBOOT, 0, 0, 0, 0);
}

static const struct command commands[] = {
    {"help", 0, "help", "this list", 0, false, command_help},
    {"version", 0, "version [json]", "which image this is and what was booted", 0, true, command_version},
    {"cores", 0, "cores [json]", "processor cores and what they do", 0, true, command_cores},
    {"ports", 0, "ports [json]", "data ports", 0, true, command_ports},
    {"addr", 0, "addr [json]", "addresses of the ports", 0, true, command_addr},
    {"addr", "add", "addr add PORT A.B.C.D/LEN", "give a port its address", 2, false, command_addr_add},
    {"addr", "del", "addr del PORT", "take it away, with the routes by this port", 1, false, command_addr_del},
    {"route", 0, "route [json]", "routes", 0, true, command_route},
    {"route", "add", "route add PREFIX/LEN via A.B.C.D", "add a route", 3, false, command_route_add},
    {"route", "del", "route del PREFIX/LEN", "remove a route", 1, false, command_route_del},
    {"route", "clear", "route clear", "remove all routes but those of the ports' addresses", 0, false, command_route_clear},
    {"route", "count", "route count [json]", "how many there are", 0, true, command_route_count},
    {"route", "lookup", "route lookup A.B.C.D [json]", "where packets to an address go", 1, true, command_route_lookup},
    {"route", "file", "route file [json]", "the route file that came with the boot", 0, true, command_route_file},
    {"route", "load", "route load [COUNT] [json]", "add its first COUNT routes, or all", 1 + LAST_OPTIONAL, true, command_route_load},
    {"route", "churn", "route churn COUNT [json]", "withdraw and announce COUNT of them", 1, true, command_route_churn},
    {"neigh", 0, "neigh [json]", "neighbours", 0, true, command_neigh},
    {"neigh", "add", "neigh add PORT A.B.C.D MAC", "add a static neighbour", 3, false, command_neigh_add},
    {"neigh", "flush", "neigh flush", "forget the dynamic neighbours", 0, false, command_neigh_flush},
    {"counters", 0, "counters [json]", "frames, bytes, drops by reason, cycles", 0, true, command_counters},
    {"counters", "clear", "counters clear", "set them to zero", 0, false, command_counters_clear},
    {"tally", 0, "tally [json]", "of these only frames and what was dropped", 0, true, command_tally},
    {"qgm", 0, "qgm [json]", "which QGM has which queue pairs", 0, true, command_qgm},
    {"qgm", "add", "qgm add CORE PORT[/QUEUE]", "give a queue pair to the QGM of a core", 2, false, command_qgm_add},
    {"qgm", "del", "qgm del PORT[/QUEUE]", "take it away", 1, false, command_qgm_del},
    {"settings", 0, "settings [json]", "what can be set, and to what it is", 0, true, command_settings},
    {"set", 0, "set NAME VALUE", "set it", 2, false, command_set},
    {"set", "mtu", "set mtu PORT BYTES", "longest IPv4 packet by a port", 2, false, command_set_mtu},
    {"start", 0, "start", "start the ports and the QGMs", 0, false, command_start},
    {"stop", 0, "stop", "stop them", 0, false, command_stop},
    {"bench", "ring", "bench ring " BENCH_USAGE, "messages from core 1 to core 2", ANY_WORDS, false, command_bench_ring},
    {"bench", "matrix", "bench matrix " BENCH_USAGE, "messages from each core to every other", ANY_WORDS, false, command_bench_matrix},
    {"bench", "forward", "bench forward " BENCH_USAGE, "routing between synthetic ports", ANY_WORDS, false, command_bench_forward},
    {"bench", "tx", "bench tx " BENCH_USAGE, "a transmit queue to a device on core 2", ANY_WORDS, false, command_bench_tx},
    {"bench", "memory", "bench memory", "latency of memory and of a device register", 0, false, command_bench_memory},
    {"reboot", 0, "reboot", "reset the machine", 0, false, command_reboot},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void command_help(const struct arguments *arguments)
{
    (void)arguments;
    for (unsigned i = 0; i < COMMANDS; i++)
        print("%34s %s\n", commands[i].usage, commands[i].help);
}

void command_done(const char *wrong)
{
    if (wrong)
        print("error: %s\n", wrong);
    else
        print("ok\n");
}

bool command_port(const char *word, unsigned *port)
{
    if (control.port_count && parse_number(word, control.port_count - 1, port))
        return true;
    if (control.port_count)
        print("error: no port %s: there are 0 to %u\n", word, control.port_count - 1);
    else
        print("error: no port %s: there are none\n", word);
    return false;
}

/* The command that these words mean: the one with the verb, if there is one with this verb. */
static const struct command *find(char **words, unsigned count)
{
    const struct command *found = 0;
    for (unsigned i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, words[0]))
            continue;
        if (!commands[i].verb)
            found = &commands[i];
        else if (count > 1 && !strcmp(commands[i].verb, words[1]))
            return &commands[i];
    }
    return found;
}

/* Every form of the command in one line. */
static void print_usage(const char *name)
{
    const char *separator = "usage: ";
    for (unsigned i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i].name, name)) {
            print("%s%s", separator, commands[i].usage);
            separator = " | ";
        }
    print("\n");
}

static void execute(char *line)
{
    char *words[WORDS_MAX];
    unsigned count = parse_words(line, words, WORDS_MAX);
    if (!count)
        return;
    const struct command *command = find(words, count);
    if (!command) {
        print("error: unknown command %s: help lists them\n", words[0]);
        return;
    }
    unsigned own = command->verb ? 2 : 1;
    struct arguments arguments = {.count = count - own, .word = words + own};
    if (command->lists && arguments.count && !strcmp(words[count - 1], "json")) {
        arguments.json = true;
        arguments.count--;
    }
    unsigned most = command->words % LAST_OPTIONAL, least = command->words < LAST_OPTIONAL ? most : most - 1;
    if (command->words != ANY_WORDS && (arguments.count < least || arguments.count > most)) {
        print_usage(command->name);
        return;
    }
    command->run(&arguments);
}

void shell_main(void)
{
    static bool initialized; /* the kernel starts the shell again after a fault */
    char line[LINE_SIZE];
    if (!initialized) {
        initialized = true;
        print("\n" PIX_NAME " " PIX_VERSION ", build " PIX_BUILD_ID "\n");
        control_init();
        print("%u cores, %u ports\n" PIX_READY_TEXT "\n", boot_info.core_count, control.port_count);
    }
    for (;;) {
        print(PIX_PROMPT);
        read_line(line, sizeof(line));
        execute(line);
    }
}
