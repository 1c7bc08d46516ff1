"""Runs the native probe of what one core holds in flight (kernel/coreprobe.c)."""

from __future__ import annotations

import json
import subprocess
from typing import Literal, get_args

from pydantic import Field, ValidationError

from lab.models import Model
from lab.paths import NATIVE
from lab.process import dying_with_parent
from lab.simulation.errors import SimulationError

PROBE = NATIVE / "coreprobe"
ROUNDS = 20  # about a second in all
TIMEOUT_S = 30.0

Filler = Literal["nops", "registers", "stores", "loads"]
"""What stands between two loads that miss; of ``loads``, which all miss, nothing does."""
FILLERS: tuple[Filler, ...] = get_args(Filler)


class Curve(Model):
    """How long two misses take with so many instructions between them: ``ticks`` of the time stamp counter."""

    filler: Filler
    round: int
    counts: tuple[int, ...] = Field(min_length=1)
    ticks: tuple[float, ...] = Field(min_length=1)


def curves(cpu: int, rounds: int | None = None) -> tuple[Curve, ...]:
    """Measure all curves on one CPU.

    Args:
        cpu: its number.
        rounds: curves of each kind, one after the other; None for :data:`ROUNDS`.

    Raises:
        SimulationError: the probe is not built, fails or does not end, or prints what it never should.

    """
    if not PROBE.exists():
        raise SimulationError(f"the probe {PROBE.name} is not built; run: make native")
    command = dying_with_parent([str(PROBE), str(cpu), str(rounds or ROUNDS)])
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    except subprocess.TimeoutExpired as error:
        raise SimulationError(f"the probe {PROBE.name} did not end within {TIMEOUT_S:.0f} s") from error
    except subprocess.CalledProcessError as error:
        raise SimulationError(f"the probe failed: {error.stderr.strip()}") from error
    return read(done.stdout)


def read(printed: str) -> tuple[Curve, ...]:
    """Read what the probe printed.

    Raises:
        SimulationError: it is not what the probe prints.

    """
    try:
        found = tuple(Curve.model_validate(json.loads(line)) for line in printed.splitlines())
    except (ValueError, ValidationError) as error:
        raise SimulationError(f"the probe {PROBE.name} printed what it never should: {error!r:.120}") from error
    for curve in found:
        rising = all(one < other for one, other in zip(curve.counts, curve.counts[1:], strict=False))
        if len(curve.counts) != len(curve.ticks) or not rising:
            raise SimulationError(f"the probe {PROBE.name} printed a curve of {curve.filler} that is none")
    return found
