"""The published rates of PIX, and which layouts they would be consistent with. They stand here and nowhere else.

A check of consistency, not of the simulator: what was shared in the published system is not public. No machine,
workload, calibration or fit may import this module (check 8 of the simulator proves that none does).
Source: H. Asai, "Networking Operating System from Scratch", 2015.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.simulation.consistency import Consistency, Fit
from lab.simulation.layout import Layout, Structure
from lab.simulation.layout import default as default_layout
from lab.simulation.machines import load
from lab.simulation.memory import SEPARATION_BYTES
from lab.simulation.prediction import Prediction, Question, predict
from lab.simulation.predictive import holds
from lab.simulation.workload.case import Case

ROUTING = Case(ports=8, cores=8, queue_length=256, batch=32, line_rate_gbps=10.0, frame_size_bytes=64)
ROUTING_MACHINE = "e5-2670x2"
TX = Case(ports=4, cores=1, queue_length=256, line_rate_gbps=10.0, frame_size_bytes=64)
TX_MACHINE = "i7-4770k"
TX_BATCHES = (1, 4, 16, 64)
WORDS = ("packets", "pool_head", "soft_head")  # private to a core, a packet touches each


@dataclass(frozen=True)
class _Published:
    about: str
    rate_pps: float


_ROUTED = (
    _Published("8-port IPv4 routing, random destinations, with false sharing", 11e6),
    _Published("8-port IPv4 routing, random destinations, without", 55e6),
)
_SENT = _Published("transmission by one core to four ports", 59.52e6)
RATES_PPS = tuple(each.rate_pps for each in (*_ROUTED, _SENT))
"""All of them, for the check that no fit knows one."""


def consistency(jobs: int = 1) -> tuple[Consistency, ...]:
    """Return for each published rate which layouts have it within 5 to 95 % of their prediction.

    Args:
        jobs: simulations at a time.

    Raises:
        LabError: a machine or a workload is not to be had.

    """
    machine = load(ROUTING_MACHINE)
    routed = [
        (f"{layout.name}{words}", predict(Question(machine, workload, layout, ROUTING), jobs))
        for workload, words in (("ipv4-routing", ""), ("ipv4-routing-fenced", ", fences"))
        for layout in layouts()
    ]
    sender = load(TX_MACHINE)
    sent = [
        (
            f"batch {batch}",
            predict(
                Question(sender, "tx-batch", default_layout("padded", 1), TX.model_copy(update={"batch": batch})), jobs
            ),
        )
        for batch in TX_BATCHES
    ]
    of_routing = f"{ROUTING.ports} ports, {ROUTING.cores} cores, rings of {ROUTING.queue_length}, batch {ROUTING.batch}"
    of_sending = f"{TX.ports} ports, {TX.cores} core, queues of {TX.queue_length}"
    return (
        *(_compared(one, ROUTING_MACHINE, of_routing, routed) for one in _ROUTED),
        _compared(_SENT, TX_MACHINE, of_sending, sent),
    )


def layouts() -> tuple[Layout, ...]:
    """Return layouts that the published system could have had: index matrices and none to all private words packed.

    Each is simulated with and without a fence before each publication of a ring index.
    """
    return tuple(
        _layout(index_packed=index_packed, packed_words=count)
        for index_packed in (False, True)
        for count in range(len(WORDS) + 1)
    )


def _layout(*, index_packed: bool, packed_words: int) -> Layout:
    indices = f"ring indices {'packed' if index_packed else 'padded'}"
    packed = {"ring_tail", "ring_head"} if index_packed else set()
    packed |= set(WORDS[:packed_words])
    structures: list[Structure] = []
    offset = 0
    for each in default_layout("padded", ROUTING.cores).structures:
        stride = each.size_bytes if each.name in packed else SEPARATION_BYTES
        structures.append(each.model_copy(update={"offset_bytes": offset, "element_stride_bytes": stride}))
        offset = -(-(offset + stride * each.count) // SEPARATION_BYTES) * SEPARATION_BYTES
    words = f"{packed_words} private word{'' if packed_words == 1 else 's'} packed"
    return Layout(f"{indices}, {words}", "variant of the default", tuple(structures))


def _compared(one: _Published, machine: str, case: str, predicted: list[tuple[str, Prediction]]) -> Consistency:
    fits = tuple(
        Fit(
            layout=name,
            rate_pps=each.rate_pps,
            limited_by=each.limited_by,
            holds=holds(each.rate_pps, one.rate_pps, one.rate_pps),
        )
        for name, each in predicted
    )
    return Consistency(about=one.about, published_pps=one.rate_pps, machine=machine, case=case, fits=fits)
