"""The model's server behind a queue (lab/dut/model-dut/capacity.c), computed for whole batches of evenly spaced frames.

Of a queue that is offered more than it serves, the time until it is free is known modulo the service of a frame,
since each frame that is let in adds one service and each that comes takes one gap. It also stays within one service of
the limit, so how many were let in follows without looking at any single frame.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lab.dut.computed.chance import Floats, Numbers, Purpose, chance, gauss
from lab.testbed.behaviour import Behaviour

_NEAR = 1e-7  # of a frame: times that differ by rounding only are equal
_BLOCK = 1024  # intervals whose capacities are drawn at once


class Batch(NamedTuple):
    """Evenly spaced frames that met the same capacity, and which of them were dropped.

    ``first`` is the number of the first in what was offered. The ``number``-th drop (from 0) is frame
    ``floor((number + offset) / slack)`` of the batch, and never before frame ``number``; an ``offset`` of minus
    infinity says that all drops are at the begin. A frame that is let in waits ``wait_s`` at first, then linearly up to
    ``limit_s`` where frames are dropped, ``wait_end_s`` at the end; then it is served for ``service_s``.
    """

    first: int
    frames: int
    at_s: float
    gap_s: float
    dropped: int = 0
    offset: float = -math.inf
    slack: float = 1.0
    wait_s: float = 0.0
    wait_end_s: float = 0.0
    limit_s: float = math.inf
    service_s: float = 0.0

    def position(self, number: int) -> int:
        """Return which frame of the batch was dropped as the ``number``-th."""
        return number if self.offset == -math.inf else max(number, math.floor((number + self.offset) / self.slack))

    def positions(self, numbers: Numbers) -> Numbers:
        """Return which frames of the batch were dropped as these."""
        if self.offset == -math.inf:
            return numbers
        return np.asarray(np.maximum(numbers, np.floor((numbers + self.offset) / self.slack).astype(np.int64)))


class Server:
    """So many frames a second, and beyond its queue tail drop. Times are in seconds since the begin.

    Invariant, as in capacity.c: the queue holds (free_at - now) / service frames, the one in service among them.
    """

    def __init__(self, behaviour: Behaviour) -> None:
        """Begin at time 0 with an empty queue."""
        self._behaviour = behaviour
        self._varies = bool(behaviour.noise_ratio or behaviour.slow_share or behaviour.overloaded_pps)
        self._interval_s = behaviour.interval_ms / 1e3
        self._interval_end_s = self._interval_s
        self._interval = 0
        self._arrived = 0
        self._overloaded = False
        self._free_at_s = 0.0
        self._blocks: dict[int, Floats] = {}
        self._service_s = 0.0
        if behaviour.capacity_pps:
            self._set_service(0.0)

    def offer(self, at_s: float, gap_s: float, count: int) -> list[Batch]:
        """Offer frames, the first at ``at_s`` (never before the last one), the others ``gap_s`` apart each.

        Returns:
            Batches in their order, which have all the frames.

        """
        if self._service_s == 0.0:
            return [Batch(first=0, frames=count, at_s=at_s, gap_s=gap_s)]
        batches = []
        done = 0
        while done < count:
            now_s = at_s + done * gap_s
            if self._varies and now_s >= self._interval_end_s:
                self._next_interval(now_s)
            batch = self._take(done, now_s, gap_s, min(count - done, self._unchanged(now_s, gap_s, count - done)))
            batches.append(batch)
            done += batch.frames
        return batches

    def _take(self, first: int, now_s: float, gap_s: float, count: int) -> Batch:
        free_at_s = self._free_at_s
        idle = self._idle(now_s, gap_s)
        batch = self._admit(first, now_s, gap_s, count)
        if batch.dropped and self._behaviour.overloaded_pps and not self._overloaded:
            self._free_at_s = free_at_s
            batch = self._admit(first, now_s, gap_s, batch.position(0) + 1)
            self._overloaded = True
            self._set_service(now_s + (batch.frames - 1) * gap_s)
        self._arrived += batch.frames
        last_s = now_s + (batch.frames - 1) * gap_s
        if self._varies and idle and last_s >= self._interval_end_s:  # else it is there by rounding only
            self._reach(last_s, now_s, gap_s, batch.frames)
        return batch

    def _reach(self, last_s: float, now_s: float, gap_s: float, frames: int) -> None:
        """Go on to the interval of the last frame of a batch that never queued; only those in it count as its own."""
        self._advance(last_s)
        self._arrived = frames - max(0, math.ceil((self._interval_end_s - self._interval_s - now_s) / gap_s))
        self._set_service(last_s)
        self._free_at_s = last_s + self._service_s

    def _admit(self, first: int, now_s: float, gap_s: float, count: int) -> Batch:
        """Let in what finds room, at one capacity."""
        service_s, wait_s = self._service_s, max(0.0, self._free_at_s - now_s)
        limit_s = (self._behaviour.queue_frames - 1) * service_s
        if service_s <= gap_s:
            dropped = min(count, max(0, math.ceil((wait_s - limit_s) / gap_s - _NEAR)))
            offset, slack = -math.inf, 1.0
            left_s = wait_s - dropped * gap_s
            if dropped < count:
                last_s = max(0.0, left_s - (count - dropped - 1) * (gap_s - service_s))
                left_s = last_s + service_s - gap_s
        else:
            turn_s, before_s = service_s, wait_s
            if limit_s == 0.0:  # no place to wait: the next one in is the first to come after a service
                turn_s = math.ceil(service_s / gap_s - _NEAR) * gap_s
                before_s = math.ceil(wait_s / gap_s - _NEAR) * gap_s
            offset, slack = (limit_s + turn_s - gap_s - before_s) / turn_s + _NEAR, 1 - gap_s / turn_s
            admitted = min(count, max(0, math.floor(offset + count * gap_s / turn_s)))
            dropped = count - admitted
            last_s = before_s + admitted * turn_s - (turn_s - service_s) if admitted else wait_s
            left_s = last_s - count * gap_s
        self._free_at_s = now_s + count * gap_s + left_s
        return Batch(
            first=first,
            frames=count,
            at_s=now_s,
            gap_s=gap_s,
            dropped=dropped,
            offset=offset,
            slack=slack,
            wait_s=wait_s,
            wait_end_s=max(0.0, left_s),
            limit_s=limit_s,
            service_s=service_s,
        )

    def _idle(self, now_s: float, gap_s: float) -> bool:
        """Say whether frames so far apart find the server free, each of them, as long as its capacity stays."""
        return self._free_at_s <= now_s and self._service_s <= gap_s and not self._overloaded

    def _unchanged(self, now_s: float, gap_s: float, count: int) -> int:
        """Return for how many frames the capacity stays, or at least stays above the load of an empty queue."""
        if not self._varies:
            return count
        end_s = self._interval_end_s
        if self._idle(now_s, gap_s):
            needed = 1 + math.ceil((now_s + count * gap_s - end_s) / self._interval_s)
            for number in range(self._interval + 1, self._interval + needed):
                block = self._block(number // _BLOCK)
                if block[number % _BLOCK] * gap_s < 1.0:
                    break
                end_s += self._interval_s
        return max(1, math.ceil((end_s - now_s) / gap_s))

    def _next_interval(self, now_s: float) -> None:
        passed = self._advance(now_s)
        if self._arrived / (passed * self._interval_s) < self._behaviour.recovery_pps:
            self._overloaded = False
        self._arrived = 0
        self._set_service(now_s)

    def _advance(self, at_s: float) -> int:
        """Go on to the interval of a time beyond this one; return how many further it is."""
        passed = 1 + math.floor((at_s - self._interval_end_s) / self._interval_s)
        self._interval_end_s += passed * self._interval_s
        self._interval += passed
        return passed

    def _set_service(self, now_s: float) -> None:
        """Set the service of the interval that has begun, or of what is left of it; as many frames stay queued."""
        queued = max(0.0, self._free_at_s - now_s) / self._service_s if self._service_s else 0.0
        pps = float(self._block(self._interval // _BLOCK)[self._interval % _BLOCK])
        if self._overloaded:
            factor, base = self._drawn(np.array([self._interval]))
            low = min(float(base[0]), self._behaviour.overloaded_pps)
            pps = max(low * float(factor[0]), 0.01 * low)
        self._service_s = 1.0 / pps
        if queued:
            self._free_at_s = now_s + queued * self._service_s

    def _block(self, number: int) -> Floats:
        """Return the capacities of _BLOCK intervals, not overloaded."""
        if number not in self._blocks:
            factor, base = self._drawn(np.arange(number * _BLOCK, (number + 1) * _BLOCK))
            self._blocks = {number: np.maximum(base * factor, 0.01 * base)}  # time does not go back
        return self._blocks[number]

    def _drawn(self, intervals: Numbers) -> tuple[Floats, Floats]:
        """Return the factor of the noise and the capacity without it, for each of these intervals."""
        told = self._behaviour
        base = np.full(intervals.size, told.capacity_pps)
        if told.slow_share:
            base[chance(told.seed, Purpose.SLOW, 0, intervals) < told.slow_share] = told.slow_pps
        return (1 + told.noise_ratio * gauss(told.seed, intervals) if told.noise_ratio else np.ones(base.size)), base
