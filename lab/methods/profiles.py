"""The profiles that there are: how thoroughly a run measures, under one name each."""

from __future__ import annotations

from lab.errors import UsageError, near_misses
from lab.methods.goals import NDR, PDR, PDR_LOSS_RATIO, STRICT, RateGoal
from lab.methods.pacing import RFC2544_PACING
from lab.methods.profile import Depth, Profile

RFC2544_SIZES_BYTES = (64, 128, 256, 512, 1024, 1280, 1518)
_SOME_SIZES_BYTES = (64, 512, 1518)


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
    reordering_fraction=0.7,
    reordering_trial_s=1.0,
    reordering_tagged_pps=200_000.0,
    loss_rate=Depth(frame_sizes_bytes=(64,), trial_s=1.0),
    back_to_back=Depth(frame_sizes_bytes=(64,), trial_s=0.2, repetitions=3),
    recovery=Depth(frame_sizes_bytes=(64,), trial_s=1.0, repetitions=2),
    reset=Depth(frame_sizes_bytes=(), trial_s=30.0),
    reset_kinds=(),
    receive_rate=Depth(frame_sizes_bytes=(64,), trial_s=1.0, repetitions=3),
    soak=Depth(frame_sizes_bytes=(), trial_s=1.0),
    critical_load=Depth(frame_sizes_bytes=(), trial_s=1.0),
    modifiers=Depth(frame_sizes_bytes=(), trial_s=1.0),
    sharing_batches=(1, 8, 32, 64),
    sharing_blocks=10,
    comparison_blocks=3,
)

STANDARD = Profile(
    name="standard",
    frame_sizes_bytes=RFC2544_SIZES_BYTES,
    goals=(NDR, PDR),
    search_expected_s=180.0,
    search_limit_s=1200.0,
    throughput_sizes_bytes=_SOME_SIZES_BYTES,
    throughput_trial_s=1.0,
    throughput_resolution_ratio=0.005,
    latency_fractions=(0.0, 0.1, 0.5, 0.9, 1.0),
    latency_trial_s=2.0,
    latency_repetitions=3,
    latency_tagged_pps=10_000.0,
    reordering_fraction=0.9,
    reordering_trial_s=2.0,
    reordering_tagged_pps=200_000.0,
    loss_rate=Depth(frame_sizes_bytes=RFC2544_SIZES_BYTES, trial_s=2.0),
    back_to_back=Depth(frame_sizes_bytes=_SOME_SIZES_BYTES, trial_s=1.0, repetitions=10),
    recovery=Depth(frame_sizes_bytes=_SOME_SIZES_BYTES, trial_s=5.0, repetitions=3),
    reset=Depth(frame_sizes_bytes=(64,), trial_s=60.0),
    reset_kinds=("software", "hardware", "power", "model"),
    reset_fraction=0.5,
    receive_rate=Depth(frame_sizes_bytes=RFC2544_SIZES_BYTES, trial_s=1.0, repetitions=10),
    soak=Depth(frame_sizes_bytes=(64,), trial_s=1.0, repetitions=60),
    critical_load=Depth(frame_sizes_bytes=(64,), trial_s=1.0, repetitions=120),
    mixes=("simple",),
    modifiers=Depth(frame_sizes_bytes=(64,), trial_s=1.0),
    sharing_batches=(1, 2, 4, 8, 16, 32, 64),
    sharing_blocks=40,
    comparison_blocks=6,
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
    latency_tagged_frames=1,
    latency_tagged_after_s=60.0,
    reordering_fraction=1.0,
    reordering_trial_s=10.0,
    reordering_tagged_pps=200_000.0,
    loss_rate=Depth(frame_sizes_bytes=RFC2544_SIZES_BYTES, trial_s=60.0),
    back_to_back=Depth(frame_sizes_bytes=RFC2544_SIZES_BYTES, trial_s=2.0, repetitions=50),
    recovery=Depth(frame_sizes_bytes=RFC2544_SIZES_BYTES, trial_s=60.0, repetitions=10),
    reset=Depth(frame_sizes_bytes=(64,), trial_s=120.0, repetitions=3),
    reset_kinds=("software", "hardware", "power", "model"),
    receive_rate=Depth(frame_sizes_bytes=RFC2544_SIZES_BYTES, trial_s=60.0, repetitions=10),
    soak=Depth(frame_sizes_bytes=RFC2544_SIZES_BYTES, trial_s=60.0, repetitions=120),
    critical_load=Depth(frame_sizes_bytes=RFC2544_SIZES_BYTES, trial_s=10.0, repetitions=360),
    mixes=("simple", "rfc6985"),
    modifiers=Depth(frame_sizes_bytes=RFC2544_SIZES_BYTES, trial_s=60.0),
    pacing=RFC2544_PACING,
    sharing_batches=(1, 2, 4, 8, 16, 32, 64),
    sharing_blocks=40,
    comparison_blocks=12,
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
