"""The calibrated parameters in a file that cannot be changed unnoticed: canonical JSON that holds its own SHA-256."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, ValidationError

from lab import paths
from lab.errors import UsageError
from lab.models import Model
from lab.simulation.calibration.fit import Sample
from lab.simulation.calibration.held import ranges as held_ranges
from lab.simulation.calibration.spread import Spread
from lab.simulation.calibration.states import Alone, StateName
from lab.simulation.facts import HostFacts
from lab.simulation.machine import Machine, Range, exactly, host
from lab.simulation.version import MODEL_VERSION

ANEW = "calibrate anew: pixlab calibrate"


class FittedPoint(Model):
    """A point that the fit looked at: operations a second, latency in ns one way."""

    point: str
    latency_ns: float
    measured: float
    fitted: float
    windows: int


class Frozen(Model):
    """What a calibration found, and of what.

    ``state`` is that of the machine whose windows were fitted, ``latency_ns`` its one-way core-to-core latency;
    ``samples`` are weighted draws of the fitted numbers; ``data_digest`` is the SHA-256 of the measurement,
    ``digest`` that of all the rest of this record.
    """

    model_version: str
    measured_at: str
    cpus: tuple[int, int]
    tsc_hz: float
    state: StateName
    latency_ns: Spread
    alone: Alone
    points: tuple[FittedPoint, ...]
    rms_log_error: float
    effective_samples: float
    samples: tuple[Sample, ...] = Field(min_length=1)
    data_digest: str
    digest: str = ""

    def sealed(self) -> Frozen:
        """Return this record with the digest that belongs to it."""
        return self.model_copy(update={"digest": digest_of(self.model_dump(mode="json", exclude={"digest"}))})

    def machine(self) -> Machine:
        """Return the model of this host with what was measured of it; the fitted numbers still have their priors."""
        facts = HostFacts(
            tsc_hz=self.tsc_hz,
            c2c_latency_ns_low=self.latency_ns.low,
            c2c_latency_ns_median=self.latency_ns.median,
            c2c_latency_ns_high=self.latency_ns.high,
        )
        return with_alone(host(facts), self.alone)

    def draws(self, machine: Machine, count: int, seed: int) -> list[dict[str, float]]:
        """Draw a machine's numbers with the fitted ones from this calibration: all draws weigh the same.

        Samples are picked by their weights (systematic resampling). A number that the machine does not have stays
        away, and one that it knows better keeps within the range that it knows.
        """
        generator = np.random.default_rng([seed, count])
        edges = np.cumsum([sample.weight for sample in self.samples])
        at = np.searchsorted(edges, (np.arange(count) + generator.random()) / count * edges[-1])
        picked = generator.permutation(np.minimum(at, len(self.samples) - 1))
        return [
            {**numbers, **_within(machine, self.samples[sample].numbers)}
            for numbers, sample in zip(machine.draws(count, seed), picked.tolist(), strict=True)
        ]


def with_alone(machine: Machine, alone: Alone) -> Machine:
    """Return a machine as its CPU was measured by itself, whose speculation is to be fitted."""
    source = "measured: pixlab calibrate, p10-p50-p90"
    clock = alone.clock_ghz

    def cycles(where: str) -> Range:
        load = alone.load_ns[where]
        low, median, high = (each * clock.median for each in (load.low, load.median, load.high))
        return Range(low, median, high, "cycles", source)

    measured = {
        "clock": Range(clock.low, clock.median, clock.high, "GHz", source),
        "l1": cycles("l1"),
        "shared_cache": cycles("l3"),
        "together": exactly(
            max(round(alone.stores_a_cycle), 1), "stores", "measured: pixlab calibrate, stores to a line"
        ),
        **held_ranges(alone.held, machine.ranges),
    }
    return with_open_speculation(replace(machine, ranges={**machine.ranges, **measured}))


def with_open_speculation(machine: Machine) -> Machine:
    """Return a machine that may do anything from waiting for every load to running on through the whole window."""
    anything = Range(0, 0.5, 1, "of the window", "prior: from blocking to fully speculative")
    return replace(machine, ranges={**machine.ranges, "overlap": anything})


def _within(machine: Machine, numbers: dict[str, float]) -> dict[str, float]:
    return {
        name: min(max(value, machine.ranges[name].low), machine.ranges[name].high)
        for name, value in numbers.items()
        if name in machine.ranges
    }


def digest_of(data: Any) -> str:
    """Return the SHA-256 of data as canonical JSON: sorted keys, no spaces."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def default_path() -> Path:
    """Return where the calibration of this host lies."""
    return paths.state_dir() / "simulation" / "calibration.json"


def save(frozen: Frozen, path: Path | None = None) -> Path:
    """Write a calibration; return where it lies.

    Raises:
        UsageError: it cannot be written.

    """
    path = path or default_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(frozen.sealed().model_dump(mode="json"), sort_keys=True, indent=1)
        part = path.with_suffix(".part")
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot write the calibration: {error.strerror}") from error
    return path


def load(path: Path | None = None) -> Frozen | None:
    """Read the calibration of this host; None where it was never calibrated.

    Raises:
        UsageError: the file was changed, belongs to another version of the model, or is none.

    """
    path = path or default_path()
    if not path.exists():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read as a calibration ({error!s:.80}); {ANEW}") from error
    version = data.get("model_version") if isinstance(data, dict) else None
    if version is None:
        raise UsageError(f"{path}: is no calibration; {ANEW}")
    rest = {name: value for name, value in data.items() if name != "digest"}
    if data.get("digest") != digest_of(rest):
        raise UsageError(f"{path}: was changed after it was frozen: its SHA-256 does not match; {ANEW}")
    if version != MODEL_VERSION:
        raise UsageError(f"{path}: belongs to version {version} of the model, this is {MODEL_VERSION}; {ANEW}")
    try:
        return Frozen.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{path}: is no calibration of this program ({where}: {first['msg']}); {ANEW}") from error
