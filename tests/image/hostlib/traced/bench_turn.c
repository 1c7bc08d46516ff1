/* A turn is a function of forward.c's own: only here it can be called. */
#include "forward.c"

#include "bench_turn.h"
#include "trace.h"

#define LINE 64

/* What a core has to itself. */
static bool is_private(uintptr_t at, const struct bench_core *me)
{
    uint32_t unused, length = me->window->request.length, pool = 3 * length + 2 * BATCH_MAX;
    return trace_lies_in(at, me, sizeof(*me), 1, &unused) || trace_lies_in(at, me->rx, length * sizeof(*me->rx), 1, &unused) ||
           trace_lies_in(at, me->tx, length * sizeof(*me->tx), 1, &unused) ||
           trace_lies_in(at, me->pool, pool * sizeof(*me->pool), 1, &unused);
}

/* What nobody writes while a window runs. */
static bool is_constant(uintptr_t at, const struct bench_window *window)
{
    uint32_t unused;
    return trace_lies_in(at, window, offsetof(struct bench_window, core), 1, &unused) ||
           trace_lies_in(at, window->platform, sizeof(*window->platform), 1, &unused);
}

static bool is_slot(uintptr_t at, const struct ring_end *end, uint32_t *element)
{
    return end->slots && trace_lies_in(at, end->slots, (end->mask + 1) * sizeof(*end->slots), sizeof(*end->slots), element);
}

static const char *table(uintptr_t at, const struct bench_window *window, uint32_t *element)
{
    const struct fib *fib = window->platform->fib;
    if (trace_lies_in(at, window->routes, ROUTES * sizeof(*window->routes), sizeof(*window->routes), element))
        return "route";
    if (trace_lies_in(at, fib, sizeof(*fib), sizeof(*fib), element))
        return "fib";
    if (trace_lies_in(at, fib->table24, FIB_ENTRIES * sizeof(*fib->table24), sizeof(*fib->table24), element))
        return "fib.table24";
    return 0;
}

static const char *name_of(uintptr_t at, bool is_written, const void *who, struct trace_place *place)
{
    const struct bench_core *me = who;
    const struct bench_window *window = me->window;
    const char *name = trace_shared_word(at, is_written, who, place);
    if (name)
        return name;
    *place = (struct trace_place){0, 0};
    if ((name = table(at, window, &place->b)))
        return name;
    if (is_private(at, me) || (!is_written && is_constant(at, window)))
        return 0;
    for (uint32_t other = 1; other <= window->cores; other++) {
        place->a = other;
        if (is_slot(at, &me->to[other], &place->b) || is_slot(at, &me->from[other], &place->b))
            return "ring.slot";
    }
    place->a = 0;
    bool is_buffer = trace_lies_in(at, window->buffers, window->memory_used, BENCH_BUFFER_SIZE, &place->b);
    bool is_header = is_buffer && (at - (uintptr_t)window->buffers) % BENCH_BUFFER_SIZE < LINE;
    return is_header ? "buffer.header" : TRACE_UNKNOWN;
}

void bench_trace_start(struct bench_core *me)
{
    refill(me);
}

const char *bench_trace_turn(struct bench_core *me)
{
    me->window->duration_cycles = 0; /* one turn with new frames, */
    me->window->abort = 1;           /* and none without */
    trace_begin();
    bench_turns(me, turn);
    return trace_end(name_of, me);
}
