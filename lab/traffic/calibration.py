"""What the generator can do by itself: its ceiling and its latency floor, through the ``wire`` DUT.

Never claim more than the generator can show: a rate above the ceiling cannot have been measured. The best of all
calibrations of a testbed counts, because a cloud machine that was slow at one of them is no slower as a cap.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from lab import paths
from lab.errors import GeneratorError, UsageError
from lab.methods.trial import Measurer, TrialRequest, TrialResult, line_rate_pps
from lab.metrics.latency import merge
from lab.models import Model

FLOOR_LOAD = 0.1
"""Share of the ceiling at which the latency floor is measured: queues are empty there."""


CEILING_TRIALS = 3
"""Trials at line rate, the best of which is the ceiling: a disturbance of the host makes one slower, never faster."""

LESSER_LOADS = (1.5, 1.0, 0.75)
"""Times what came through, offered as well to a path that loses more the more it is offered (sockets of the kernel)."""


class SizeCalibration(Model):
    """Ceiling and floor for one frame size.

    ``ceiling_pps`` is the greatest rate received over all directions together; ``floor_p50_us`` and ``floor_p99_us``
    are percentiles of the latency of a wire, None where too few frames were tagged.
    """

    frame_size_bytes: int
    ceiling_pps: float
    floor_p50_us: float | None
    floor_p99_us: float | None


class Calibration(Model):
    """What is kept of a testbed. ``key`` names everything that a ceiling depends on."""

    testbed: str
    key: str
    measured_at_s: float
    runs: int
    sizes: tuple[SizeCalibration, ...]

    def ceiling_pps(self, frame_size_bytes: int) -> float | None:
        """Return the ceiling for a frame size, None where it was not calibrated."""
        return next((s.ceiling_pps for s in self.sizes if s.frame_size_bytes == frame_size_bytes), None)

    def floor_us(self, frame_size_bytes: int) -> float | None:
        """Return the median latency of a wire at a frame size, in microseconds; None where it was not calibrated."""
        return next((s.floor_p50_us for s in self.sizes if s.frame_size_bytes == frame_size_bytes), None)


def measure(
    wire: Measurer,
    frame_sizes_bytes: Sequence[int],
    *,
    directions: int,
    speed_gbps: float,
    duration_s: float,
    progress: Callable[[str], None],
    collapses: bool = False,
) -> tuple[SizeCalibration, ...]:
    """Offer line rate to a wire, then a tenth of what came through.

    Args:
        wire: measurer of a generator looped to itself.
        frame_sizes_bytes: with FCS.
        directions: number of directions that ``wire`` sends in.
        speed_gbps: of a port.
        duration_s: of each trial.
        progress: told what runs.
        collapses: the path loses more the more it is offered, so that less than line rate may bring more through.

    Returns:
        One calibration for each size.

    Raises:
        GeneratorError: frames do not come back as they were sent.

    """
    calibrated = []
    for size in frame_sizes_bytes:
        line_pps = directions * line_rate_pps(size, speed_gbps)
        full = TrialRequest(frame_size_bytes=size, rate_pps=line_pps, duration_s=duration_s)
        ceiling_pps = min(line_pps, max(_measure(wire, full).received_pps for _ in range(CEILING_TRIALS)))
        for share in LESSER_LOADS if collapses else ():
            less = full.model_copy(update={"rate_pps": min(line_pps, share * ceiling_pps)})
            ceiling_pps = min(line_pps, max(ceiling_pps, _measure(wire, less).received_pps))
        idle = _measure(
            wire, TrialRequest(frame_size_bytes=size, rate_pps=FLOOR_LOAD * ceiling_pps, duration_s=duration_s)
        )
        latency = merge(idle.latency)
        floor = SizeCalibration(
            frame_size_bytes=size,
            ceiling_pps=ceiling_pps,
            floor_p50_us=latency.value_us(50.0),
            floor_p99_us=latency.value_us(99.0),
        )
        progress(
            f"generator, {size} bytes: ceiling {ceiling_pps / 1e6:.2f} Mpps, latency floor {floor.floor_p50_us} us"
        )
        calibrated.append(floor)
    return tuple(calibrated)


def _measure(wire: Measurer, request: TrialRequest) -> TrialResult:
    result = wire.measure(request)
    if any(direction.wrong for direction in result.directions):
        raise GeneratorError(f"the generator damages frames on a wire: {result.directions}")
    return result


def key_of(engine: Path, core: int, more: str = "") -> str:
    """Name what a ceiling depends on: the engine's build, the processor, the core, and what ``more`` says."""
    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "")
    digest = hashlib.sha256(engine.read_bytes())
    digest.update(f"{model} {core}{more}".encode())
    return digest.hexdigest()[:16]


def load(testbed: str, key: str) -> Calibration | None:
    """Return the kept calibration of a testbed, None when there is none for this key.

    Raises:
        UsageError: the kept file is damaged.

    """
    path = _path(testbed)
    if not path.exists():
        return None
    try:
        kept = Calibration(**json.loads(path.read_text()))
    except (ValueError, TypeError, ValidationError) as error:
        raise UsageError(f"{path}: damaged calibration, delete it to calibrate again") from error
    return kept if kept.key == key else None


def keep(testbed: str, key: str, sizes: Sequence[SizeCalibration]) -> Calibration:
    """Merge new figures into the kept calibration of a testbed: greater ceilings and lower floors count.

    Returns:
        The calibration as kept.

    """
    before = load(testbed, key)
    best = {s.frame_size_bytes: s for s in before.sizes} if before else {}
    for new in sizes:
        old = best.get(new.frame_size_bytes, new)
        best[new.frame_size_bytes] = SizeCalibration(
            frame_size_bytes=new.frame_size_bytes,
            ceiling_pps=max(old.ceiling_pps, new.ceiling_pps),
            floor_p50_us=_least(old.floor_p50_us, new.floor_p50_us),
            floor_p99_us=_least(old.floor_p99_us, new.floor_p99_us),
        )
    merged = Calibration(
        testbed=testbed,
        key=key,
        measured_at_s=time.time(),
        runs=(before.runs if before else 0) + 1,
        sizes=tuple(best[size] for size in sorted(best)),
    )
    path = _path(testbed)
    fresh = path.with_suffix(".new")
    fresh.write_text(merged.model_dump_json(indent=1))
    fresh.replace(path)
    return merged


def _least(first: float | None, second: float | None) -> float | None:
    known = [value for value in (first, second) if value is not None]
    return min(known) if known else None


def _path(testbed: str) -> Path:
    folder = paths.state_dir() / "calibration"
    folder.mkdir(exist_ok=True)
    return folder / f"{testbed}.json"
