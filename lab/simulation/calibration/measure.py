"""Runs the native microbenchmarks (kernel/ringprobe.c, kernel/coreprobe.c) on two CPUs of this host."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, ValidationError

from lab.models import Model
from lab.paths import NATIVE
from lab.process import dying_with_parent
from lab.simulation.calibration.capacity import Curve, curves
from lab.simulation.calibration.points import Point
from lab.simulation.errors import SimulationError

PROBE = NATIVE / "ringprobe"
GRACE_S = 30.0  # beyond the time asked for: the last round, memory to be linked, a busy host
CLOCK = "clock"
STORES = "stores"
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
MIB = 1 << 20
LARGEST_BYTES = 128 * MIB


class Window(Model):
    """One short measurement of one point.

    ``point`` is its name on the probe's command line, ``rate`` operations a second (cycles for the clock),
    ``before_ns`` and ``after_ns`` the one-way core-to-core latency around it, ``gap_us`` the longest time that a
    thread was away, ``wrong`` the messages that were not the next one.
    """

    point: str
    round: int
    rate: float = Field(ge=0)
    before_ns: float = Field(gt=0)
    after_ns: float = Field(gt=0)
    gap_us: float = Field(ge=0)
    wrong: int = Field(ge=0)


class Measurement(Model):
    """All windows of a run of the probe. ``fifo`` tells whether its threads had real-time priority.

    ``curves`` say what one CPU holds in flight; ``no_curves`` says why there are none though they were asked for.
    """

    cpus: tuple[int, int]
    tsc_hz: float = Field(gt=1e6)
    fifo: bool
    windows: tuple[Window, ...]
    curves: tuple[Curve, ...] = ()
    no_curves: str = ""


def memory_sizes_bytes() -> dict[str, int]:
    """Return how much memory a chain of loads runs over to stay in each cache of this host, and beyond the second."""
    sizes = {}
    for index in CACHES.glob("index*"):
        level, kind, size = (((index / name).read_text().strip()) for name in ("level", "type", "size"))
        if kind != "Instruction":
            sizes[int(level)] = int(size.removesuffix("K")) * 1024
    l1, l2 = sizes.get(1, 32 * 1024), sizes.get(2, MIB)
    return {"l1": l1 // 2, "l2": l2 // 2, "l3": 3 * l2, "memory": LARGEST_BYTES}


def measure(
    points: Sequence[Point], duration_s: float, cpus: tuple[int, int] | None = None, alone: bool = True
) -> Measurement:
    """Measure points in turns, for some time.

    Args:
        points: which.
        duration_s: of all windows together.
        cpus: the two CPUs; None for the first two that this process may use.
        alone: whether clock, memory latency and capacities of the first CPU are measured, too.

    Raises:
        SimulationError: there are not two CPUs, or the probe is not built, fails or does not end.

    """
    allowed = sorted(os.sched_getaffinity(0))
    if cpus is None:
        if len(allowed) < 2:
            raise SimulationError("calibration: needs two CPUs; this process may use only one")
        cpus = (allowed[0], allowed[1])
    missing = [cpu for cpu in cpus if cpu not in allowed]
    if missing or cpus[0] == cpus[1]:
        raise SimulationError(
            f"calibration: CPUs {cpus[0]} and {cpus[1]}: must be two of {', '.join(map(str, allowed))}"
        )
    if not PROBE.exists():
        raise SimulationError(f"calibration: the probe {PROBE} is not built; run: make native")
    asked = [each.text for each in points]
    if alone:
        asked += [CLOCK, STORES, *(f"chase:{size}" for size in memory_sizes_bytes().values())]
    command = dying_with_parent([str(PROBE), str(duration_s), *(str(cpu) for cpu in cpus), *asked])
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=duration_s + GRACE_S, check=True)
    except subprocess.TimeoutExpired as error:
        raise SimulationError(
            f"calibration: the probe did not end within {duration_s + GRACE_S:.0f} s; are the CPUs busy?"
        ) from error
    except subprocess.CalledProcessError as error:
        raise SimulationError(f"calibration: the probe failed: {error.stderr.strip()}") from error
    found = read(done.stdout, cpus)
    return _with_curves(found) if alone else found


def _with_curves(found: Measurement) -> Measurement:
    """Add what the first CPU holds in flight; without it the priors do, so that its probe failing is no error."""
    try:
        return found.model_copy(update={"curves": curves(found.cpus[0])})
    except SimulationError as error:
        return found.model_copy(update={"no_curves": str(error)})


def read(printed: str, cpus: tuple[int, int]) -> Measurement:
    """Read what the probe printed.

    Raises:
        SimulationError: it is not what a probe prints, or a ring lost, repeated or reordered a message.

    """
    try:
        head, *lines = [json.loads(line) for line in printed.splitlines()]
        found = Measurement(cpus=cpus, **head, windows=tuple(Window.model_validate(line) for line in lines))
    except (ValueError, TypeError, ValidationError) as error:
        raise SimulationError(f"calibration: the probe printed what it never should: {error!r:.120}") from error
    for window in found.windows:
        if window.wrong:
            raise SimulationError(f"calibration: {window.point} took {window.wrong} messages out of order")
    return found
