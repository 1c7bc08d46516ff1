#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef WATCH_WITH_SANITIZER
#include <sanitizer/asan_interface.h>
#define POISON(buffer, size) __asan_poison_memory_region((void *)(buffer), size)
#define UNPOISON(buffer, size) __asan_unpoison_memory_region((void *)(buffer), size)
#define IS_POISONED(buffer) __asan_address_is_poisoned((void *)(buffer))
#else
#define POISON(buffer, size) ((void)(buffer), (void)(size))
#define UNPOISON(buffer, size) ((void)(buffer), (void)(size))
#define IS_POISONED(buffer) ((void)(buffer), 0)
#endif

#include "boot_info.h"
#include "qgm.h"

#define LINE 64
#define STALE 0xa5 /* what a free buffer's bytes are, so that one that is sent unwritten is seen */
#define ARP_FRAME 42 /* the answer is made of the question, and padded where it lies */

void watch_fail(const char *what, uint64_t address)
{
    fprintf(stderr, "hosted machine: %s (%#lx)\n", what, address);
    abort();
}

static void require_whole(uint64_t buffer, const char *what)
{
    bool is_in_memory = buffer >= boot_info.memory_start && buffer + BUFFER_SIZE <= boot_info.memory_end;
    if (!is_in_memory || buffer % LINE)
        watch_fail("this is no buffer's address", buffer);
    if (IS_POISONED(buffer))
        watch_fail(what, buffer);
}

void watch_taken(uint64_t buffer)
{
    UNPOISON(buffer, BUFFER_SIZE);
    require_whole(buffer, "a buffer cannot be touched");
}

void watch_freed(uint64_t buffer)
{
    require_whole(buffer, "a buffer is freed that is free or a device's");
    UNPOISON(buffer, BUFFER_SIZE);
    memset((void *)(buffer + LINK_HEADER), STALE, BUFFER_SIZE - LINK_HEADER);
    POISON(buffer, BUFFER_SIZE);
}

void watch_posted(uint64_t buffer)
{
    require_whole(buffer, "a device is given a buffer that is free or a device's");
    POISON(buffer, BUFFER_SIZE);
}

void watch_received(uint64_t buffer, const uint8_t *frame, uint32_t size)
{
    bool is_arp = size >= ARP_FRAME && load16(frame + ETHERNET_TYPE) == ETHERTYPE_ARP;
    uint32_t own = is_arp && size < ETHERNET_MIN ? ETHERNET_MIN : size;
    UNPOISON(buffer, LINK_HEADER + own);
}

void watch_sent(uint64_t buffer)
{
    UNPOISON(buffer, LINK_HEADER);
}

void watch_reset(void)
{
    UNPOISON(boot_info.memory_start, boot_info.memory_end - boot_info.memory_start);
}
