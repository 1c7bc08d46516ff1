"""Check 4: single-producer single-consumer queues that others measured, predicted without having been fitted to.

The measured programs do more for a message than the workload's few instructions (one of them 24 ns of it even between
two threads of one core, where no line moves). So what is compared is a prediction whose messages take as long on one
core as was published of it there; the ratio with the workload's own few instructions is printed beside it. No
compared figure goes into either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median

from lab.simulation import native
from lab.simulation.machine import Machine, Range
from lab.simulation.machines import load
from lab.simulation.validation.check import Check
from lab.simulation.workload.built import Window
from lab.simulation.workload.case import Case, Placement
from lab.simulation.workload.spsc import Spsc, queue_layout

NUMBER, NAME = 4, "published SPSC queues"
MACHINE = "e5-2658v3"
WITHIN = 1.6
DRAWS = 15
SEED = 1
QUEUE_LENGTH = 65_536  # the published queues held all messages of a run: they never fill
WARM_PS, END_PS = 40_000_000, 160_000_000


@dataclass(frozen=True)
class Published:
    """A measured queue.

    Attributes:
        variant: of the workload spsc.
        placement: of the two cores.
        rate_pps: messages a second.
        one_core_pps: messages a second of the same program between the two threads of one core.

    """

    variant: str
    placement: Placement
    rate_pps: float
    one_core_pps: float


PUBLISHED = (
    Published("lamport", "near", 20.061e6, 41.223e6),
    Published("lamport", "far", 15.842e6, 41.223e6),
    Published("cached", "near", 190.213e6, 192.445e6),
    Published("cached", "far", 94.403e6, 192.445e6),
)
"""2x Xeon E5-2658 v3, batch 1: README of github.com/lxyscls/concurrent_collection, "ops/ms", two cores of one socket
and of two sockets. ``cached`` is rigtorp's SPSCQueue (each side keeps a copy of the other's index), ``lamport`` the
circular queue without; head and tail of both are in lines of their own."""


def spsc_queues(draws: int = DRAWS) -> Check:
    """Predict the published queues with the machine's own numbers, the median of some draws, and compare.

    Args:
        draws: of the machine's numbers.

    """
    if not native.available():
        return Check(number=NUMBER, name=NAME, holds=None, figure="the C kernel is not built (make native)")
    machine = load(MACHINE)
    factors, bare_factors, detail = [], [], []
    for each in PUBLISHED:
        ratio = predicted(with_own_work(machine, each), each, draws) / each.rate_pps
        bare = predicted(machine, each, draws) / each.rate_pps
        factors.append(_factor(ratio))
        bare_factors.append(_factor(bare))
        detail.append(
            f"{each.variant} {each.placement}: {ratio * each.rate_pps / 1e6:.1f} predicted and "
            f"{each.rate_pps / 1e6:.1f} published million a second, ratio {ratio:.2f}"
            f"{'' if factors[-1] <= WITHIN else ', outside'}; with the workload's own instructions alone {bare:.2f}"
        )
    return Check(
        number=NUMBER,
        name=NAME,
        holds=max(factors) <= WITHIN,
        figure=f"{_good(factors)} of {len(factors)} within {WITHIN}x, the worst off by {max(factors):.2f}x; without "
        f"the programs' own work {_good(bare_factors)}, the worst off by {max(bare_factors):.2f}x",
        value=max(factors),
        relation="at most",
        limit=WITHIN,
        unit="times",
        detail=tuple(detail),
    )


def with_own_work(machine: Machine, queue: Published) -> Machine:
    """Return the machine with the time of a message on one core.

    Two threads of a core share its execution units: either would be up to twice as fast alone.
    """
    shared_ns = 1e9 / queue.one_core_pps
    message = Range(shared_ns / 2, shared_ns * 0.75, shared_ns, "ns", "published: the same program on one core")
    return replace(machine, ranges={**machine.ranges, "message": message})


def predicted(machine: Machine, queue: Published, draws: int) -> float:
    """Return the median of the messages a second over draws of the machine's numbers.

    Args:
        machine: which.
        queue: variant and placement.
        draws: how many.

    """
    case = Case(variant=queue.variant, placement=queue.placement, batch=1, queue_length=QUEUE_LENGTH, cores=2)
    rates_pps = []
    for number, numbers in enumerate(machine.draws(draws, SEED)):
        window = Window(seed=number, warm_ps=WARM_PS, end_ps=END_PS)
        built = Spsc().build(machine, numbers, case, queue_layout(128), window)
        rates_pps.append(built.rate_pps(native.simulate(built.scene)))
    return median(rates_pps)


def _factor(ratio: float) -> float:
    """Return how far off a ratio is, either way."""
    return max(ratio, 1 / ratio) if ratio else float("inf")


def _good(factors: list[float]) -> int:
    return sum(factor <= WITHIN for factor in factors)
