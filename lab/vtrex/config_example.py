"""A configuration file to begin with: it serves as it stands."""

TEXT = """\
# TRex's configuration file, as vtrex reads it: pixlab vtrex serve --cfg FILE
- version: 2
  # Ports: vtrex's own forms (`pixlab vtrex ports` lists them), PCI addresses ("03:00.0"), names of network
  # interfaces, or DPDK's virtual devices ("--vdev=net_memif0,..."). [wire, wire] are two ports joined to each other.
  interfaces: [wire, wire]
  port_limit: 2
  port_bandwidth_gb: 10  # what the ports say their speed is
  # port_info:           # one entry a port: either dest_mac, or ip with default_gw, which a client then resolves
  #   - {src_mac: "02:00:00:00:00:01", dest_mac: "02:00:00:00:00:02"}
  #   - {ip: 198.18.1.2, default_gw: 198.18.1.1, vlan: 100}
  # zmq_rpc_port: 4501   # each server on a machine has its own two
  # zmq_pub_port: 4500
  # prefix: vtrex        # and its own prefix
  # platform:
  #   master_thread_id: 0             # CPU of the server
  #   dual_if: [{threads: [1]}]       # CPU of the polling thread
"""
