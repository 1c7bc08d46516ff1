"""A software model of a DUT behind a generator, with known truth: the Measurer of the tests."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from hdrh.histogram import HdrHistogram

from lab.methods.trial import DirectionCount, Disturbance, LatencyRecord, ReorderingRecord, TrialRequest, TrialResult
from lab.metrics.reordering import reordering_record


@dataclass
class ModelDut:
    """Forwards up to ``capacity_pps`` (varying by ``noise`` from trial to trial), and loses what is more.

    ``stall_s`` is a pause of the vCPU, in a trial with the chance ``stall_chance``: frames of that time are lost,
    unless the load is below ``stall_hurts_from_pps`` and the rings hold them.
    ``generator_pps`` is what the generator can send at most; beyond, it falls short. ``base_loss_ratio`` is lost at
    any load, the latency is ``latency_us`` plus an exponential tail, and a share ``swapped`` of the tagged frames
    changes places.
    """

    capacity_pps: float
    noise: float = 0.0
    base_loss_ratio: float = 0.0
    stall_chance: float = 0.0
    stall_s: float = 0.0
    stall_hurts_from_pps: float = 0.0
    generator_pps: float = float("inf")
    latency_us: float = 10.0
    swapped: float = 0.0
    seed: int = 0
    requests: list[TrialRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)

    def measure(self, request: TrialRequest) -> TrialResult:
        self.requests.append(request)
        rate_pps = min(request.rate_pps, self.generator_pps)
        capacity_pps = self.capacity_pps * (1.0 + self.noise * self._random.standard_normal())
        stalled = self.stall_s > 0 and self._random.random() < self.stall_chance
        loss_ratio = max(self.base_loss_ratio, 1.0 - capacity_pps / rate_pps)
        if stalled and rate_pps >= self.stall_hurts_from_pps:
            loss_ratio = max(loss_ratio, self.stall_s / request.duration_s)
        return TrialResult(
            request=request,
            started_at_s=0.0,
            duration_s=request.duration_s,
            directions=tuple(self._count(request, tx, rate_pps, loss_ratio) for tx in (0, 1)),
            latency=tuple(self._latency(request, tx) for tx in (0, 1)) if request.tagged else (),
            reordering=tuple(self._order(request, tx) for tx in (0, 1)) if request.tagged else (),
            disturbances=(Disturbance(who="vCPU 1", core=1, run_delay_ns=int(self.stall_s * 1e9)),) if stalled else (),
        )

    def _count(self, request: TrialRequest, tx: int, rate_pps: float, loss_ratio: float) -> DirectionCount:
        intended = round(request.rate_pps / 2 * request.duration_s)
        sent = min(intended, round(rate_pps / 2 * request.duration_s))
        return DirectionCount(
            tx_port=tx,
            rx_port=1 - tx,
            intended_frames=intended,
            sent_frames=sent,
            received_frames=sent - int(sent * loss_ratio),
        )

    def _latency(self, request: TrialRequest, tx: int) -> LatencyRecord:
        count = int(request.tagged_rate_pps * request.duration_s)
        samples = (1000 * (self.latency_us + self._random.exponential(1.0, count))).astype(int)
        histogram = HdrHistogram(1, 10_000_000_000, 3)
        for sample in samples:
            histogram.record_value(int(sample))
        return LatencyRecord(
            tx_port=tx,
            rx_port=1 - tx,
            count=count,
            min_ns=int(samples.min()),
            max_ns=int(samples.max()),
            mean_ns=float(samples.mean()),
            hdr=histogram.encode().decode(),
            source="model",
        )

    def _order(self, request: TrialRequest, tx: int) -> ReorderingRecord:
        sent = int(request.tagged_rate_pps * request.duration_s)
        arrivals = np.arange(sent, dtype=np.uint32)
        for at in range(0, sent - 1, 2)[: int(sent * self.swapped)]:
            arrivals[at], arrivals[at + 1] = arrivals[at + 1], arrivals[at]
        return reordering_record(arrivals, sent=sent, tx_port=tx, rx_port=1 - tx, complete=True, source="model")
