/* model-dut: a device under test whose every deed is known. Started by lab/dut/model.py:
 *
 *     model-dut EAL-ARGUMENTS... -- QUEUE_SIZE PEER_MAC...
 *
 * The EAL's arguments make the ports, by device number; PEER_MAC is who is on the link of each. What comes in by port 0
 * goes out by 1 and back, 2 by 3, ... It says `ready`, then takes one command a line and answers each with one line,
 * which begins with `error: ` where it was wrong:
 *
 *     clear              forget the behaviour that was set
 *     set NAME VALUE     one value of the behaviour (behaviour.h); VALUE may be empty for a list
 *     begin              behave so from now on; numbers of frames and counts begin at 0
 *     start, stop        forward, or leave frames where they are
 *     dead NANOSECONDS   lose what arrives from now on for so long
 *     truth              what it did since the begin, as JSON
 *
 * It ends at the end of its input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "direction.h"
#include "poll.h"

#define POOL_FRAMES (HOLD_MOST + MAX_PORTS * 2 * 1024 - 1)
#define POOL_CACHE 256

static int fail(const char *what)
{
	fprintf(stderr, "model-dut: %s\n", what);
	return 1;
}

static const char *open_port(uint16_t port, uint16_t queue_size, struct rte_mempool *pool)
{
	struct rte_eth_conf conf = {0};
	if (rte_eth_dev_configure(port, 1, 1, &conf) != 0 ||
	    rte_eth_rx_queue_setup(port, 0, queue_size, SOCKET_ID_ANY, NULL, pool) != 0 ||
	    rte_eth_tx_queue_setup(port, 0, queue_size, SOCKET_ID_ANY, NULL) != 0 || rte_eth_dev_start(port) != 0)
		return "a port does not start";
	rte_eth_promiscuous_enable(port); /* where a device cannot, it takes all frames anyway */
	return NULL;
}

/* Make the direction from each port to its neighbour. */
static const char *make_directions(uint16_t ports, char **peers)
{
	for (uint16_t port = 0; port < ports; port++) {
		struct direction *direction = calloc(1, sizeof(*direction));
		struct rte_ether_addr own, peer;
		if (direction == NULL)
			return "no memory";
		direction->in = port;
		direction->out = port ^ 1;
		if (rte_ether_unformat_addr(peers[port ^ 1], &peer) != 0)
			return "a peer's address is no MAC address";
		rte_eth_macaddr_get(port ^ 1, &own);
		memcpy(direction->addresses, &peer, sizeof(peer));
		memcpy(direction->addresses + sizeof(peer), &own, sizeof(own));
		directions[port] = direction;
	}
	direction_count = ports;
	return NULL;
}

static void print_numbers(const char *name, const struct numbers *list, const char *end)
{
	printf("\"%s\":[", name);
	for (uint32_t i = 0; i < list->count; i++)
		printf("%s%lu", i > 0 ? "," : "", list->numbers[i]);
	printf("]%s", end);
}

static void print_truth(void)
{
	printf("[");
	for (uint32_t i = 0; i < direction_count; i++) {
		const struct truth *truth = &directions[i]->truth;
		printf("%s{\"in_port\":%u,\"out_port\":%u,\"received\":%lu,\"received_bytes\":%lu,\"sent\":%lu,"
		       "\"sent_bytes\":%lu,\"lost_asked\":%lu,\"lost_capacity\":%lu,\"lost_dead\":%lu,\"duplicated\":%lu,"
		       "\"moved\":%lu,\"flushed\":%lu,\"held\":%u,",
		       i > 0 ? "," : "", directions[i]->in, directions[i]->out, truth->received, truth->received_bytes,
		       truth->sent, truth->sent_bytes, truth->lost_asked, truth->lost_capacity, truth->lost_dead,
		       truth->duplicated, truth->moved, truth->flushed, direction_held(directions[i]));
		print_numbers("lost_numbers", &truth->lost_numbers, ",");
		print_numbers("duplicated_numbers", &truth->duplicated_numbers, ",");
		print_numbers("moved_numbers", &truth->moved_numbers, "}");
	}
	printf("]\n");
}

/* Run one line while the polling core stands still; returns what is wrong with it, NULL after its answer. */
static const char *command(char *line)
{
	const char *word = strsep(&line, " "), *wrong = NULL;
	if (strcmp(word, "truth") == 0) {
		print_truth();
		return NULL;
	}
	if (strcmp(word, "clear") == 0) {
		behaviour_clear();
	} else if (strcmp(word, "set") == 0 && line != NULL) {
		const char *name = strsep(&line, " ");
		wrong = behaviour_set(name, line == NULL ? "" : line);
	} else if (strcmp(word, "begin") == 0) {
		poll_begin();
	} else if (strcmp(word, "start") == 0 || strcmp(word, "stop") == 0) {
		poll_run(strcmp(word, "start") == 0);
	} else if (strcmp(word, "dead") == 0 && line != NULL) {
		poll_die(strtod(line, NULL) * 1e-9);
	} else {
		wrong = "unknown command";
	}
	if (wrong == NULL)
		printf("ok\n");
	return wrong;
}

static void serve(void)
{
	char *line = NULL;
	size_t size = 0;
	printf("ready\n");
	fflush(stdout);
	while (getline(&line, &size, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		poll_pause();
		const char *wrong = command(line);
		poll_resume();
		if (wrong != NULL)
			printf("error: %s: %.80s\n", wrong, line);
		fflush(stdout);
	}
	free(line);
}

int main(int argc, char **argv)
{
	int used = rte_eal_init(argc, argv);
	if (used < 0)
		return fail(rte_strerror(rte_errno));
	uint16_t ports = rte_eth_dev_count_avail();
	if (ports == 0 || ports % 2 != 0 || ports > MAX_PORTS || argc - used != 2 + ports)
		return fail("takes two to eight ports, an even number, a queue size and a peer for each");
	struct rte_mempool *pool = rte_pktmbuf_pool_create("frames", POOL_FRAMES, POOL_CACHE, 0,
							   RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	const char *wrong = pool == NULL ? "no memory for frames" : NULL;
	for (uint16_t port = 0; port < ports && wrong == NULL; port++)
		wrong = open_port(port, (uint16_t)atoi(argv[used + 1]), pool);
	if (wrong == NULL)
		wrong = make_directions(ports, argv + used + 2);
	if (wrong != NULL)
		return fail(wrong);
	poll_begin();
	rte_eal_remote_launch(poll_main, NULL, rte_get_next_lcore(-1, 1, 0));
	serve();
	poll_end();
	rte_eal_mp_wait_lcore();
	for (uint16_t port = 0; port < ports; port++) {
		rte_eth_dev_stop(port);
		rte_eth_dev_close(port);
	}
	rte_eal_cleanup();
	return 0;
}
