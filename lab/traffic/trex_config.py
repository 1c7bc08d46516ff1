"""TRex's configuration file (``trex_cfg.yaml``) for the ports of a testbed.

Source: TRex manual, "Platform YAML Configuration File", and DPDK's "AF_PACKET Poll Mode Driver".
"""

from __future__ import annotations

from typing import Any

import yaml

from lab.testbed import Testbed
from lab.testbed.model import Generator
from lab.testbed.ports import Port
from lab.testbed.resources import Platform, TrexHost, TrexLocal

RING_FRAMES = 4096
"""Of each ring of a packet socket. With DPDK's own 512 TRex itself loses frames on a veth from 50 kpps on."""


def text(testbed: Testbed, name: str, *, platform: Platform | None = None) -> str:
    """Write the configuration file of a generator's node.

    Args:
        testbed: whose links say what is at the far end of each port.
        name: of the node; its machine is a TRex that the lab starts.
        platform: which CPUs it gets where its machine does not say.

    """
    node = testbed.generators[name]
    machine = node.machine
    assert isinstance(machine, TrexHost | TrexLocal), "nothing else has such a file"
    said: dict[str, Any] = {
        "version": 2,
        "interfaces": [_interface(number, port) for number, port in enumerate(node.ports)],
        "port_limit": len(node.ports),
        "prefix": f"pixlab{machine.rpc_port}",
        "zmq_rpc_port": machine.rpc_port,
        "zmq_pub_port": machine.async_port,
        "c": machine.cores,
        "port_bandwidth_gb": min(port.speed_gbps for port in node.ports),
        "port_info": [_port_info(testbed, name, node, port) for port in node.ports],
    }
    if machine.low_end:
        said["low_end"] = True
    platform = machine.platform or platform
    if platform is not None:
        said["platform"] = platform.model_dump(exclude_none=True, mode="json")
    dumped = yaml.safe_dump([said], sort_keys=False, default_flow_style=None, width=110)
    return f"# Written by the lab for node {name} of testbed {testbed.name}, anew at every start.\n{dumped}"


def _interface(number: int, port: Port) -> str:
    """A PCI address, or a network interface as DPDK's packet socket device, with rings that lose nothing.

    By the interface's queueing discipline: past it, frames that find no room in a tap would stay in the socket's ring
    and be sent when the next trial sends. What has a colon is no network interface but a form of the generator's own:
    ``vhost:NAME`` of vtrex.
    """
    if port.pci is not None:
        return port.pci
    if port.interface is not None and ":" in port.interface:
        return port.interface
    return f"--vdev=net_af_packet{number},iface={port.interface},framecnt={RING_FRAMES},qdisc_bypass=0"


def _port_info(testbed: Testbed, name: str, node: Generator, port: Port) -> dict[str, str]:
    """What a port sends with: MACs, which need nobody's answer, or addresses that clients resolve (``by_address``)."""
    far = _far_end(testbed, f"{name}.{port.name}")
    assert isinstance(node.machine, TrexHost | TrexLocal)
    if node.machine.by_address and far is not None:
        return {"ip": str(port.address.ip), "default_gw": str(far.address.ip)}
    # TRex wants a destination of every port: one that is not cabled has itself.
    return {"src_mac": port.mac, "dest_mac": (far or port).mac}


def _far_end(testbed: Testbed, end: str) -> Port | None:
    for link in testbed.links:
        if end in link.ends:
            other = next(each for each in link.ends if each != end)
            return next(port for port in testbed.dut.ports if other.endswith(f".{port.name}"))
    return None
