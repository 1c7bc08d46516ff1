"""Check 4: single-producer single-consumer queues that others measured, predicted without having been fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from lab.simulation import native
from lab.simulation.machine import Machine
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

    """

    variant: str
    placement: Placement
    rate_pps: float


PUBLISHED = (
    Published("lamport", "near", 20.061e6),
    Published("lamport", "far", 15.842e6),
    Published("cached", "near", 190.213e6),
    Published("cached", "far", 94.403e6),
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
    ratios, detail = [], []
    for each in PUBLISHED:
        predicted_pps = predicted(machine, each.variant, each.placement, draws)
        ratio = predicted_pps / each.rate_pps
        ratios.append(max(ratio, 1 / ratio) if ratio else float("inf"))
        detail.append(
            f"{each.variant} {each.placement}: {predicted_pps / 1e6:.1f} predicted and "
            f"{each.rate_pps / 1e6:.1f} published "
            f"million a second, ratio {ratio:.2f}{'' if ratios[-1] <= WITHIN else ', outside'}"
        )
    worst = max(ratios)
    good = sum(ratio <= WITHIN for ratio in ratios)
    return Check(
        number=NUMBER,
        name=NAME,
        holds=worst <= WITHIN,
        figure=f"{good} of {len(ratios)} within {WITHIN}x, the worst off by {worst:.2f}x",
        value=worst,
        relation="at most",
        limit=WITHIN,
        unit="times",
        detail=tuple(detail),
    )


def predicted(machine: Machine, variant: str, placement: Placement, draws: int) -> float:
    """Return the median of the messages a second over draws of the machine's numbers.

    Args:
        machine: which.
        variant: of the queue.
        placement: of the two cores.
        draws: how many.

    """
    case = Case(variant=variant, placement=placement, batch=1, queue_length=QUEUE_LENGTH, cores=2)
    rates_pps = []
    for number, numbers in enumerate(machine.draws(draws, SEED)):
        window = Window(seed=number, warm_ps=WARM_PS, end_ps=END_PS)
        built = Spsc().build(machine, numbers, case, queue_layout(128), window)
        rates_pps.append(built.rate_pps(native.simulate(built.scene)))
    return median(rates_pps)
