/* Which QGM has which queue pair: `qgm`, `qgm add`, `qgm del`. */
#include "command.h"

#include "boot_info.h"
#include "console.h"
#include "control.h"
#include "parse.h"

/* PORT or PORT/QUEUE; prints an error line and returns false if there is no such queue pair. */
static bool parse_pair(char *word, uint32_t *port, uint32_t *queue)
{
    char *slash = word;
    *queue = 0;
    while (*slash && *slash != '/')
        slash++;
    bool has_queue = *slash;
    *slash = 0;
    if (!command_port(word, port))
        return false;
    uint32_t count = control.nets[*port].queue_pairs;
    if (count > MAX_PORT_QUEUES)
        count = MAX_PORT_QUEUES;
    if (has_queue && !parse_number(slash + 1, count - 1, queue)) {
        print("error: no queue %s of port %u: it has %u\n", slash + 1, *port, count);
        return false;
    }
    return true;
}

/* Whether queue pairs may be given and taken now; prints an error line if not. */
static bool is_stopped(void)
{
    if (control.started)
        print("error: queue pairs are given to QGMs before the start: stop first\n");
    return !control.started;
}

void command_qgm(const struct arguments *arguments)
{
    for (uint32_t port = 0; port < control.port_count; port++)
        for (uint32_t queue = 0; queue < MAX_PORT_QUEUES; queue++) {
            uint32_t core = control.owners[port][queue];
            if (core)
                print(arguments->json ? "{\"qgm\":%u,\"core\":%u,\"port\":%u,\"queue\":%u,\"running\":%s}\n"
                                      : "QGM %u: core %u, port %u, queue %u, running: %s\n",
                      core, core, port, queue, control_qgm_runs(core) ? "true" : "false");
        }
}

void command_qgm_add(const struct arguments *arguments)
{
    uint32_t core, port, queue;
    uint32_t last = boot_info.core_count - 1 < MAX_EXCLUSIVE_CORES ? boot_info.core_count - 1 : MAX_EXCLUSIVE_CORES;
    if (!is_stopped())
        return;
    if (!parse_number(arguments->word[0], last, &core) || core == 0) {
        print("error: no exclusive core %s: there are %s%u\n", arguments->word[0], last ? "1 to " : "", last);
        return;
    }
    if (!parse_pair(arguments->word[1], &port, &queue))
        return;
    if (control.owners[port][queue]) {
        print("error: queue %u of port %u has QGM %u already: qgm del %u/%u takes it away\n", queue, port,
              control.owners[port][queue], port, queue);
        return;
    }
    control.owners[port][queue] = (uint8_t)core;
    command_done(0);
}

void command_qgm_del(const struct arguments *arguments)
{
    uint32_t port, queue;
    if (!is_stopped() || !parse_pair(arguments->word[0], &port, &queue))
        return;
    if (!control.owners[port][queue]) {
        print("error: queue %u of port %u has no QGM\n", queue, port);
        return;
    }
    control.owners[port][queue] = 0;
    command_done(0);
}
