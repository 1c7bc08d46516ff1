#include "arp.h"

#include <string.h>
#include <rte_arp.h>

#define SHORTEST_FRAME 60

void arp_receive(struct port *port, const struct rte_mbuf *frame)
{
	const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *);
	const struct rte_arp_hdr *request = (const void *)(ether + 1);
	if (frame->data_len < sizeof(*ether) + sizeof(*request) ||
	    ether->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP) ||
	    request->arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REQUEST) || request->arp_data.arp_tip != port->ipv4)
		return;
	struct rte_mbuf *reply = rte_pktmbuf_alloc(tx_pool);
	if (reply == NULL)
		return;
	struct rte_ether_hdr *out = (void *)rte_pktmbuf_append(reply, SHORTEST_FRAME);
	struct rte_arp_hdr *answer = (void *)(out + 1);
	memset(out, 0, SHORTEST_FRAME);
	out->dst_addr = ether->src_addr;
	out->src_addr = port->mac;
	out->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP);
	*answer = *request;
	answer->arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
	answer->arp_data.arp_tha = request->arp_data.arp_sha;
	answer->arp_data.arp_tip = request->arp_data.arp_sip;
	answer->arp_data.arp_sha = port->mac;
	answer->arp_data.arp_sip = port->ipv4;
	if (port_send(port, &reply, 1) == 0)
		rte_pktmbuf_free(reply);
}
