"""How thoroughly a run measures: frame sizes, durations, goals and loads under one name."""

from __future__ import annotations

from collections.abc import Collection

from lab.errors import UsageError, near_misses
from lab.methods.bounds import Bounds
from lab.methods.goals import NDR, PDR, PDR_LOSS_RATIO, STRICT, RateGoal
from lab.methods.latency import LatencyPlan, LoadPoint, load_points
from lab.methods.load_limit import LoadLimit
from lab.methods.mlr import MlrPlan
from lab.methods.reordering import ReorderingPlan
from lab.methods.throughput import ThroughputPlan
from lab.models import Model

RFC2544_SIZES_BYTES = (64, 128, 256, 512, 1024, 1280, 1518)


class Profile(Model):
    """One way to run the suites.

    ``frame_sizes_bytes`` are those of all tests but the plain binary search, which runs at
    ``throughput_sizes_bytes``. Latency is measured at ``latency_fractions`` of NDR, reordering at
    ``reordering_fraction`` of it. Tagged rates are those of each direction. Layouts are compared at
    ``sharing_batches``, in ``sharing_blocks`` blocks of four windows each. ``search_expected_s`` is what NDR+PDR took
    at one frame size against the model of a DUT, overheads included; ``search_limit_s`` ends a search that finds no
    end.
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
    reordering_fraction: float
    reordering_trial_s: float
    reordering_tagged_pps: float
    sharing_batches: tuple[int, ...]
    sharing_blocks: int

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

    def latency_plan(self, bounds: Bounds) -> LatencyPlan:
        """Return the plan of the latency tests at fractions of what a search found."""
        return LatencyPlan(
            frame_size_bytes=bounds.frame_size_bytes,
            loads=load_points(bounds, self.latency_fractions),
            trial_duration_s=self.latency_trial_s,
            repetitions=self.latency_repetitions,
            tagged_rate_pps=self.latency_tagged_pps,
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


def _quick(goal: RateGoal) -> RateGoal:
    return goal.model_copy(update={"initial_trial_s": 0.5, "duration_sum_s": 5.0})


def _strict(name: str, loss_ratio: float) -> RateGoal:
    return STRICT.model_copy(update={"name": name, "loss_ratio": loss_ratio})


# Trials of a second: a cloud machine that keeps both cores busy is put to sleep for 0.1 s every few seconds, which
# makes nearly every longer trial invalid.
QUICK = Profile(
    name="quick",
    frame_sizes_bytes=(64, 512, 1518),
    goals=(_quick(NDR), _quick(PDR)),
    search_expected_s=40.0,
    search_limit_s=180.0,
    throughput_sizes_bytes=(64,),
    throughput_trial_s=1.0,
    throughput_resolution_ratio=0.01,
    latency_fractions=(0.1, 0.5, 0.9),
    latency_trial_s=1.0,
    latency_repetitions=1,
    latency_tagged_pps=10_000.0,
    reordering_fraction=0.9,
    reordering_trial_s=1.0,
    reordering_tagged_pps=200_000.0,
    sharing_batches=(1, 8, 32, 64),
    sharing_blocks=10,
)

STANDARD = Profile(
    name="standard",
    frame_sizes_bytes=RFC2544_SIZES_BYTES,
    goals=(NDR, PDR),
    search_expected_s=180.0,
    search_limit_s=1200.0,
    throughput_sizes_bytes=RFC2544_SIZES_BYTES,
    throughput_trial_s=10.0,
    throughput_resolution_ratio=0.005,
    latency_fractions=(0.1, 0.5, 0.9, 1.0),
    latency_trial_s=5.0,
    latency_repetitions=3,
    latency_tagged_pps=10_000.0,
    reordering_fraction=0.9,
    reordering_trial_s=5.0,
    reordering_tagged_pps=200_000.0,
    sharing_batches=(1, 2, 4, 8, 16, 32, 64),
    sharing_blocks=40,
)

# RFC 2544: final trials of at least 60 s without any loss (section 24); latency at the throughput rate, 20
# repetitions of at least 120 s (section 26.2).
RFC2544 = Profile(
    name="rfc2544",
    frame_sizes_bytes=RFC2544_SIZES_BYTES,
    goals=(_strict("NDR", 0.0), _strict("PDR", PDR_LOSS_RATIO)),
    search_expected_s=400.0,
    search_limit_s=7200.0,
    throughput_sizes_bytes=RFC2544_SIZES_BYTES,
    throughput_trial_s=60.0,
    throughput_resolution_ratio=0.005,
    latency_fractions=(1.0,),
    latency_trial_s=120.0,
    latency_repetitions=20,
    latency_tagged_pps=1_000.0,
    reordering_fraction=1.0,
    reordering_trial_s=10.0,
    reordering_tagged_pps=200_000.0,
    sharing_batches=(1, 2, 4, 8, 16, 32, 64),
    sharing_blocks=40,
)

PROFILES = {p.name: p for p in (QUICK, STANDARD, RFC2544)}


def profile(name: str) -> Profile:
    """Return the profile of that name.

    Raises:
        UsageError: there is none; the message names those there are.

    """
    if name not in PROFILES:
        raise UsageError(f"no profile {name!r}: {near_misses(name, PROFILES)}")
    return PROFILES[name]
