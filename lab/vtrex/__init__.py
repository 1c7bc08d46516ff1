"""vtrex: a software traffic generator that speaks TRex's RPC protocol; its packets are made by engine/, C on DPDK."""
