"""What happened to the frames of a trial that arrived: moved, copied, delayed; by direction."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from lab.dut.computed.chance import Floats, Numbers, Purpose
from lab.dut.computed.losses import Piece
from lab.dut.computed.picks import picked
from lab.dut.computed.tagged import Mask, arrivals, drop_shares, latency_record, waits
from lab.dut.computed.traffic import Sent
from lab.methods.trial import LatencyRecord, ReorderingRecord, TrialRequest
from lab.metrics.reordering import reordering_record
from lab.testbed.behaviour import Behaviour, Picks

SOURCE = "computed"
_TAGGED_MOST = 0.5  # of the load of a direction, as lab/traffic/load.py has it


class Records:
    """The records of one trial. Tagged frames are frames like others: their numbers decide what happens to them."""

    def __init__(
        self,
        behaviour: Behaviour,
        random: np.random.Generator,
        request: TrialRequest,
        directions: int,
        began_s: float,
        came: int,
        steps: Sequence[tuple[Sent, Sequence[Piece]]],
    ) -> None:
        """Bind the truth of a trial.

        Args:
            behaviour: of the device.
            random: for jitter, and for which tagged frames are lost to a full queue.
            request: of the trial.
            directions: that carry traffic.
            began_s: time of the first frame, by the clock of the device.
            came: frames of each direction that came before it.
            steps: each load with what became of its frames.

        """
        self._behaviour = behaviour
        self._random = random
        self._request = request
        self._directions = directions
        self._began_s = began_s
        self._came = came
        self._steps = steps
        self._pieces = [piece for _, pieces in steps for piece in pieces]
        self._sent_frames = sum(sent.frames for sent, _ in steps)

    def moved(self, direction: int) -> int:
        """Return how many frames that arrived had been passed by others."""
        return self._happened(self._behaviour.move, Purpose.MOVE, direction)

    def copied(self, direction: int) -> int:
        """Return how many copies arrived."""
        return self._happened(self._behaviour.duplicate, Purpose.DUPLICATE, direction)

    def latency(self, direction: int) -> list[LatencyRecord]:
        """Return the latency of the tagged frames that arrived, if any."""
        arrived = self._arrived(direction)
        if not arrived.any():
            return []
        told, at_s = self._behaviour, self._times_s[arrived]
        delays = waits(self._pieces, at_s) * 1e9 + told.delay_ns
        if told.jitter_ns:
            delays += told.jitter_ns * self._random.random(delays.size)
            delays = np.maximum.accumulate(delays + at_s * 1e9) - at_s * 1e9  # none passes those before it
        delays += self._is_moved(direction)[arrived] * self._behind * self._frame_time_s * 1e9
        return [latency_record(np.maximum(1, np.rint(delays)).astype(np.int64), direction, direction ^ 1)]

    def reordering(self, direction: int) -> list[ReorderingRecord]:
        """Return the order of the tagged frames, if there are any."""
        if not self._times_s.size:
            return []
        order = arrivals(
            self._numbers,
            self._is_moved(direction),
            self._behind,
            counts_moved=not self._behaviour.move_places,
        )
        arrived = order[self._arrived(direction)[order]]
        return [
            reordering_record(
                arrived.astype(np.uint32),
                sent=self._times_s.size,
                tx_port=direction,
                rx_port=direction ^ 1,
                complete=True,
                source=SOURCE,
            )
        ]

    @cached_property
    def _times_s(self) -> Floats:
        """When the tagged frames of each direction are sent."""
        request = self._request
        rate_pps = min(request.tagged_rate_pps, _TAGGED_MOST * request.rate_pps / self._directions)
        if not request.tagged or request.burst_frames is not None or rate_pps <= 0:
            return np.zeros(0)
        count = int((request.total_s - request.tagged_after_s) * rate_pps)
        if request.tagged_frames is not None:
            count = min(count, request.tagged_frames)
        return self._began_s + request.tagged_after_s + np.arange(count) / rate_pps

    @cached_property
    def _numbers(self) -> Numbers:
        """Return the numbers of the tagged frames among those of their direction in this trial."""
        begins = [sent.at_s for sent, _ in self._steps]
        step = np.searchsorted(begins, self._times_s, side="right") - 1
        first = np.concatenate(([0], np.cumsum([sent.frames for sent, _ in self._steps])))[step]
        gap_s = np.array([sent.gap_s for sent, _ in self._steps])[step] * self._directions
        return np.asarray(first + np.floor((self._times_s - np.array(begins)[step]) / gap_s + 1e-6).astype(np.int64))

    @property
    def _frame_time_s(self) -> float:
        return self._steps[0][0].gap_s * self._directions

    @property
    def _behind(self) -> float:
        """By how many frames a moved one comes later."""
        return self._behaviour.move_places or self._behaviour.move_ns / 1e9 / self._frame_time_s

    def _arrived(self, direction: int) -> Mask:
        """Say of each tagged frame whether it arrived."""
        kept = np.ones(self._times_s.size, dtype=bool)
        first = 0
        for sent, pieces in self._steps:
            for piece in pieces:
                begin, end = (first + number for number in piece.numbers(direction, self._directions))
                if piece.dead:
                    kept &= (self._numbers < begin) | (self._numbers >= end)
                elif piece.asked:
                    kept &= ~piece.asked[direction].has(self._numbers - first)
            first += sent.frames
        return kept & (self._drops >= drop_shares(self._pieces, self._times_s))

    @cached_property
    def _drops(self) -> Floats:
        return self._random.random(self._times_s.size)

    def _is_moved(self, direction: int) -> Mask:
        told = self._behaviour
        runs = picked(told.move, told.seed, Purpose.MOVE, direction, self._came, self._sent_frames)
        return runs.has(self._numbers + self._came)

    def _happened(self, picks: Picks, purpose: Purpose, direction: int) -> int:
        if picks.none:
            return 0
        runs = picked(picks, self._behaviour.seed, purpose, direction, self._came, self._sent_frames)
        gone = sum(piece.count if piece.dead else piece.dropped for piece in self._pieces) / self._directions
        gone += sum(piece.asked[direction].frames for piece in self._pieces if piece.asked)
        return round(runs.frames * (1 - gone / max(1, self._sent_frames)))
