"""What ``pixlab vtrex ports`` prints: each form of a port, what it is for, and an example."""

from __future__ import annotations

from lab.vtrex.port_options import FORMS

EXAMPLES = {
    "vhost": ("a virtio-net card of a machine in QEMU, or of a DPDK program", "vhost:/tmp/v0,queues=2"),
    "dgram": ("an emulated card (e1000, ...) behind QEMU's -netdev dgram", "dgram:/tmp/here,/tmp/qemu"),
    "stream": ("an emulated card behind QEMU's -netdev stream", "stream:/tmp/s0,server"),
    "af_packet": ("a network interface of Linux, such as one end of a veth pair", "af_packet:veth0"),
    "af_xdp": ("the same, faster, where kernel and driver have XDP sockets", "af_xdp:veth0"),
    "dpdk": ("a NIC that is bound to vfio-pci, or any virtual device of DPDK", "dpdk:0000:03:00.0"),
    "ring": ("a port that receives what it sends, to calibrate", "ring"),
}


def listing() -> str:
    """Return the lines, the two joined ports of ``--wire`` first."""
    lines = ["--wire: two ports joined to each other, for trials of scripts and to calibrate"]
    for kind, form in FORMS.items():
        purpose, example = EXAMPLES[kind]
        lines.append(f"--port {form}: {purpose}; such as --port {example}")
    return "\n".join(lines)
