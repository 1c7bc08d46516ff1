"""Which core of this host does what: polling loops alone on theirs, all the rest elsewhere."""

from __future__ import annotations

import os

from lab.errors import UsageError
from lab.models import Model


class CorePlan(Model):
    """Numbers of host cores.

    ``generator`` is for the generator's polling loop, ``exclusive`` for the DUT's exclusive vCPUs in their order, and
    ``housekeeping`` for everything else: the other vCPU, QEMU itself and the lab. On a host without a core to spare
    housekeeping shares the generator's core, never the DUT's.
    """

    generator: int
    exclusive: tuple[int, ...]
    housekeeping: int


def plan(exclusive_cores: int) -> CorePlan:
    """Lay out the cores that this process may run on.

    The DUT gets the last ones: the first core of a host is the one that interrupts land on.

    Raises:
        UsageError: the host has not enough cores.

    """
    available = sorted(os.sched_getaffinity(0))
    if len(available) < exclusive_cores + 1:
        raise UsageError(
            f"{exclusive_cores} exclusive cores of the DUT and one of the generator are asked for, "
            f"but this host has {len(available)}: ask for at most {max(0, len(available) - 1)} in the testbed file"
        )
    others = available[: len(available) - exclusive_cores]
    return CorePlan(generator=others[-1], exclusive=tuple(available[-exclusive_cores:]), housekeeping=others[0])
