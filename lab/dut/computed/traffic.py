"""The frames of a trial as the computed DUT sees them: pieces of evenly spaced frames, cut where it dies or revives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from lab.dut.computed.chance import Purpose
from lab.dut.computed.losses import Piece
from lab.dut.computed.picks import Runs, picked
from lab.dut.computed.server import Server
from lab.methods.trial import LoadStep
from lab.testbed.behaviour import Behaviour

_NEAR = 1e-6  # of a frame


@dataclass(frozen=True)
class Pauses:
    """Pauses of the vCPU: one in a trial with the ``chance``, for ``length_s`` from its middle on.

    Frames that come meanwhile are lost where the load is ``hurts_from_pps`` or more; below, rings hold them.
    """

    chance: float = 0.0
    length_s: float = 0.0
    hurts_from_pps: float = 0.0


@dataclass(frozen=True)
class Sent:
    """Frames that were really sent under one load: ``frames`` of each direction from ``at_s`` on.

    Those of all directions together are ``gap_s`` apart.
    """

    at_s: float
    gap_s: float
    frames: int
    intended_frames: int


@dataclass
class Device:
    """The device between two trials: its server's queue, and how many frames of each direction came since the begin.

    ``outages`` are times (begin, end) of the device's clock.
    """

    behaviour: Behaviour
    directions: int
    server: Server
    came: int = 0
    outages: list[tuple[float, float]] = field(default_factory=list)

    def pieces(self, sent: Sent) -> list[Piece]:
        """Take the frames of one load and return what became of them."""
        made: list[Piece] = []
        count, first, drops = sent.frames * self.directions, 0, 0
        for end, dead in self._cuts(sent, count):
            if end > first:
                piece = Piece(first, end - first, dead=True) if dead else self._alive(sent, first, end - first, drops)
                made.append(piece)
                drops += piece.dropped
                first = end
        self.came += sent.frames
        return made

    def _cuts(self, sent: Sent, count: int) -> list[tuple[int, bool]]:
        """Return the ends of stretches of frames, each with whether the device is dead when they come."""
        cuts: list[tuple[int, bool]] = []
        for begin_s, end_s in sorted(self.outages):
            for at_s, dead in ((begin_s, False), (end_s, True)):
                cuts.append((min(count, max(0, math.ceil((at_s - sent.at_s) / sent.gap_s - _NEAR))), dead))
        return [*cuts, (count, False)]

    def _alive(self, sent: Sent, first: int, count: int, drops_before: int) -> Piece:
        asked = self._asked(first, count)
        offered = count - sum(runs.frames for runs in asked)
        if offered == 0:
            return Piece(first, count, asked=asked)
        batches = self.server.offer(sent.at_s + first * sent.gap_s, sent.gap_s * count / offered, offered)
        return Piece(first, count, asked=asked, offered=offered, batches=tuple(batches), drops_before=drops_before)

    def _asked(self, first: int, count: int) -> tuple[Runs, ...]:
        behaviour, piece = self.behaviour, Piece(first, count)
        if behaviour.lose.none:
            return ()
        made = []
        for direction in range(self.directions):
            begin, end = piece.numbers(direction, self.directions)
            runs = picked(behaviour.lose, behaviour.seed, Purpose.LOSE, direction, self.came + begin, end - begin)
            made.append(Runs(runs.begins - self.came, runs.ends - self.came))
        return tuple(made)


def schedule(
    loads: Sequence[LoadStep], at_s: float, directions: int, greatest_pps: float, burst_frames: int | None
) -> list[Sent]:
    """Return what a generator sends that can do no more than ``greatest_pps`` in all directions together.

    Args:
        loads: of the request, in their order.
        at_s: time of the first frame.
        directions: which share each load equally.
        greatest_pps: the generator, or the links, end there; it then sends evenly and falls short.
        burst_frames: of each direction, under the first load, instead of what its duration holds.

    """
    made = []
    for load in loads:
        rate_pps = min(load.rate_pps, greatest_pps)
        intended = round(load.rate_pps / directions * load.duration_s) if burst_frames is None else burst_frames
        frames = intended if burst_frames is not None else round(rate_pps / directions * load.duration_s)
        gap_s = 1.0 / rate_pps if rate_pps else load.duration_s
        made.append(Sent(at_s=at_s, gap_s=gap_s, frames=frames, intended_frames=intended))
        at_s += load.duration_s
        burst_frames = None
    return made
