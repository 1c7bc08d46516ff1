/* vtrex-engine: the packet half of vtrex. Started by the server, never by hand:
 *
 *     vtrex-engine CONTROL_FD EVENT_FD PARENT_PID FULL_WAIT_US LATE_US ARRIVALS DEVICES DEVICE... EAL-NAME
 *         EAL-ARGUMENTS...
 *
 * with DEVICES descriptions of devices (device.h). It ends when the server closes CONTROL_FD, when the server dies, or
 * on SIGTERM; devices are closed in each case, so that no socket of a port is left behind.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "clock.h"
#include "control.h"
#include "device.h"
#include "flow.h"
#include "link.h"
#include "poll.h"
#include "port.h"
#include "startup.h"
#include "worker.h"

#define OWN_ARGUMENTS 8
#define POOL_FRAMES 8191
#define POOL_CACHE 256

static int control_fd;

/* The control thread's read() then meets the end of the stream; should the engine hang, the alarm ends it. */
static void on_terminate(int signal_number)
{
	(void)signal_number;
	shutdown(control_fd, SHUT_RDWR);
	alarm(2);
}

static bool follow_parent(pid_t parent)
{
	struct sigaction action = {.sa_handler = on_terminate};
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &(struct sigaction){.sa_handler = SIG_IGN}, NULL); /* Ctrl-C is the server's to handle */
	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	return getppid() == parent;
}

static bool open_ports(char **descriptions, int count)
{
	tx_pool = rte_pktmbuf_pool_create("tx", POOL_FRAMES, POOL_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	struct rte_mempool *rx_pool =
		rte_pktmbuf_pool_create("rx", 2 * POOL_FRAMES, POOL_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (tx_pool == NULL || rx_pool == NULL)
		return startup_failed("no memory for frames: %s", rte_strerror(rte_errno));
	for (int i = 0; i < count; i++)
		if (!device_open(descriptions[i], rx_pool))
			return false;
	return true;
}

static void close_ports(void)
{
	for (uint32_t i = 0; i < port_count; i++)
		device_close(&ports[i]);
}

static bool start(int eal_count, char **eal, char **descriptions, int devices, uint64_t arrivals)
{
	if (rte_eal_init(eal_count, eal) < 0)
		return startup_failed("DPDK does not start: %s", rte_strerror(rte_errno));
	clock_calibration_end();
	if (!verifier_setup() || !flow_setup(arrivals))
		return startup_failed("no memory for flows");
	if (!open_ports(descriptions, devices))
		return false;
	return link_setup() || startup_failed("the links of the ports cannot be watched");
}

int main(int argc, char **argv)
{
	if (argc <= OWN_ARGUMENTS || argc <= OWN_ARGUMENTS + atoi(argv[7])) {
		fprintf(stderr, "vtrex-engine: is started by `pixlab vtrex serve`\n");
		return 2;
	}
	control_fd = atoi(argv[1]);
	int event_fd = atoi(argv[2]);
	if (!follow_parent((pid_t)atol(argv[3])))
		return 1;
	fcntl(control_fd, F_SETFD, FD_CLOEXEC);
	fcntl(event_fd, F_SETFD, FD_CLOEXEC);
	clock_calibration_begin();
	int devices = atoi(argv[7]), eal = OWN_ARGUMENTS + devices;
	startup_tell(control_fd);
	startup_quiet();
	if (!start(argc - eal, argv + eal, argv + OWN_ARGUMENTS, devices, (uint64_t)atoll(argv[6]))) {
		close_ports();
		return 1;
	}
	startup_loud();
	port_limits.full_wait = ns_to_ticks(atof(argv[4]) * 1e3);
	port_limits.late = ns_to_ticks(atof(argv[5]) * 1e3);
	worker_setup();
	poll_start(event_fd);
	control_serve(control_fd);
	poll_stop();
	startup_quiet();
	close_ports();
	rte_eal_cleanup();
	startup_loud();
	return 0;
}
