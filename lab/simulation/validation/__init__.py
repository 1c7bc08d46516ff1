"""The checks that the simulator is judged by (docs/simulation.md), each in a module of its own."""

from __future__ import annotations

from collections.abc import Callable

from lab.simulation.validation.blindness import fits_are_blind
from lab.simulation.validation.check import Check
from lab.simulation.validation.conservation import conservation
from lab.simulation.validation.coverage import coverage
from lab.simulation.validation.held_out import unfitted_rings
from lab.simulation.validation.kernels import kernels
from lab.simulation.validation.ping_pong import ping_pongs
from lab.simulation.validation.published_queues import spsc_queues
from lab.simulation.validation.signs import signs_of_sharing
from lab.simulation.validation.verdicts import judgements

CHECKS: dict[int, Callable[[], Check]] = {
    1: ping_pongs,
    2: unfitted_rings,
    3: signs_of_sharing,
    4: spsc_queues,
    5: conservation,
    6: kernels,
    7: coverage,
    8: fits_are_blind,
    9: judgements,
}
"""All of them by their numbers (``pixlab simulate --validate``)."""
