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
from lab.metrics.order.accumulator import order_detail
from lab.metrics.reordering import reordering_record
from lab.testbed.behaviour import Behaviour, Picks

SOURCE = "computed"
_TAGGED_MOST = 0.5  # of a load, as lab/traffic/streams.py has it


class Records:
    """The records of one load of a trial, from the ``pieces`` that became of its frames.

    Tagged frames are frames like others: their numbers decide what happens to them. Those that come on top of the load
    (``TrialRequest.tagged_frames``) have the number of the frame that comes next.
    """

    def __init__(
        self,
        behaviour: Behaviour,
        random: np.random.Generator,
        request: TrialRequest,
        directions: int,
        came: int,
        sent: Sent,
        pieces: Sequence[Piece],
    ) -> None:
        """Bind the truth of a load.

        Args:
            behaviour: of the device.
            random: for jitter, and for which tagged frames are lost to a full queue.
            request: of the trial.
            directions: that carry traffic.
            came: frames of each direction that came before the load.
            sent: the frames of the load.
            pieces: what became of them.

        """
        self._behaviour = behaviour
        self._random = random
        self._request = request
        self._directions = directions
        self._came = came
        self._sent = sent
        self.pieces = pieces
        self._frame_time_s = sent.gap_s * directions

    def moved(self, direction: int) -> int:
        """Return how many frames that arrived had been passed by others."""
        return self._happened(self._behaviour.move, Purpose.MOVE, direction)

    def copied(self, direction: int) -> int:
        """Return how many copies arrived."""
        return self._happened(self._behaviour.duplicate, Purpose.DUPLICATE, direction)

    def on_top(self, direction: int) -> tuple[int, int]:
        """Return how many tagged frames came on top of the load, and how many of them arrived."""
        if self._request.tagged_frames is None:
            return 0, 0
        return self._times_s.size, int(self._arrived(direction).sum())

    def latency(self, direction: int) -> list[LatencyRecord]:
        """Return the latency of the tagged frames that arrived, if any."""
        arrived = self._arrived(direction)
        if not arrived.any():
            return []
        told, at_s = self._behaviour, self._times_s[arrived]
        delays = waits(self.pieces, at_s) * 1e9 + told.delay_ns
        if told.jitter_ns:
            delays += told.jitter_ns * self._random.random(delays.size)
            delays = np.maximum.accumulate(delays + at_s * 1e9) - at_s * 1e9  # none passes those before it
        delays += self._is_moved(direction)[arrived] * self._behind * self._frame_time_s * 1e9
        return [latency_record(np.maximum(1, np.rint(delays)).astype(np.int64), direction, direction ^ 1)]

    def reordering(self, direction: int) -> list[ReorderingRecord]:
        """Return the order of the tagged frames, if there are any."""
        if not self._times_s.size:
            return []
        moved = self._is_moved(direction)
        order = arrivals(self._numbers, moved, self._behind, counts_moved=not self._behaviour.move_places)
        arrived = order[self._arrived(direction)[order]].astype(np.uint32)
        size_bytes = self._request.frame_size_bytes
        return [
            reordering_record(
                arrived,
                sent=self._times_s.size,
                tx_port=direction,
                rx_port=direction ^ 1,
                complete=True,
                source=SOURCE,
                detail=order_detail(arrived, size_bytes=size_bytes) if self._request.order_detail else None,
            )
        ]

    @cached_property
    def _times_s(self) -> Floats:
        """When the tagged frames of each direction are sent."""
        request, sent = self._request, self._sent
        if not request.tagged:
            return np.zeros(0)
        if request.tagged_frames is not None:
            begin_s = sent.at_s + request.tagged_after_s
            return begin_s + np.arange(request.tagged_frames) / request.tagged_rate_pps
        rate_pps = 1.0 / self._frame_time_s
        if not request.tagged_only:
            rate_pps = min(request.tagged_rate_pps, _TAGGED_MOST * rate_pps)
        return np.asarray(sent.at_s + np.arange(int(sent.frames * self._frame_time_s * rate_pps + 0.5)) / rate_pps)

    @cached_property
    def _numbers(self) -> Numbers:
        """Return the numbers of the tagged frames among those of their direction under this load."""
        return np.floor((self._times_s - self._sent.at_s) / self._frame_time_s + 1e-3).astype(np.int64)

    @property
    def _behind(self) -> float:
        """By how many frames a moved one comes later."""
        return self._behaviour.move_places or self._behaviour.move_ns / 1e9 / self._frame_time_s

    def _arrived(self, direction: int) -> Mask:
        """Say of each tagged frame whether it arrived."""
        kept = np.ones(self._times_s.size, dtype=bool)
        for piece in self.pieces:
            begin, end = piece.numbers(direction, self._directions)
            if piece.dead:
                kept &= (self._numbers < begin) | (self._numbers >= end)
            elif piece.asked:
                kept &= ~piece.asked[direction].has(self._numbers)
        return kept & (self._drops >= drop_shares(self.pieces, self._times_s))

    @cached_property
    def _drops(self) -> Floats:
        return self._random.random(self._times_s.size)

    def _is_moved(self, direction: int) -> Mask:
        told, frames = self._behaviour, self._sent.frames
        return picked(told.move, told.seed, Purpose.MOVE, direction, self._came, frames).has(self._numbers + self._came)

    def _happened(self, picks: Picks, purpose: Purpose, direction: int) -> int:
        if picks.none:
            return 0
        frames = self._sent.frames
        runs = picked(picks, self._behaviour.seed, purpose, direction, self._came, frames)
        gone = sum(piece.count if piece.dead else piece.dropped for piece in self.pieces) / self._directions
        gone += sum(piece.asked[direction].frames for piece in self.pieces if piece.asked)
        return round(runs.frames * (1 - gone / max(1, frames)))
