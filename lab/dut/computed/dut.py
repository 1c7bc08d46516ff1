"""The model DUT with its generator as a Measurer in which no time passes, and what the right answers are."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from lab.dut.computed.losses import Lost, lost
from lab.dut.computed.records import Records
from lab.dut.computed.server import Server
from lab.dut.computed.traffic import Device, Pauses, Sent, schedule
from lab.errors import UsageError
from lab.methods.trial import (
    DirectionCount,
    Disturbance,
    LossTimes,
    StepCount,
    TrialRequest,
    TrialResult,
    WrongFrames,
    mix_line_rate_pps,
)
from lab.testbed.behaviour import Behaviour

SOURCE = "computed"
_DRAWS = 101  # trials of other seeds, half of which decide where chance does
_PRECISION = 1e-6
_GOLDEN = 0.6180339887  # its multiples, less whole numbers, are spread evenly
_TOP_PPS = 1e9
_LONGEST_BURST = 1 << 32


class ComputedDut:
    """A Measurer that computes what the model (lab/dut/model-dut) does with the frames of a trial.

    Frames of all directions together are evenly spaced, and no delay of rings and cores is added. Frames that a full
    queue drops are exact to the frame; where frames are lost by ``lose`` besides, the others come evenly spaced.
    The device has a clock and goes on from trial to trial, ``between_s`` apart: its ``seed`` decides what they meet.
    """

    def __init__(
        self,
        behaviour: Behaviour,
        *,
        directions: int = 2,
        speed_gbps: float = 10.0,
        generator_pps: float = math.inf,
        pauses: Pauses | None = None,
        between_s: float = 0.618,
    ) -> None:
        """Make a device whose clock is at 0.

        Args:
            behaviour: what it does to frames.
            directions: that carry traffic, port 0 to 1, 1 to 0, 2 to 3, ...
            speed_gbps: of each link; beyond line rate the generator falls short.
            generator_pps: what the generator can send at most, in all directions together.
            pauses: of the vCPU, which the result names as a disturbance.
            between_s: from the end of a trial to the begin of the next; by default trials begin at all times of an
                interval.

        Raises:
            UsageError: frames of this behaviour overtake each other by jitter, which is not computed.

        """
        if behaviour.jitter_ns and not behaviour.keeps_order:
            raise UsageError("the computed DUT keeps order under jitter: ask for keeps_order, or for move")
        self.behaviour = behaviour
        self.directions = directions
        self.speed_gbps = speed_gbps
        self.generator_pps = generator_pps
        self.pauses = pauses or Pauses()
        self.between_s = between_s
        self.requests: list[TrialRequest] = []
        self.begin()

    def begin(self) -> None:
        """Begin anew: clock, queue and numbers of frames at 0."""
        self.now_s = 0.0
        self._device = Device(self.behaviour, self.directions, Server(self.behaviour))
        self._random = np.random.default_rng([self.behaviour.seed, 0x70617573])

    def die(self, at_s: float, duration_s: float) -> None:
        """Lose what arrives in the next trial from ``at_s`` after its first frame on for so long.

        What waits in its queue still goes out. Several times may be set.
        """
        self._device.outages.append((self.now_s + at_s, self.now_s + at_s + duration_s))

    def measure(self, request: TrialRequest) -> TrialResult:
        """Compute one trial; see Measurer.measure."""
        self.requests.append(request)
        began_s = self.now_s
        disturbances = self._pause(request)
        sent = self._schedule(request)
        told = [self._tell(request, one) for one in sent]
        losses = [[lost(one.pieces, d, self.directions) for d in range(self.directions)] for one in told]
        self.now_s = began_s + request.total_s + self.between_s
        self._device.outages = [outage for outage in self._device.outages if outage[1] > self.now_s]
        return TrialResult(
            request=request,
            started_at_s=began_s,
            duration_s=request.total_s,
            directions=tuple(self._count(d, sent, losses, told) for d in range(self.directions)),
            latency=tuple(record for one in told for d in range(self.directions) for record in one.latency(d)),
            reordering=tuple(record for one in told for d in range(self.directions) for record in one.reordering(d)),
            disturbances=disturbances,
            steps=tuple(_steps(sent, losses)) if request.steps else (),
            loss_times=tuple(self._loss_times(sent, losses)),
        )

    def _tell(self, request: TrialRequest, sent: Sent) -> Records:
        """Take the frames of one load."""
        came = self._device.came
        pieces = self._device.pieces(sent)
        return Records(self.behaviour, self._random, request, self.directions, came, sent, pieces)

    def truth_pps(self, loss_ratio: float, duration_s: float, frame_size_bytes: int = 64) -> float:
        """Return the greatest load of which no more than this share is lost, in frames a second of all directions.

        Where chance decides, half of the trials with 101 other seeds lose no more at that load.
        Line rate is no limit to it, nor are the generator and its pauses.
        """

        def meets(rate_pps: float) -> bool:
            met = [
                self._loss_ratio(rate_pps, duration_s, frame_size_bytes, seed) <= loss_ratio for seed in self._seeds()
            ]
            return 2 * sum(met) >= len(met)

        return _greatest(meets, 1.0, _TOP_PPS)

    def truth_burst_frames(self, rate_pps: float, frame_size_bytes: int = 64) -> int:
        """Return the longest burst of each direction that is not lost from, with an empty queue at its begin.

        Args:
            rate_pps: of the burst, summed over the directions.
            frame_size_bytes: with FCS.

        """
        low, high = 0, _LONGEST_BURST
        while high - low > 1:
            middle = (low + high) // 2
            duration_s = middle * self.directions / rate_pps
            if self._loss_ratio(rate_pps, duration_s, frame_size_bytes, self.behaviour.seed) == 0:
                low = middle
            else:
                high = middle
        return low

    def _seeds(self) -> range:
        told = self.behaviour
        by_chance = bool(told.noise_ratio or told.slow_share or told.lose.ratio)
        return range(1 << 16, (1 << 16) + (_DRAWS if by_chance else 1))

    def _loss_ratio(self, rate_pps: float, duration_s: float, frame_size_bytes: int, seed: int) -> float:
        """Return what a new device of that seed loses, for whatever speed of the links."""
        told = self.behaviour.model_copy(update={"seed": seed})
        request = TrialRequest(
            frame_size_bytes=frame_size_bytes, rate_pps=rate_pps, duration_s=duration_s, tagged=False
        )
        device = Device(told, self.directions, Server(told))
        phase_s = told.interval_ms / 1e3 * (_GOLDEN * seed % 1.0)  # trials begin at any time of an interval
        (sent,) = schedule(request.loads, phase_s, self.directions, math.inf, None)
        pieces = device.pieces(sent)
        gone = sum(lost(pieces, d, self.directions).frames for d in range(self.directions))
        return gone / (sent.frames * self.directions) if sent.frames else 0.0

    def _schedule(self, request: TrialRequest) -> list[Sent]:
        """Return what the generator sends; a little above line rate is rounding."""
        if request.tagged_only and request.tagged_frames is not None:
            return [Sent(at_s=self.now_s, gap_s=1.0 / request.rate_pps, frames=0, intended_frames=0)]
        mix_bytes = request.mix_bytes or (request.frame_size_bytes,)
        line_pps = self.directions * mix_line_rate_pps(mix_bytes, self.speed_gbps)
        greatest_pps = min(self.generator_pps, line_pps * (1 + 1e-6))
        return schedule(request.loads, self.now_s, self.directions, greatest_pps, request.burst_frames)

    def _pause(self, request: TrialRequest) -> tuple[Disturbance, ...]:
        pauses = self.pauses
        if not pauses.length_s or self._random.random() >= pauses.chance:
            return ()
        if request.rate_pps >= pauses.hurts_from_pps:
            self.die(request.duration_s / 2, pauses.length_s)
        return (Disturbance(who="vCPU 1", core=1, run_delay_ns=int(pauses.length_s * 1e9)),)

    def _count(self, direction: int, sent: list[Sent], losses: list[list[Lost]], told: list[Records]) -> DirectionCount:
        more, more_arrived = (sum(counts) for counts in zip(*(one.on_top(direction) for one in told), strict=True))
        total = sum(one.frames for one in sent)
        copied = sum(one.copied(direction) for one in told)
        ports = _ports(direction)
        wrong = WrongFrames(kind="duplicate", frames=copied, port=ports["rx_port"], reason="", first_hex="")
        return DirectionCount(
            **ports,
            intended_frames=sum(one.intended_frames for one in sent) + more,
            sent_frames=total + more,
            received_frames=total - sum(step[direction].frames for step in losses) + more_arrived,
            verified=True,
            reordered_frames=sum(one.moved(direction) for one in told),
            wrong=(wrong,) if copied else (),
        )

    def _loss_times(self, sent: list[Sent], losses: list[list[Lost]]) -> list[LossTimes]:
        exact = self.behaviour.move.none and self.behaviour.duplicate.none
        return [
            _times(step, direction, one.gap_s * self.directions, of_step[direction], exact)
            for step, (one, of_step) in enumerate(zip(sent, losses, strict=True))
            for direction in range(self.directions)
        ]


def _ports(direction: int) -> dict[str, int]:
    return {"tx_port": direction, "rx_port": direction ^ 1}


def _steps(sent: list[Sent], losses: list[list[Lost]]) -> list[StepCount]:
    return [
        StepCount(
            step=step,
            **_ports(direction),
            sent_frames=one.frames,
            received_frames=one.frames - gone.frames,
        )
        for step, (one, of_step) in enumerate(zip(sent, losses, strict=True))
        for direction, gone in enumerate(of_step)
    ]


def _times(step: int, direction: int, frame_time_s: float, gone: Lost, exact: bool) -> LossTimes:
    return LossTimes(
        step=step,
        **_ports(direction),
        frame_time_s=frame_time_s,
        lost_frames=gone.frames,
        first_lost_at_s=gone.first * frame_time_s if gone.frames else None,
        last_lost_at_s=gone.last * frame_time_s if gone.frames else None,
        longest_at_s=gone.longest_at * frame_time_s if gone.frames else None,
        longest_frames=gone.longest,
        exact=exact,
        source=SOURCE,
    )


def _greatest(meets: Callable[[float], bool], low: float, high: float) -> float:
    """Return the greatest value that meets a condition that holds up to there, by bisection."""
    if meets(high):
        return high
    while high - low > _PRECISION * high:
        middle = (low * high) ** 0.5 if high > 2 * low else (low + high) / 2
        if meets(middle):
            low = middle
        else:
            high = middle
    return low
