"""Which core of this host does what: polling loops alone on theirs, all the rest elsewhere."""

from __future__ import annotations

import os
from collections.abc import Sequence

from lab.errors import UsageError
from lab.models import Model


class CorePlan(Model):
    """Numbers of host cores.

    ``generator`` is for the generator's polling loop, ``exclusive`` for the DUT's exclusive vCPUs in their order, and
    ``housekeeping`` for everything else: the other vCPU, QEMU itself and the lab. On a host without a core to spare
    housekeeping shares the generator's core, never the DUT's.

    ``sharing`` says why polling loops share host cores, where they do: such a plan shows what the DUT does, and no rate
    or time that comes of it is a measurement. Empty where each has a core of its own.
    """

    generator: int
    exclusive: tuple[int, ...]
    housekeeping: int
    sharing: str = ""


def plan(exclusive_cores: int) -> CorePlan:
    """Lay out the cores that this process may run on.

    The DUT gets the last ones: the first core of a host is the one that interrupts land on. Where there are too few,
    the exclusive vCPUs take turns on what the generator leaves.
    """
    available = sorted(os.sched_getaffinity(0))
    if len(available) > exclusive_cores:
        others = available[: len(available) - exclusive_cores]
        return CorePlan(generator=others[-1], exclusive=tuple(available[-exclusive_cores:]), housekeeping=others[0])
    left = available[1:] or available
    return CorePlan(
        generator=available[0],
        exclusive=_dealt(exclusive_cores, left),
        housekeeping=available[0],
        sharing=f"{exclusive_cores} exclusive cores and the generator share the {len(available)} of this host",
    )


def plan_without_generator(exclusive_cores: int) -> CorePlan:
    """Lay out the cores for a machine that nobody sends to: its exclusive vCPUs may have every core of the host.

    Raises:
        UsageError: the host has fewer cores than that: what runs without a generator is there to be measured.

    """
    available = sorted(os.sched_getaffinity(0))
    if len(available) < exclusive_cores:
        raise UsageError(f"{exclusive_cores} exclusive cores are asked for, but this host has {len(available)}")
    first = available[0]
    return CorePlan(generator=first, exclusive=tuple(available[-exclusive_cores:]), housekeeping=first)


def _dealt(count: int, cores: Sequence[int]) -> tuple[int, ...]:
    """Deal ``count`` threads to cores in turn."""
    return tuple(cores[index % len(cores)] for index in range(count))
