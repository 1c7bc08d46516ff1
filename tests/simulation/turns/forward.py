"""Turns of the microbenchmark ``forward``, as firmware-images/pix/bench/accesses.yaml describes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tests.simulation.turns.form import Element
from tests.simulation.turns.walk import Frame, PeerRings, Place, Transmit, Walk


@dataclass(kw_only=True)
class ForwardCore(PeerRings, Walk):
    """A core with its synthetic port; frames go to a port by the number of its core.

    Attributes:
        core: its number, from 1.
        batch: frames received, or taken from a ring, in a turn.
        queue: the port's transmit queue.
        received: frames that arrive in this turn.
        pending: frames that wait to be handed on, those received among them.
        handled: how many this turn has handed on or taken from rings.
        taken: how many of them from rings.
        own: how many of them were put into the queue since it was counted last.

    """

    core: int
    batch: int
    queue: Transmit = field(default_factory=Transmit)
    received: list[Frame] = field(default_factory=list)
    pending: list[Frame] = field(default_factory=list)
    handled: int = 0
    taken: int = 0
    own: int = 0

    def find(self, received: list[Frame], waiting: dict[int, list[Frame]]) -> None:
        """Say what the next turn finds: frames that arrive if none wait, and by their producers those in rings."""
        self.received = [] if self.pending else received
        self.pending = self.pending or list(received)
        self.waiting, self.crossed = waiting, {}
        self.handled = self.taken = self.own = 0

    def element(self, structure: str, at: Place) -> Element:
        if structure in ("ring_head", "ring_tail"):
            sends = at.sends or (at.frame is not None and at.frame.port != self.core)
            return (self.core, at.peer) if sends else (at.peer, self.core)
        if structure in ("ring.slot", "buffer.header"):
            assert at.frame
            return 0, at.frame.number
        return self.core - structure.startswith("queue."), 0  # core n has queue pair n - 1

    def each(self, name: str, at: Place) -> Iterator[Place]:
        if name == "received frame":
            yield from (replace(at, frame=frame) for frame in self.received)
        elif name == "routed frame":
            while self.pending:
                frame = self.pending[0]
                yield replace(at, frame=frame, peer=frame.port)
                if frame.port == self.core:
                    self._transmit()
                elif frame not in self.crossed.get(frame.port, ()):
                    return
                del self.pending[0]
                self.handled += 1
        elif name == "reclaimed frame":
            yield from (at for _ in range(self.queue.reclaimed, self.queue.posted))
            self.queue.reclaimed = self.queue.posted
        elif name == "peer with frames":
            yield from (Place(peer=peer, sends=True) for peer in self.to if self.crossed.get(peer))
        elif name == "refilled frame":
            yield from (at for _ in self.received)
        elif name == "peer":
            yield from (Place(peer=peer) for peer in self.origin)
        elif name == "crossed frame":
            ring = self.origin[at.peer]
            for frame in self.waiting[at.peer][: min(ring.seen - ring.next, self.batch)]:
                yield replace(at, frame=frame)
                ring.next += 1
                self.handled += 1
                self.taken += 1
                self._transmit()
        else:
            raise AssertionError(f"no loop {name}")

    def _transmit(self) -> None:
        self.queue.posted += 1
        self.own += 1

    def holds(self, name: str, at: Place) -> bool:
        if name == "received":
            return bool(self.received)
        if name in ("own port", "port of a peer"):
            return at.frame is not None and (at.frame.port == self.core) == (name == "own port")
        if name in ("ring seems full", "ring has room"):
            return self.has_room(name, at)
        if name == "half full":
            return self.queue.posted - self.queue.reclaimed > (self.ring_length - 1) // 2
        if name == "own ones":
            found, self.own = self.own, 0
            return found > 0
        if name == "nothing known of":
            return self.knows_of_none(at.peer)
        if name == "waiting":
            return self.origin[at.peer].next != self.origin[at.peer].seen
        if name in ("crossed", "handled"):
            return (self.taken if name == "crossed" else self.handled) > 0
        raise AssertionError(f"no condition {name}")
