/*
 * A router as a process: requests on stdin, answers on stdout. Numbers are little-endian.
 *
 *   C size16 line          runs a line of the shell                          -> size32 text
 *   F port8 queue8 size16 frame   a frame arrives                            -> 1 taken, 0 no room
 *   P flows16 count32 offset16, then port8 queue8 size16 frame for each flow   so many frames of each flow arrive in
 *                          turns as fast as there is room, each with its number (big-endian) at the offset
 *                                                                            -> flows32 that have come in whole
 *   T size16 cores         QGMs take turns in this order, then frames leave  -> 1
 *   A cycles64             time passes                                       -> 1
 *   S seed64               devices return descriptors in random order; 0: in order -> 1
 *   B                      buffers that are nowhere, at rest                 -> count32
 *   R size16 text          gives the machine a route file                  -> 1
 *   W core8                one turn of a QGM; nothing leaves. Its accesses (traced/qgm_turn.h) -> size32 text
 *   G                      what has left since the last time                 -> count32, then port8 queue8 size16 frame each
 *
 * Arguments: exclusive cores, ports, descriptors in each queue, and `threads` if QGMs run on threads of their own.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "boot_info.h"
#include "device.h"
#include "machine.h"
#include "watch.h"
#ifdef WITH_TRACE
#include "qgm_turn.h"
#endif

#define FRAME_MAX 65536
#define FLOWS_MAX 64
#define FLOW_FRAME_MAX 1514
#define LOG_SIZE (64u << 20)
#define STALLED_S 20

static uint8_t log_bytes[LOG_SIZE];
static uint32_t log_used, log_count;

static void get(void *to, size_t size)
{
    if (fread(to, 1, size, stdin) != size)
        exit(0); /* who started this has gone */
}

static void put(const void *from, size_t size)
{
    fwrite(from, 1, size, stdout);
}

static void log_frame(uint32_t port, uint32_t queue, const uint8_t *frame, uint32_t size)
{
    uint8_t head[4] = {(uint8_t)port, (uint8_t)queue, (uint8_t)size, (uint8_t)(size >> 8)};
    if (log_used + sizeof(head) + size > LOG_SIZE)
        watch_fail("more frames left than there is room for", log_count);
    memcpy(log_bytes + log_used, head, sizeof(head));
    memcpy(log_bytes + log_used + sizeof(head), frame, size);
    log_used += sizeof(head) + size;
    log_count++;
}

static void command(void)
{
    static char line[FRAME_MAX];
    uint16_t size;
    get(&size, 2);
    get(line, size);
    line[size] = 0;
    const char *text = machine_command(line);
    uint32_t length = (uint32_t)strlen(text);
    put(&length, 4);
    put(text, length);
}

static void take_route_file(void)
{
    static uint8_t text[FRAME_MAX];
    uint16_t size;
    get(&size, 2);
    get(text, size);
    machine_take_route_file(text, size);
}

static void arrive(void)
{
    uint8_t place[2], frame[FRAME_MAX];
    uint16_t size;
    get(place, 2);
    get(&size, 2);
    get(frame, size);
    uint8_t is_taken = device_receive(place[0], place[1], frame, size);
    put(&is_taken, 1);
}

struct flow {
    uint8_t place[2];
    uint16_t size;
    uint32_t taken;
    uint8_t frame[FLOW_FRAME_MAX];
};

static bool flow_arrives(struct flow *flow, uint16_t offset)
{
    uint32_t number = __builtin_bswap32(flow->taken);
    memcpy(flow->frame + offset, &number, 4);
    return device_receive(flow->place[0], flow->place[1], flow->frame, flow->size);
}

static void pour(void)
{
    static struct flow flows[FLOWS_MAX];
    uint16_t count_of_flows, offset;
    uint32_t count, done = 0;
    get(&count_of_flows, 2);
    get(&count, 4);
    get(&offset, 2);
    for (uint32_t i = 0; i < count_of_flows; i++) {
        get(flows[i].place, 2);
        get(&flows[i].size, 2);
        get(flows[i].frame, flows[i].size);
        flows[i].taken = 0;
    }
    for (time_t stalled = time(0) + STALLED_S; done < count_of_flows && time(0) < stalled;) {
        for (uint32_t i = 0; i < count_of_flows; i++)
            if (flows[i].taken < count && flow_arrives(&flows[i], offset)) {
                stalled = time(0) + STALLED_S;
                done += ++flows[i].taken == count;
            }
        for (uint32_t core = 1; core < boot_info.core_count; core++)
            machine_turn(core);
        device_transmit(log_frame);
    }
    put(&done, 4);
}

static void take_turns(void)
{
    uint8_t cores[FRAME_MAX];
    uint16_t count;
    get(&count, 2);
    get(cores, count);
    for (uint32_t i = 0; i < count; i++)
        machine_turn(cores[i]);
    device_transmit(log_frame);
}

#ifdef WITH_TRACE
static void trace(void)
{
    uint8_t core;
    get(&core, 1);
    const char *text = trace_turn(core);
    uint32_t length = (uint32_t)strlen(text);
    put(&length, 4);
    put(text, length);
}
#endif

static void handle(int request)
{
    uint64_t number;
    int32_t lost;
    switch (request) {
    case 'C':
        command();
        return;
    case 'F':
        arrive();
        return;
    case 'P':
        pour();
        return;
    case 'B':
        lost = machine_lost_buffers();
        put(&lost, 4);
        return;
    case 'G':
        device_transmit(log_frame);
        put(&log_count, 4);
        put(log_bytes, log_used);
        log_used = log_count = 0;
        return;
#ifdef WITH_TRACE
    case 'W':
        trace();
        return;
#endif
    case 'T':
        take_turns();
        break;
    case 'R':
        take_route_file();
        break;
    case 'A':
    case 'S':
        get(&number, 8);
        if (request == 'A')
            machine_advance(number);
        else
            device_shuffle(number);
        break;
    default:
        watch_fail("a request that there is not", (uint64_t)request);
    }
    putchar(1);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: %s EXCLUSIVE_CORES PORTS QUEUE_LENGTH [threads]\n", argv[0]);
        return 2;
    }
    machine_boot((uint32_t)atoi(argv[1]), (uint32_t)atoi(argv[2]), (uint16_t)atoi(argv[3]), argc > 4);
    for (int request; (request = getchar()) != EOF; fflush(stdout))
        handle(request);
    return 0;
}
