"""The workloads by the names of the command line."""

from __future__ import annotations

from lab.errors import UsageError, near_misses
from lab.simulation.workload.bench_forward import BenchForward
from lab.simulation.workload.built import Workload
from lab.simulation.workload.counters import Counters
from lab.simulation.workload.direct_tx import DirectTx
from lab.simulation.workload.fenced import Fenced
from lab.simulation.workload.ipv4_routing import Ipv4Routing
from lab.simulation.workload.message_ring import MessageRing
from lab.simulation.workload.ping_pong import PingPong
from lab.simulation.workload.spsc import Spsc
from lab.simulation.workload.tx_batch import TxBatch
from lab.simulation.workload.virtio_forwarding import Virtio
from lab.simulation.workload.virtio_tx import VirtioTx

_ALL: tuple[Workload, ...] = (
    Spsc(),
    PingPong(),
    Counters(),
    Ipv4Routing(),
    Fenced(Ipv4Routing()),
    Virtio(),
    BenchForward(),
    MessageRing(),
    VirtioTx(),
    DirectTx(),
    TxBatch(),
)
WORKLOADS: dict[str, Workload] = {each.name: each for each in _ALL}


def workload(name: str) -> Workload:
    """Return a workload by name.

    Raises:
        UsageError: there is none; says what may have been meant.

    """
    if name not in WORKLOADS:
        raise UsageError(f"no workload {name!r}: {near_misses(name, WORKLOADS)}")
    return WORKLOADS[name]
