"""DPDK's options for a forwarder whose ports are virtio-user devices on the sockets of a generator."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def eal_options(
    sockets: Sequence[Path],
    macs: Sequence[str],
    *,
    core: int,
    housekeeping_core: int,
    queue_size: int,
    memory_mb: int,
    queues: int = 1,
) -> list[str]:
    """Write them: no huge pages, as neither the generator nor an image's machine has them.

    Args:
        sockets: of the vhost-user server of each port; they listen already.
        macs: of the ports.
        core: host core of lcore 1, which polls.
        housekeeping_core: host core of lcore 0.
        queue_size: descriptors of a queue, a power of two.
        memory_mb: for frames and all else.
        queues: queue pairs of each port.

    """
    words = ["--lcores", f"0@{housekeeping_core},1@{core}", "--main-lcore", "0", "--no-huge", "-m", str(memory_mb)]
    words += ["--iova-mode=va", "--no-pci", "--no-shconf", "--no-telemetry", "--single-file-segments"]
    words += [f"--file-prefix=pixlab-{os.getpid()}"]
    for number, (socket, mac) in enumerate(zip(sockets, macs, strict=True)):
        device = f"net_virtio_user{number},path={socket},mac={mac},queue_size={queue_size},queues={queues}"
        words += ["--vdev", f"{device},mrg_rxbuf=0,cq={int(queues > 1)}"]  # several pairs need the control queue
    return words
