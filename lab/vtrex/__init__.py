"""vtrex: a software traffic generator that speaks the RPC protocol of TRex; the packets are the engine's (engine/, C on DPDK)."""
