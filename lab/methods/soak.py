"""Soak: a long run at one load, in chunks, and what it says of the loss to come.

A run of a minute cannot see what happens once in ten. A soak test runs for long and bounds the loss ratio from what
each chunk lost: losses come in bursts, so chunks are the draws, not frames. Each chunk is a trial of its own, so that
one that the test host disturbed is repeated alone, and a run that was killed goes on where it was.
"""

from __future__ import annotations

import math
from typing import Literal

from lab.methods.repeat import Conditions, TooDisturbed, Trials
from lab.methods.trial import Measurer, TrialRequest, TrialResult
from lab.metrics.confidence import mean_lower, mean_upper, share_upper
from lab.models import Model

SEARCH = "soak"

Verdict = Literal["below", "above", "open"]


class SoakPlan(Model):
    """What to run: at ``rate_pps``, summed over the directions, for ``duration_s`` in chunks of ``chunk_s``.

    ``loss_ratio`` is the critical one that the run is to be told below or above of, with this ``confidence``.
    ``burst_s`` is the longest outage that must be reckoned with though none was seen: what no run of any length can
    rule out, a judgement must bring (10 ms is a pause of a scheduler).
    """

    frame_size_bytes: int
    rate_pps: float
    duration_s: float
    loss_ratio: float
    load: str = ""
    chunk_s: float = 1.0
    confidence: float = 0.95
    burst_s: float = 0.01
    mix_bytes: tuple[int, ...] = ()

    @property
    def chunks(self) -> int:
        """How many chunks the run has, at least one."""
        return max(1, math.ceil(self.duration_s / self.chunk_s))


class Chunk(Model):
    """One chunk: frames of all directions. ``counts`` is false where pauses of the test host may be all of the loss."""

    at_s: float
    sent_frames: int
    lost_frames: int
    counts: bool


class Soak(Model):
    """Loss over a long run at one load.

    ``loss_ratio`` is the mean over the chunks that count, ``loss_ratio_low`` and ``loss_ratio_high`` bound it, each
    with the ``confidence``; the upper one is above 0 without any loss, as ``burst_s`` says. Of the chunks
    ``lossy_chunks`` lost a frame and ``high_loss_chunks`` more than the ``critical_loss_ratio``; with the confidence
    no more than the share ``high_loss_share_high`` of all chunks to come does. ``verdict`` is that of the bounds
    against the critical loss ratio. ``trials`` includes the ``invalid_trials``.
    """

    frame_size_bytes: int
    load: str
    rate_pps: float
    chunk_s: float
    critical_loss_ratio: float
    confidence: float
    burst_s: float
    loss_ratio: float
    loss_ratio_low: float
    loss_ratio_high: float
    lossy_chunks: int
    high_loss_chunks: int
    high_loss_share_high: float
    verdict: Verdict
    chunks: tuple[Chunk, ...]
    trials: int
    invalid_trials: int

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        counted = sum(chunk.counts for chunk in self.chunks)
        what = {
            "below": f"loss ratio below {self.critical_loss_ratio:g}",
            "above": f"loss ratio above {self.critical_loss_ratio:g}",
            "open": f"loss ratio between {self.loss_ratio_low:.2g} and {self.loss_ratio_high:.2g}, which tells neither "
            f"below nor above {self.critical_loss_ratio:g}",
        }[self.verdict]
        return f"{what} with {100 * self.confidence:g} % confidence after {counted} chunks of {self.chunk_s:g} s"


def measure(measurer: Measurer, plan: SoakPlan, conditions: Conditions) -> Soak:
    """Run the soak test.

    Args:
        measurer: runs single trials; invalid ones are repeated here.
        plan: what to run.
        conditions: of the run.

    Raises:
        TooDisturbed: a chunk never counted for another reason than loss in doubt, or no chunk at all counted.
        LabError: the lab failed.

    """
    expected_s = plan.chunks * (plan.chunk_s + conditions.overhead_s)
    trials = Trials(measurer, conditions, SEARCH, loss_ratios=(0.0,), expected_s=expected_s)
    request = TrialRequest(
        frame_size_bytes=plan.frame_size_bytes,
        rate_pps=plan.rate_pps,
        duration_s=plan.chunk_s,
        tagged=False,
        mix_bytes=plan.mix_bytes,
    )
    results = [trials.measure(request) for _ in range(plan.chunks)]
    ratios = [result.loss_ratio for result in results if not result.invalid]
    if not ratios:
        raise TooDisturbed(
            f"{SEARCH} at {plan.frame_size_bytes} bytes, {plan.rate_pps:.0f} pps: pauses of the test host explain the "
            f"loss in each of {plan.chunks} chunks; give the polling cores to the lab alone"
        )
    low = mean_lower(ratios, plan.confidence)
    high = mean_upper(ratios, plan.burst_s / plan.chunk_s, plan.confidence)
    above = sum(ratio > plan.loss_ratio for ratio in ratios)
    return Soak(
        frame_size_bytes=plan.frame_size_bytes,
        load=plan.load,
        rate_pps=plan.rate_pps,
        chunk_s=plan.chunk_s,
        critical_loss_ratio=plan.loss_ratio,
        confidence=plan.confidence,
        burst_s=plan.burst_s,
        loss_ratio=sum(ratios) / len(ratios),
        loss_ratio_low=low,
        loss_ratio_high=high,
        lossy_chunks=sum(ratio > 0.0 for ratio in ratios),
        high_loss_chunks=above,
        high_loss_share_high=share_upper(above, len(ratios), plan.confidence),
        verdict="below" if high <= plan.loss_ratio else "above" if low > plan.loss_ratio else "open",
        chunks=tuple(_chunk(result, plan, number) for number, result in enumerate(results)),
        trials=len(trials.results),
        invalid_trials=trials.invalid_count,
    )


def _chunk(result: TrialResult, plan: SoakPlan, number: int) -> Chunk:
    return Chunk(
        at_s=number * plan.chunk_s,
        sent_frames=result.sent_frames,
        lost_frames=result.lost_frames,
        counts=not result.invalid,
    )
