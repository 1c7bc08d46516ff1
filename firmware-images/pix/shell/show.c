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
        const char *role = core == 0 ? "generic" : core <= MAX_EXCLUSIVE_CORES ? "exclusive" : "parked";
        if (arguments->json)
            print("{\"core\":%u,\"apic_id\":%u,\"role\":\"%s\",\"state\":\"%s\"}\n", core, boot_info.core[core].apic_id, role, state);
        else
            print("core %u: APIC id %u, %s, %s\n", core, boot_info.core[core].apic_id, role, state);
    }
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
                                "\"link\":\"%s\",\"state\":\"%s\",\"qgm\":%u,\"rx_queue\":%u,\"tx_queue\":%u}\n"
                              : "port %u: %02x:%02x:%02x:%02x:%02x:%02x, PCI %02x:%02x.%u, MTU %u, link %s, %s, QGM %u, "
                                "queues %u and %u\n",
              i, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], at >> 8, at >> 3 & 31, at & 7, port->mtu, link, state,
              port->qgm, port->rx.size, port->tx.size);
    }
}

static void show_port(unsigned port, bool json)
{
    const char *separator = "";
    print(json ? "{\"scope\":\"port\",\"port\":%u,\"rx_packets\":%lu,\"rx_bytes\":%lu,\"tx_packets\":%lu,\"tx_bytes\":%lu,\"drops\":{"
               : "port %u: received %lu packets %lu bytes, sent %lu packets %lu bytes\n",
          port, PORT_WORD(port, rx_packets), PORT_WORD(port, rx_bytes), PORT_WORD(port, tx_packets), PORT_WORD(port, tx_bytes));
    for (unsigned reason = 0; reason < DROP_REASONS; reason++) {
        uint64_t count = PORT_DROP(port, reason);
        if (json)
            print("%s\"%s\":%lu", separator, drop_names[reason], count);
        else if (count)
            print("  dropped %s: %lu\n", drop_names[reason], count);
        separator = ",";
    }
    if (json)
        print("}}\n");
}

void command_counters(const struct arguments *arguments)
{
    for (unsigned port = 0; port < control.port_count; port++)
        show_port(port, arguments->json);
    print(arguments->json
              ? "{\"scope\":\"qgm\",\"qgm\":%u,\"busy_cycles\":%lu,\"busy_packets\":%lu,\"polls\":%lu,\"empty_polls\":%lu,"
                "\"originated\":%lu,\"consumed\":%lu,\"held\":%lu,\"tsc_hz\":%lu}\n"
              : "QGM %u: %lu busy cycles, %lu packets, %lu polls, %lu of them empty; %lu originated, %lu consumed, %lu held; "
                "%lu cycles a second\n",
          QGM_CORE, CORE_WORD(QGM_CORE, busy_cycles), CORE_WORD(QGM_CORE, busy_packets), CORE_WORD(QGM_CORE, polls),
          CORE_WORD(QGM_CORE, polls) - CORE_WORD(QGM_CORE, busy_polls), CORE_WORD(QGM_CORE, originated),
          CORE_WORD(QGM_CORE, consumed), CORE_WORD(QGM_CORE, held), control.qgm.tsc_hz);
}

void command_counters_clear(const struct arguments *arguments)
{
    (void)arguments;
    struct message message = {.kind = MESSAGE_CLEAR_COUNTERS};
    command_done(control_request(&message));
}
