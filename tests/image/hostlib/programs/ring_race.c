/* The rings between three threads, for the thread sanitizer: LENGTH MESSAGES. It reports what is not ordered by acquire and release. */
#include <stdio.h>
#include <stdlib.h>

#include "shared.h"

struct shared shared;

const char *host_ring_threads(uint32_t cores, uint32_t messages, uint32_t length, uint64_t seed);

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    const char *wrong = host_ring_threads(3, (uint32_t)atoi(argv[2]), (uint32_t)atoi(argv[1]), 1);
    puts(wrong ? wrong : "every message came");
    return wrong ? 1 : 0;
}
