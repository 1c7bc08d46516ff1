/* Commands that show the image, the machine and the counters. */
#include "command.h"

#include "boot_info.h"
#include "console.h"
#include "control.h"
#include "identity.h"

static const char *const drop_names[DROP_REASONS] = {
#define DROP_NAME(name) #name,
    DROP_REASON_LIST(DROP_NAME)};

void command_version(const struct arguments *arguments)
{
    uint64_t cycles = control.ready_tsc - boot_info.boot_tsc;
    if (arguments->json)
        print("{\"name\":\"%s\",\"version\":\"%s\",\"layout\":\"%s\",\"build_id\":\"%s\",\"sha256\":\"%s\",\"size_bytes\":%lu,"
              "\"boot_tsc_cycles\":%lu}\n",
              PIX_NAME, PIX_VERSION, PIX_LAYOUT, PIX_BUILD_ID, control.file_sha256, boot_info.file_size, cycles);
    else
        print("%s %s, layout %s\nbuild  %s\nsha256 %s of the %lu bytes that were booted\nready %lu cycles after entry\n", PIX_NAME,
              PIX_VERSION, PIX_LAYOUT, PIX_BUILD_ID, control.file_sha256, boot_info.file_size, cycles);
}

void command_cores(const struct arguments *arguments)
{
    static const char *const states[] = {"parked", "running", "faulted"};
    for (unsigned core = 0; core < boot_info.core_count; core++) {
        const char *state = states[boot_info.core[core].state];
        const char *role = core == 0 ? "generic" : core <= MAX_EXCLUSIVE_CORES ? "exclusive" : "unused";
        if (arguments->json)
            print("{\"core\":%u,\"apic_id\":%u,\"role\":\"%s\",\"state\":\"%s\"}\n", core, boot_info.core[core].apic_id, role, state);
        else
            print("core %u: APIC id %u, %s, %s\n", core, boot_info.core[core].apic_id, role, state);
    }
}

static uint64_t drops_of(unsigned port, enum drop_reason why)
{
    uint64_t total = 0;
    for (unsigned core = 0; core < MAX_CORES; core++)
        total += DROP_WORD(core, port, why);
    return total;
}

void command_ports(const struct arguments *arguments)
{
    for (unsigned i = 0; i < control.port_count; i++) {
        const struct port *port = &control.ports[i];
        const uint8_t *mac = control.nets[i].mac;
        const char *link = virtio_net_link_is_up(&control.nets[i]) ? "up" : "down";
        const char *state = port->started ? "started" : "stopped";
        unsigned at = boot_info.nic[i].at;
        print(arguments->json ? "{\"port\":%u,\"mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\",\"pci\":\"%02x:%02x.%u\",\"mtu\":%u,"
                                "\"link\":\"%s\",\"state\":\"%s\",\"qgm\":%u,\"queue_pairs\":%u,"
                                "\"address_conflicts\":%lu}\n"
                              : "port %u: %02x:%02x:%02x:%02x:%02x:%02x, PCI %02x:%02x.%u, MTU %u, link %s, %s, QGM %u, "
                                "queue pairs %u, %lu address conflicts\n",
              i, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], at >> 8, at >> 3 & 31, at & 7, port->mtu, link, state,
              port->keeper, control.nets[i].queue_pairs, drops_of(i, DROP_arp_conflict));
    }
}

/* Drops by reason: as JSON all of them, as text those that are not zero. */
static void show_drops(const uint64_t drops[DROP_REASONS], bool json)
{
    const char *separator = "";
    for (unsigned reason = 0; reason < DROP_REASONS; reason++) {
        if (json)
            print("%s\"%s\":%lu", separator, drop_names[reason], drops[reason]);
        else if (drops[reason])
            print("  dropped %s: %lu\n", drop_names[reason], drops[reason]);
        separator = ",";
    }
}

static void show_port(unsigned port, bool json)
{
    uint64_t rx_packets = 0, rx_bytes = 0, tx_packets = 0, tx_bytes = 0, drops[DROP_REASONS] = {0};
    for (uint32_t i = 0; i < control.pair_count; i++) {
        if (control.pairs[i].port != port)
            continue;
        rx_packets += QUEUE_WORD(i, rx_packets);
        rx_bytes += QUEUE_WORD(i, rx_bytes);
        tx_packets += QUEUE_WORD(i, tx_packets);
        tx_bytes += QUEUE_WORD(i, tx_bytes);
    }
    for (unsigned reason = 0; reason < DROP_REASONS; reason++)
        drops[reason] = drops_of(port, reason);
    print(json ? "{\"scope\":\"port\",\"port\":%u,\"rx_packets\":%lu,\"rx_bytes\":%lu,\"tx_packets\":%lu,\"tx_bytes\":%lu,\"drops\":{"
               : "port %u: received %lu packets %lu bytes, sent %lu packets %lu bytes\n",
          port, rx_packets, rx_bytes, tx_packets, tx_bytes);
    show_drops(drops, json);
    print(json ? "}}\n" : "");
}

static void tally_port(unsigned port, bool json)
{
    uint64_t rx_packets = 0, tx_packets = 0;
    for (uint32_t i = 0; i < control.pair_count; i++)
        if (control.pairs[i].port == port) {
            rx_packets += QUEUE_WORD(i, rx_packets);
            tx_packets += QUEUE_WORD(i, tx_packets);
        }
    if (json)
        print("%s{\"rx\":%lu,\"tx\":%lu,\"drops\":{", port ? "," : "", rx_packets, tx_packets);
    else
        print("port %u: received %lu, sent %lu\n", port, rx_packets, tx_packets);
    const char *separator = "";
    for (unsigned reason = 0; reason < DROP_REASONS; reason++) {
        uint64_t drops = drops_of(port, reason);
        if (!drops)
            continue;
        if (json)
            print("%s\"%s\":%lu", separator, drop_names[reason], drops);
        else
            print("  dropped %s: %lu\n", drop_names[reason], drops);
        separator = ",";
    }
    print(json ? "}}" : "");
}

static void show_qgm(unsigned core, bool json)
{
    uint64_t drops[DROP_REASONS] = {0};
    for (unsigned port = 0; port < MAX_PORTS; port++)
        for (unsigned reason = 0; reason < DROP_REASONS; reason++)
            drops[reason] += DROP_WORD(core, port, reason);
    print(json ? "{\"scope\":\"qgm\",\"qgm\":%u,\"busy_cycles\":%lu,\"busy_packets\":%lu,\"polls\":%lu,\"empty_polls\":%lu,"
                 "\"originated\":%lu,\"consumed\":%lu,\"held\":%lu,\"icmp_suppressed\":%lu,\"ring_in\":%lu,\"ring_out\":%lu,\"tsc_hz\":%lu,\"drops\":{"
               : "QGM %u: %lu busy cycles, %lu packets, %lu polls, %lu of them empty; %lu originated, %lu consumed, %lu held; "
                 "%lu ICMP errors suppressed; %lu from rings, %lu into rings; %lu cycles a second\n",
          core, CORE_WORD(core, busy_cycles), CORE_WORD(core, busy_packets), CORE_WORD(core, polls),
          CORE_WORD(core, polls) - CORE_WORD(core, busy_polls), CORE_WORD(core, originated), CORE_WORD(core, consumed),
          CORE_WORD(core, held), CORE_WORD(core, icmp_suppressed), CORE_WORD(core, ring_in), CORE_WORD(core, ring_out), control.tsc_hz);
    show_drops(drops, json);
    print(json ? "}}\n" : "");
}

void command_counters(const struct arguments *arguments)
{
    for (unsigned port = 0; port < control.port_count; port++)
        show_port(port, arguments->json);
    for (unsigned core = 1; core < MAX_CORES; core++)
        if (control.qgms[core].pair_count)
            show_qgm(core, arguments->json);
}

/* What tells of a trial, in few bytes: on a serial line, or where each of its bytes costs an exit, `counters` takes long. */
void command_tally(const struct arguments *arguments)
{
    uint64_t originated = 0, consumed = 0, held = 0;
    for (unsigned core = 1; core < MAX_CORES; core++) {
        originated += CORE_WORD(core, originated);
        consumed += CORE_WORD(core, consumed);
        held += CORE_WORD(core, held);
    }
    print(arguments->json ? "{\"booted\":%lu,\"originated\":%lu,\"consumed\":%lu,\"held\":%lu,\"ports\":["
                          : "boot %lu: %lu originated, %lu consumed, %lu held\n",
          control.ready_tsc, originated, consumed, held);
    for (unsigned port = 0; port < control.port_count; port++)
        tally_port(port, arguments->json);
    print(arguments->json ? "]}\n" : "");
}

void command_counters_clear(const struct arguments *arguments)
{
    (void)arguments;
    struct message message = {.kind = MESSAGE_CLEAR_COUNTERS};
    command_done(control_request_all(&message));
}
