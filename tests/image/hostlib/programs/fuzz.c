/*
 * What a fuzzer calls: frames for two QGMs with four ports, from any bytes. When all is at rest, every frame has to be
 * accounted for, every buffer to be somewhere, and what has left to be right by itself.
 *
 * The bytes are records: a byte of flags, a byte that says how many bytes of a frame follow, those bytes.
 *   bits 0-1 port; 2-3 what happens then: nothing, a turn of QGM 1, one of QGM 2, turns of both after 0.3 s;
 *   4 the frame is mended: to the router's address, with a right header checksum; 5 padded to 60 bytes;
 *   6-7 continued by zeros: none, 512, 1024, as many as fit
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "frame.h"
#include "machine.h"
#include "watch.h"

#define PORTS 4
#define QGMS 2
#define QUEUE_LENGTH 8
#define FRAME_MAX 1514
#define REST_S 10

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_right, const char *what, uint64_t detail)
{
    if (!is_right)
        watch_fail(what, detail);
}

static void run_command(const char *text, uint32_t number)
{
    char line[100];
    snprintf(line, sizeof(line), text, number, number, number);
    const char *answer = machine_command(line);
    if (strcmp(answer, "ok\n")) {
        fprintf(stderr, "%s: %s", line, answer);
        abort();
    }
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count, (void)arguments;
    machine_boot(QGMS, PORTS, QUEUE_LENGTH, false);
    for (uint32_t port = 0; port < PORTS; port++) {
        run_command(port % QGMS ? "qgm add 2 %u" : "qgm add 1 %u", port);
        run_command("addr add %u 10.0.%u.1/24", port);
        run_command("neigh add %u 10.0.%u.2 02:00:00:00:01:%02x", port);
        run_command("route add 172.1%u.0.0/16 via 10.0.%u.2", port);
    }
    run_command("set mtu 1 300", 0); /* fragments */
    run_command("set ring_length 8", 0);
    run_command("start", 0);
    return 0;
}

/* RFC 1812 5.2.2, and addresses that a router sends from and to. */
static void require_sound_packet(const uint8_t *frame, uint32_t size)
{
    const uint8_t *ip = frame + ETHERNET_HEADER;
    require(size >= ETHERNET_HEADER + IPV4_HEADER, "a packet leaves without a header", size);
    require(ipv4_check(ip, size - ETHERNET_HEADER) == DROP_NONE, "a packet leaves with a wrong header", load32(ip));
    require(ip[IPV4_TTL] >= 1, "a packet leaves without a TTL", ip[IPV4_TTL]);
    require(!mac_is_group(frame), "a packet leaves to a link-layer group", frame[0]);
    require(!ipv4_is_special(load32(ip + IPV4_DESTINATION)), "a packet leaves to a martian", load32(ip + IPV4_DESTINATION));
}

static void require_sound(uint32_t port, uint32_t queue, const uint8_t *frame, uint32_t size)
{
    const uint8_t mac[6] = {0x52, 0x54, 0, 0, 0, (uint8_t)(port + 1)};
    (void)queue;
    require(size >= ETHERNET_HEADER && size <= FRAME_MAX, "a frame leaves with a wrong size", size);
    require(!memcmp(frame + 6, mac, 6), "a frame leaves from another's address", port);
    if (load16(frame + ETHERNET_TYPE) == ETHERTYPE_IPV4)
        require_sound_packet(frame, size);
    else
        require(load16(frame + ETHERNET_TYPE) == ETHERTYPE_ARP, "a frame of another kind leaves", load16(frame + ETHERNET_TYPE));
}

static void mend(uint8_t *frame, uint32_t size, uint32_t port)
{
    const uint8_t mac[6] = {0x52, 0x54, 0, 0, 0, (uint8_t)(port + 1)};
    uint8_t *ip = frame + ETHERNET_HEADER;
    if (size < ETHERNET_HEADER + IPV4_HEADER)
        return;
    memcpy(frame, mac, 6);
    uint32_t header = (ip[0] & 15u) * 4;
    if (header < IPV4_HEADER || ETHERNET_HEADER + header > size)
        return;
    memset(ip + IPV4_CHECKSUM, 0, 2);
    uint16_t right = checksum(ip, header);
    memcpy(ip + IPV4_CHECKSUM, &right, 2);
}

static void take_turns(void)
{
    for (uint32_t core = 1; core <= QGMS; core++)
        machine_turn(core);
    device_transmit(require_sound);
}

static void receive(uint8_t flags, const uint8_t *bytes, uint32_t count)
{
    static const uint32_t more[4] = {0, 512, 1024, FRAME_MAX};
    uint8_t frame[FRAME_MAX] = {0};
    uint32_t port = flags & 3, size = count + more[flags >> 6];
    memcpy(frame, bytes, count);
    if (size < ETHERNET_MIN && flags & 0x20)
        size = ETHERNET_MIN;
    if (size > FRAME_MAX)
        size = FRAME_MAX;
    if (flags & 0x10)
        mend(frame, size, port);
    while (!device_receive(port, 0, frame, size))
        take_turns();
    switch (flags >> 2 & 3) {
    case 3:
        machine_advance(MACHINE_TSC_HZ / 10 * 3);
        take_turns();
        break;
    case 2:
    case 1:
        machine_turn(flags >> 2 & 3);
        break;
    }
}

/* Sum of a counter over all scopes of one kind, from the shell's listing. */
static uint64_t sum(const char *listing, const char *scope, const char *name)
{
    uint64_t total = 0;
    for (const char *line = listing; *line; line = strchr(line, '\n') + 1) {
        const char *end = strchr(line, '\n'), *at = strstr(line, name);
        if (!strncmp(line + strlen("{\"scope\":\""), scope, strlen(scope)) && at && at < end)
            total += strtoull(at + strlen(name), 0, 10);
    }
    return total;
}

static uint64_t sum_of_drops(const char *listing, const char *scope)
{
    uint64_t total = 0;
    for (const char *line = listing; *line; line = strchr(line, '\n') + 1) {
        if (strncmp(line + strlen("{\"scope\":\""), scope, strlen(scope)))
            continue;
        const char *end = strchr(line, '\n');
        for (const char *at = strchr(strstr(line, "\"drops\":") + strlen("\"drops\":"), ':'); at && at < end; at = strchr(at + 1, ':'))
            total += strtoull(at + 1, 0, 10);
    }
    return total;
}

static void require_balance(uint64_t received)
{
    const char *listing = machine_command("counters json");
    uint64_t rx = sum(listing, "port", "\"rx_packets\":"), tx = sum(listing, "port", "\"tx_packets\":");
    uint64_t originated = sum(listing, "qgm", "\"originated\":"), consumed = sum(listing, "qgm", "\"consumed\":");
    uint64_t held = sum(listing, "qgm", "\"held\":"), drops = sum_of_drops(listing, "port");
    require(rx == received, "a frame that arrived was not counted", received);
    require(rx + originated == tx + drops + consumed + held, "the counters do not add up", rx + originated);
    require(drops == sum_of_drops(listing, "qgm"), "the drops of ports and of QGMs are not the same", drops);
    require(sum(listing, "qgm", "\"ring_in\":") == sum(listing, "qgm", "\"ring_out\":"), "a frame stays in a ring", 0);
    require(!machine_lost_buffers(), "a buffer is nowhere", (uint64_t)machine_lost_buffers());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t received = 0;
    bool is_flushed_early = size & 1; /* while frames wait for neighbours */
    device_shuffle(1 + size);
    while (size >= 2) {
        uint32_t count = data[1] < size - 2 ? data[1] : (uint32_t)(size - 2);
        receive(data[0], data + 2, count);
        received++;
        data += 2 + count;
        size -= 2 + count;
    }
    if (is_flushed_early)
        run_command("neigh flush", 0);
    for (uint32_t second = 0; second < REST_S; second++) {
        for (uint32_t turn = 0; turn < 4; turn++)
            take_turns();
        machine_advance(MACHINE_TSC_HZ);
    }
    require_balance(received);
    run_command("neigh flush", 0);
    run_command("counters clear", 0);
    return 0;
}
