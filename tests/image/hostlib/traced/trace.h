/* Writes down what a turn of a core does to memory. Its sources are compiled as instrumented.h says. */
#ifndef TRACED_TRACE_H
#define TRACED_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which of the elements of a name an address lies in: (a, b) as (producer, consumer) of a ring, (owner, number) of all else. */
struct trace_place {
    uint32_t a, b;
};

/* Names what lies at an address that is read or written by `who`; a null pointer if it is nobody's business but its own. */
typedef const char *trace_namer(uintptr_t at, bool is_written, const void *who, struct trace_place *place);

#define TRACE_UNKNOWN "unknown" /* an address that has no name: no description has one of it */

void trace_begin(void);

/* Returns the accesses since trace_begin(), until the next call: a line `kind name a.b` for each that has a name. */
const char *trace_end(trace_namer *name, const void *who);

/* Names the words of the shared block (shared.h). */
trace_namer trace_shared_word;

/* Whether an address lies in an object; then also which element of so many bytes it is in. */
static inline bool trace_lies_in(uintptr_t at, const volatile void *start, size_t size, size_t element_size, uint32_t *element)
{
    uintptr_t offset = at - (uintptr_t)start;
    *element = (uint32_t)(offset / element_size);
    return offset < size;
}

#define IF_IN(at, object, element_size, element) if (trace_lies_in(at, &(object), sizeof(object), element_size, element))

#endif
