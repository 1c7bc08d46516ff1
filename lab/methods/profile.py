"""How thoroughly a run measures: frame sizes, durations, goals and loads under one name."""

from __future__ import annotations

from collections.abc import Collection

from lab.methods.back_to_back import BackToBackPlan
from lab.methods.bounds import Bounds
from lab.methods.critical_load import CriticalLoadPlan
from lab.methods.goals import RateGoal
from lab.methods.latency import LatencyPlan, LoadPoint, load_points
from lab.methods.load_limit import LoadLimit
from lab.methods.loss_rate import LossRatePlan
from lab.methods.mlr import MlrPlan
from lab.methods.mrr import MrrPlan
from lab.methods.pacing import TrialPacing
from lab.methods.recovery import RecoveryPlan
from lab.methods.reordering import ReorderingPlan
from lab.methods.reset import ResetPlan
from lab.methods.soak import SoakPlan
from lab.methods.throughput import ThroughputPlan
from lab.models import Model


class Depth(Model):
    """How thoroughly one test measures: at which frame sizes (none: not at all), for how long a trial, how often."""

    frame_sizes_bytes: tuple[int, ...]
    trial_s: float
    repetitions: int = 1


class Profile(Model):
    """One way to run the suites.

    ``frame_sizes_bytes`` are those of all tests but the plain binary search, which runs at
    ``throughput_sizes_bytes``, and those that have a ``Depth`` of their own. Of ``back_to_back`` the time of a trial is
    that of the longest burst, of ``recovery`` that of each of its two loads, of ``soak`` that of a part, each of which
    is a trial, as it is of ``critical_load``. Throughput is found once more with ``modifiers``, in trials of
    ``throughput_trial_s``. NDR and PDR are also searched for each of the ``mixes`` (see ``imix.parse``). ``reset``
    resets the DUT in each of the ``reset_kinds`` that it has, at ``reset_fraction`` of the throughput: a boot beside a
    generator on the same host takes time from it that it can only make up for below its own limit.

    Latency is measured at ``latency_fractions`` of NDR, reordering at ``reordering_fraction`` of it. Tagged rates are
    those of each direction. Layouts are compared at ``sharing_batches``, in ``sharing_blocks`` blocks of four windows
    each, two images in ``comparison_blocks`` blocks. ``search_expected_s`` is what NDR+PDR took at one frame size
    against the model of a DUT, overheads included; ``search_limit_s`` ends a search that finds no end.
    """

    name: str
    frame_sizes_bytes: tuple[int, ...]
    goals: tuple[RateGoal, ...]
    search_expected_s: float
    search_limit_s: float
    throughput_sizes_bytes: tuple[int, ...]
    throughput_trial_s: float
    throughput_resolution_ratio: float
    latency_fractions: tuple[float, ...]
    latency_trial_s: float
    latency_repetitions: int
    latency_tagged_pps: float
    latency_tagged_frames: int | None = None
    latency_tagged_after_s: float = 0.0
    reordering_fraction: float
    reordering_trial_s: float
    reordering_tagged_pps: float
    loss_rate: Depth
    back_to_back: Depth
    recovery: Depth
    reset: Depth
    reset_kinds: tuple[str, ...]
    reset_fraction: float = 1.0
    receive_rate: Depth
    soak: Depth
    soak_fraction: float = 0.9
    soak_loss_ratio: float = 0.001
    critical_load: Depth
    mixes: tuple[str, ...] = ()
    modifiers: Depth
    pacing: TrialPacing = TrialPacing()
    sharing_batches: tuple[int, ...]
    sharing_blocks: int
    comparison_blocks: int

    def sizes_bytes(self, test: str) -> tuple[int, ...] | None:
        """Return the frame sizes of a test that has a depth of its own (``loss_rate``); None where it has none."""
        depth = getattr(self, test, None)
        return depth.frame_sizes_bytes if isinstance(depth, Depth) else None

    def mlr_plan(self, frame_size_bytes: int, limit: LoadLimit, names: Collection[str] = ("NDR", "PDR")) -> MlrPlan:
        """Return the plan of the search for these goals at one frame size, up to ``limit``."""
        return MlrPlan(
            frame_size_bytes=frame_size_bytes,
            max_rate_pps=limit.rate_pps,
            goals=tuple(goal for goal in self.goals if goal.name in names),
            time_limit_s=self.search_limit_s,
            expected_s=self.search_expected_s * len(names) / len(self.goals),
        )

    def throughput_plan(self, frame_size_bytes: int, limit: LoadLimit) -> ThroughputPlan:
        """Return the plan of the plain binary search at one frame size, up to ``limit``."""
        return ThroughputPlan(
            frame_size_bytes=frame_size_bytes,
            max_rate_pps=limit.rate_pps,
            trial_duration_s=self.throughput_trial_s,
            resolution_ratio=self.throughput_resolution_ratio,
        )

    def loss_rate_plan(self, frame_size_bytes: int, limit: LoadLimit) -> LossRatePlan:
        """Return the plan of the frame loss rate at one frame size, from ``limit`` down."""
        return LossRatePlan(
            frame_size_bytes=frame_size_bytes,
            max_rate_pps=limit.rate_pps,
            line_rate_pps=limit.line_rate_pps,
            limited_by=limit.limited_by,
            trial_duration_s=self.loss_rate.trial_s,
        )

    def back_to_back_plan(self, throughput: Bounds, limit: LoadLimit, directions: int) -> BackToBackPlan:
        """Return the plan of the back-to-back test: bursts at ``limit``, of a DUT of this throughput."""
        return BackToBackPlan(
            frame_size_bytes=throughput.frame_size_bytes,
            burst_rate_pps=limit.rate_pps,
            line_rate_pps=limit.line_rate_pps,
            directions=directions,
            max_burst_s=self.back_to_back.trial_s,
            repetitions=self.back_to_back.repetitions,
            throughput_pps=throughput.lower_pps,
        )

    def recovery_plan(self, throughput: Bounds, limit: LoadLimit) -> RecoveryPlan | None:
        """Return the plan of system recovery from an overload of at most ``limit``; None without a throughput."""
        if throughput.lower_pps is None:
            return None
        return RecoveryPlan(
            frame_size_bytes=throughput.frame_size_bytes,
            throughput_pps=throughput.lower_pps,
            max_rate_pps=limit.rate_pps,
            limited_by=limit.limited_by,
            overload_s=self.recovery.trial_s,
            relief_s=self.recovery.trial_s,
            repetitions=self.recovery.repetitions,
        )

    def reset_plan(self, kind: str, frame_size_bytes: int, rate_pps: float) -> ResetPlan:
        """Return the plan of a reset of one kind at the profile's fraction of this load."""
        return ResetPlan(
            kind=kind,
            frame_size_bytes=frame_size_bytes,
            rate_pps=self.reset_fraction * rate_pps,
            trial_duration_s=self.reset.trial_s,
            repetitions=self.reset.repetitions,
        )

    def latency_plan(self, bounds: Bounds, directions: int = 2, floor_us: float | None = None) -> LatencyPlan:
        """Return the plan of the latency tests at fractions of what a search found.

        Args:
            bounds: what the search found.
            directions: that carry traffic.
            floor_us: median latency of the generator by itself, where known.

        """
        return LatencyPlan(
            frame_size_bytes=bounds.frame_size_bytes,
            loads=load_points(bounds, self.latency_fractions),
            trial_duration_s=self.latency_trial_s,
            repetitions=self.latency_repetitions,
            tagged_rate_pps=self.latency_tagged_pps,
            tagged_frames=self.latency_tagged_frames,
            tagged_after_s=self.latency_tagged_after_s,
            directions=directions,
            floor_us=floor_us,
        )

    def receive_rate_plan(self, frame_size_bytes: int, limit: LoadLimit) -> MrrPlan:
        """Return the plan of the maximum receive rate at one frame size, at ``limit``."""
        return MrrPlan(
            frame_size_bytes=frame_size_bytes,
            rate_pps=limit.rate_pps,
            limited_by=limit.limited_by,
            trial_duration_s=self.receive_rate.trial_s,
            repetitions=self.receive_rate.repetitions,
        )

    def soak_plan(self, bounds: Bounds) -> SoakPlan | None:
        """Return the plan of the soak test at a fraction of what a search found; None where it found no load."""
        points = load_points(bounds, (self.soak_fraction,))
        if not points:
            return None
        return SoakPlan(
            frame_size_bytes=bounds.frame_size_bytes,
            rate_pps=points[0].rate_pps,
            load=points[0].name,
            duration_s=self.soak.trial_s * self.soak.repetitions,
            chunk_s=self.soak.trial_s,
            loss_ratio=self.soak_loss_ratio,
        )

    def critical_load_plan(self, bounds: Bounds, limit: LoadLimit) -> CriticalLoadPlan | None:
        """Return the plan of the search for the critical load, from what a search found on; None without that."""
        if bounds.lower_pps is None:
            return None
        return CriticalLoadPlan(
            frame_size_bytes=bounds.frame_size_bytes,
            begin_pps=bounds.lower_pps,
            max_rate_pps=limit.rate_pps,
            loss_ratio=self.soak_loss_ratio,
            chunk_s=self.critical_load.trial_s,
            budget_s=self.critical_load.trial_s * self.critical_load.repetitions,
        )

    def reordering_plan(self, bounds: Bounds, fraction: float | None = None) -> ReorderingPlan | None:
        """Return the plan of the reordering test at a fraction of what a search found; None where it found no load.

        Args:
            bounds: what a search found.
            fraction: of it; None: the profile's.

        """
        points = load_points(bounds, (self.reordering_fraction if fraction is None else fraction,))
        return self.reordering_plan_at(bounds.frame_size_bytes, points[0]) if points else None

    def reordering_plan_at(self, frame_size_bytes: int, load: LoadPoint) -> ReorderingPlan:
        """Return the plan of the reordering test at a load."""
        return ReorderingPlan(
            frame_size_bytes=frame_size_bytes,
            load=load,
            trial_duration_s=self.reordering_trial_s,
            tagged_rate_pps=self.reordering_tagged_pps,
        )
