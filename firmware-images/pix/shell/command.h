/* The shell's commands. Each prints its answer, or one line that begins with `error: `. */
#ifndef PIX_COMMAND_H
#define PIX_COMMAND_H

#include <stdbool.h>

struct arguments {
    unsigned count; /* words behind the command's own */
    char **word;
    bool json;      /* the last word was `json`; it is not counted */
};

/* Prints `ok`, or the reason as an error line. */
void command_done(const char *wrong);
/* Takes a port's number from a word; prints an error line and returns false if there is no such port. */
bool command_port(const char *word, unsigned *port);

/* shell/show.c */
void command_version(const struct arguments *arguments);
void command_cores(const struct arguments *arguments);
void command_ports(const struct arguments *arguments);
void command_counters(const struct arguments *arguments);
void command_tally(const struct arguments *arguments);
void command_counters_clear(const struct arguments *arguments);

/* shell/assign.c */
void command_qgm(const struct arguments *arguments);
void command_qgm_add(const struct arguments *arguments);
void command_qgm_del(const struct arguments *arguments);

/* shell/settings.c */
void command_settings(const struct arguments *arguments);
void command_set(const struct arguments *arguments);
void command_set_mtu(const struct arguments *arguments);

/* shell/bench.c */
void command_bench_ring(const struct arguments *arguments);
void command_bench_matrix(const struct arguments *arguments);
void command_bench_forward(const struct arguments *arguments);
void command_bench_tx(const struct arguments *arguments);
void command_bench_memory(const struct arguments *arguments);

/* shell/network.c */
void command_addr(const struct arguments *arguments);
void command_addr_add(const struct arguments *arguments);
void command_addr_del(const struct arguments *arguments);
void command_neigh(const struct arguments *arguments);
void command_neigh_add(const struct arguments *arguments);
void command_neigh_flush(const struct arguments *arguments);

/* shell/route_commands.c */
void command_route(const struct arguments *arguments);
void command_route_add(const struct arguments *arguments);
void command_route_del(const struct arguments *arguments);
void command_route_clear(const struct arguments *arguments);
void command_route_count(const struct arguments *arguments);
void command_route_lookup(const struct arguments *arguments);
void command_route_file(const struct arguments *arguments);
void command_route_load(const struct arguments *arguments);
void command_route_churn(const struct arguments *arguments);

#endif
