"""The shape of results.json, version 1. docs/results-schema.md explains it, schema.json is exported from it.

Rates are summed over the directions of traffic; sizes include the FCS; absent values are null, never 0.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lab.methods.latency import LatencyAtLoad
from lab.methods.reordering import ReorderingAtLoad
from lab.methods.trial import HopLoss
from lab.models import Model
from lab.results.finding import Finding
from lab.simulation.consistency import Consistency

SCHEMA_VERSION: Literal[1] = 1


class Image(Model):
    """The image asked for, and the digests that prove what was served and what booted (null until known).

    ``layout`` is empty for an image that is not PIX. Such a system cannot tell the digest of what it was booted from
    (``booted_sha256`` stays null): it is known by the build id that it tells, ``booted_build_id``.
    """

    name: str
    layout: str
    version: str
    build_id: str
    asked_sha256: str
    served_sha256: str | None = None
    booted_sha256: str | None = None
    booted_build_id: str | None = None

    @property
    def booted(self) -> bool:
        """Whether the running system has told what it is."""
        return self.booted_sha256 is not None or self.booted_build_id is not None

    @property
    def proved(self) -> bool:
        """Whether what was asked for is what was served and what booted."""
        booted = self.booted_sha256 or (self.asked_sha256 if self.booted_build_id == self.build_id else None)
        return self.asked_sha256 == self.served_sha256 == booted


class Boot(Model):
    """How the DUT came up: what runs its cores, why that was chosen, and how long each phase took."""

    accelerator: str
    reason: str
    phases_s: dict[str, float]
    details: dict[str, str] = Field(default_factory=dict)


class Environment(Model):
    """The machine that ran the lab."""

    host: str
    cpu: str
    cores: int
    memory_gib: float
    kernel: str
    versions: dict[str, str]


class Generator(Model):
    """The traffic generator and what its calibration on a wire found, by frame size in bytes."""

    name: str
    version: str
    ceilings_pps: dict[int, float]
    latency_floor_us: dict[int, float]


class Dut(Model):
    """What was measured."""

    name: str
    version: str
    cores: int
    ports: int
    details: dict[str, str] = Field(default_factory=dict)


class BaselineBand(Model):
    """What the simulation says of one machine and layout: 5, 50 and 95 percent of its prediction.

    ``calibration`` is the SHA-256 of the calibrated parameters that it was made with, null for none.
    """

    machine: str
    layout: str
    low_pps: float
    median_pps: float
    high_pps: float
    limited_by: str
    calibration: str | None = None


class LatencyBand(Model):
    """What the simulation says of a latency on one machine with one layout: 5, 50 and 95 percent of its prediction."""

    machine: str
    layout: str
    low_us: float
    median_us: float
    high_us: float


class Measurement(Model):
    """One number of the run.

    ``low`` and ``high`` bound the value, in its unit; null above means that nothing greater could be asked for, and
    ``high_in_doubt`` that pauses of the test host explain the loss at ``high``.
    ``value`` is null where there is none, and ``error`` then says why. ``verdict`` is one word, ``reason`` its
    sentence, and ``likelihood_ratio`` how many times likelier the value is under the padded layout than under the
    packed one. ``baselines`` stand beside rates, ``latency_baselines`` beside latencies.
    """

    test: str
    frame_size_bytes: int
    metric: str
    value: float | None
    unit: str
    low: float | None = None
    high: float | None = None
    high_in_doubt: bool = False
    verdict: str | None = None
    likelihood_ratio: float | None = None
    reason: str | None = None
    line_rate_pps: float | None = None
    ceiling_pps: float | None = None
    baselines: tuple[BaselineBand, ...] = ()
    latency_baselines: tuple[LatencyBand, ...] = ()
    trials: int = 0
    invalid_trials: int = 0
    error: str | None = None


class SearchTrial(Model):
    """One trial of a search; ``reasons`` say why it does not count, ``hop_losses`` where its frames were lost."""

    rate_pps: float
    duration_s: float
    loss_ratio: float
    valid: bool
    reasons: tuple[str, ...]
    disturbed: bool
    hop_losses: tuple[HopLoss, ...] = ()


class Search(Model):
    """All trials of one method at one frame size, in order; ``error`` where it came to no result."""

    test: str
    kind: str
    frame_size_bytes: int
    trials: tuple[SearchTrial, ...]
    error: str | None = None


class LayoutComparison(Model):
    """The packed layout (false sharing on) against the padded one (off), measured in turns in one state of the machine.

    ``where`` is ``host`` (threads), ``image`` (microbenchmark in the booted image) or ``packets`` (generator, image).
    Rates are medians of what ``unit`` says. ``low`` and ``high`` bound the ratio packed / padded with a confidence of
    95 %; ``effect`` is Cliff's delta (1: padded always faster). ``state`` is ``near`` or ``far`` where the core-to-core
    latency took two values, else ``all``. ``predicted_*`` are 5, 50 and 95 % of the simulated ratio; null where there
    is none, and ``verdict`` says whether the measured one is as simulated. ``verified``: everything that was sent
    arrived once, in order and unchanged; null where only counts were compared.
    """

    test: str
    bench: str
    where: Literal["host", "image", "packets"]
    unit: str
    cores: int
    batch: int | None
    queue_length: int | None
    state: Literal["all", "near", "far"]
    c2c_ns: float | None
    packed_rate: float
    padded_rate: float
    ratio: float
    low: float
    high: float
    effect: float
    windows: int
    left_out: int
    predicted_low: float | None = None
    predicted_median: float | None = None
    predicted_high: float | None = None
    verdict: str | None = None
    verified: bool | None = None


class PathCycles(Model):
    """Busy cycles a packet of the running image in one state of the machine, measured under traffic and predicted.

    ``state`` and ``c2c_ns`` as in a comparison of layouts; the latency is that around the trials, from which the
    prediction comes (5, 50 and 95 %). ``work_cycles`` is what forwarding costs on one core that shares nothing, as
    measured by threads of the host. ``measured_cycles`` is the median of ``trials``; ``ratio`` is over the predicted
    median.
    """

    test: str
    state: Literal["all", "near", "far"]
    c2c_ns: float
    forwarded_pps: float
    frames_a_turn: float
    work_cycles: float
    measured_cycles: float
    measured_least: float
    measured_greatest: float
    predicted_low: float
    predicted_median: float
    predicted_high: float
    ratio: float
    trials: int


class Outcome(Model):
    """How one test of the suite ended; ``message`` is the first line of a failure or the reason of a skip."""

    test: str
    title: str
    outcome: Literal["passed", "failed", "skipped", "error"]
    duration_s: float
    message: str = ""


class Results(Model):
    """Everything of one run.

    ``complete`` is false where the run was killed; ``lab_errors`` are faults of the lab itself.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    run_id: str
    suite: str
    testbed: str
    profile: str
    started_at: str
    ended_at: str | None
    complete: bool
    exit_code: int | None
    image: Image | None
    boot: Boot | None
    environment: Environment
    generator: Generator | None
    dut: Dut | None
    measurements: tuple[Measurement, ...]
    searches: tuple[Search, ...]
    latency: tuple[LatencyAtLoad, ...]
    reordering: tuple[ReorderingAtLoad, ...]
    findings: tuple[Finding, ...] = ()
    comparisons: tuple[LayoutComparison, ...] = ()
    path_cycles: tuple[PathCycles, ...] = ()
    published: tuple[Consistency, ...] = ()
    tests: tuple[Outcome, ...]
    lab_errors: tuple[str, ...]
    notes: tuple[str, ...]
