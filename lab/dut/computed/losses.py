"""Which frames of one direction were lost under one load: how many, the first, the last, the longest run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lab.dut.computed.picks import Runs
from lab.dut.computed.server import Batch

_LOOKED_AT = 4096  # drops of a batch in which its longest run is looked for: they repeat soon


@dataclass(frozen=True)
class Lost:
    """Lost frames of one direction by their numbers under one load; ``longest`` in a row from ``longest_at`` on."""

    frames: int = 0
    first: int = 0
    last: int = 0
    longest_at: int = 0
    longest: int = 0


@dataclass(frozen=True)
class Piece:
    """Frames of all directions that came evenly spaced under one load while the device was dead or alive.

    Frame k of a load is number ``k // directions`` of direction ``k % directions``; the piece has ``first`` to
    ``first + count - 1``. Of them ``asked`` (by direction, numbers under the load) were lost before the server; it was
    offered the rest, ``offered``, taken as evenly spaced, in ``batches``. Frames of all directions come together and
    only chance decides whose meets a full queue: the drops go round the directions, the first of a load to ``0``.
    """

    first: int
    count: int
    dead: bool = False
    asked: tuple[Runs, ...] = ()
    offered: int = 0
    batches: tuple[Batch, ...] = ()
    drops_before: int = 0

    @property
    def dropped(self) -> int:
        """Frames that met a full queue."""
        return sum(batch.dropped for batch in self.batches)

    def numbers(self, direction: int, directions: int) -> tuple[int, int]:
        """Return the number of the first frame of a direction and the one after the last."""
        return -((direction - self.first) // directions), -((direction - self.first - self.count) // directions)


def lost(pieces: Iterable[Piece], direction: int, directions: int) -> Lost:
    """Return what one direction lost under one load that these pieces make up."""
    found: list[Lost] = []
    for piece in pieces:
        if piece.dead:
            begin, end = piece.numbers(direction, directions)
            if end > begin:
                found.append(Lost(end - begin, begin, end - 1, begin, end - begin))
            continue
        if piece.asked:
            found += _asked(piece.asked[direction])
        found += _dropped(piece, direction, directions)
    if not found:
        return Lost()
    longest = max(found, key=lambda one: one.longest)
    return Lost(
        frames=sum(one.frames for one in found),
        first=min(one.first for one in found),
        last=max(one.last for one in found),
        longest_at=longest.longest_at,
        longest=longest.longest,
    )


def _asked(runs: Runs) -> list[Lost]:
    if not runs.begins.size:
        return []
    lengths = runs.ends - runs.begins
    at = int(np.argmax(lengths))
    return [Lost(runs.frames, int(runs.begins[0]), int(runs.ends[-1]) - 1, int(runs.begins[at]), int(lengths[at]))]


def _dropped(piece: Piece, direction: int, directions: int) -> list[Lost]:
    """Return the first, the last and the longest run of the direction's drops in a piece, as one loss."""
    found: list[tuple[Batch, int, int]] = []  # with the number of the direction's first drop in the batch, and how many
    before = piece.drops_before
    for batch in piece.batches:
        if batch.dropped:
            begin = (direction - before) % directions
            if begin < batch.dropped:
                found.append((batch, begin, (batch.dropped - begin - 1) // directions + 1))
            before += batch.dropped
    if not found:
        return []

    def number(batch: Batch, drop: int) -> int:
        return _number(piece, batch.first + batch.position(drop), directions)

    (first, begin, _), (last, last_begin, last_count) = found[0], found[-1]
    worst, worst_begin, worst_count = max(found, key=lambda one: min(one[2], _run(one[0])))
    drops = np.arange(min(worst_count, _LOOKED_AT), dtype=np.int64) * directions + worst_begin
    at = piece.first + (worst.first + worst.positions(drops)) * piece.count // piece.offered
    longest_at, longest = _longest_run(at // directions)
    if worst.offset == -np.inf:
        longest = worst_count
    return [
        Lost(
            frames=sum(count for _, _, count in found),
            first=number(first, begin),
            last=number(last, last_begin + (last_count - 1) * directions),
            longest_at=longest_at,
            longest=longest,
        )
    ]


def _run(batch: Batch) -> float:
    """Return how many drops in a row a batch has, as far as its slack tells: a share of 0.9 makes 9."""
    if batch.offset == -np.inf or batch.slack >= 1.0:
        return batch.dropped
    return batch.slack / (1.0 - batch.slack)


def _number(piece: Piece, offered: int, directions: int) -> int:
    return (piece.first + offered * piece.count // piece.offered) // directions


def _longest_run(numbers: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> tuple[int, int]:
    """Return where the longest run of successive numbers begins, and its length."""
    begins = np.flatnonzero(np.concatenate(([True], np.diff(numbers) != 1)))
    lengths = np.diff(np.concatenate((begins, [numbers.size])))
    at = int(np.argmax(lengths))
    return int(numbers[begins[at]]), int(lengths[at])
