"""A QGM's turns, as firmware-images/pix/qgm/accesses.yaml describes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tests.simulation.turns.form import Element
from tests.simulation.turns.walk import Frame, PeerRings, Place, Transmit, Walk


@dataclass(kw_only=True)
class Qgm(PeerRings, Walk):
    """A QGM; queue n is that of port n."""

    core: int
    ports: list[int]
    owners: dict[int, int]
    queue_length: int
    transmit: dict[int, Transmit]
    received: dict[int, list[Frame]] = field(default_factory=dict)
    staged: dict[int, list[Frame]] = field(default_factory=dict)

    def find(self, received: dict[int, list[Frame]], waiting: dict[int, list[Frame]]) -> None:
        """Say what the next turn finds: frames by receive queue, and by the core whose ring they are in."""
        self.received, self.waiting, self.crossed, self.staged = received, waiting, {}, {}

    def element(self, structure: str, at: Place) -> Element:
        if structure.startswith("core."):
            return self.core, 0
        if structure in ("ring_head", "ring_tail"):
            sends = at.sends or (at.frame is not None and at.frame.port not in self.ports)
            return (self.core, at.peer) if sends else (at.peer, self.core)
        if structure in ("ring.slot", "buffer.header"):
            assert at.frame
            return 0, at.frame.number
        return at.queue, 0 if structure.startswith("queue.") else at.item

    def each(self, name: str, at: Place) -> Iterator[Place]:
        if name == "queue":
            yield from (Place(queue=port) for port in self.ports)
        elif name in ("received frame", "classified frame", "routed frame"):
            for i, frame in enumerate(self.received[at.queue]):
                yield replace(at, item=i, frame=frame, peer=self.owners[frame.port])
                if name == "routed frame" and frame.port in self.ports:
                    self.staged.setdefault(frame.port, []).append(frame)
        elif name == "peer":
            yield from (Place(peer=peer) for peer in self.origin)
        elif name in ("crossed frame", "sent frame"):
            for frame in self.waiting[at.peer]:
                yield replace(at, frame=frame)
                if name == "sent frame":
                    self.staged.setdefault(frame.port, []).append(frame)
            if name == "crossed frame":
                self.origin[at.peer].next += len(self.waiting[at.peer])
        elif name == "message ring":
            yield Place(peer=0)
        elif name == "staged port":
            yield from (Place(queue=port) for port in self.ports if port in self.staged)
        elif name == "reclaimed frame":
            queue = self.transmit[at.queue]
            yield from self._slots(at, queue.reclaimed, queue.posted)
            queue.reclaimed = queue.posted
        elif name == "staged frame":
            posted = self.transmit[at.queue].posted
            self.transmit[at.queue].posted += len(self.staged[at.queue])
            yield from self._slots(at, posted, self.transmit[at.queue].posted)
        elif name == "peer with frames":
            yield from (Place(peer=peer, sends=True) for peer in self.to if self.crossed.get(peer))
        elif name == "refilled frame":
            yield from (replace(at, item=i) for i in range(len(self.received.get(at.queue, ()))))
        else:
            raise AssertionError(f"no loop {name}")

    def _slots(self, at: Place, first: int, end: int) -> Iterator[Place]:
        yield from (replace(at, item=number % self.queue_length) for number in range(first, end))

    def holds(self, name: str, at: Place) -> bool:
        frame = at.frame
        if name == "received":
            return bool(self.received.get(at.queue))
        if name == "split":
            return frame is not None and (
                frame.split or frame.connected
            )  # a network's own /24 has the router's address
        if name == "connected":
            return frame is not None and frame.connected
        if name in ("own port", "port of a peer"):
            return frame is not None and (frame.port in self.ports) == (name == "own port")
        if name in ("ring seems full", "ring is full", "ring has room"):
            return self.has_room(name, at)
        if name == "nothing known of":
            return self.knows_of_none(at.peer)
        if name == "waiting":
            return bool(self.waiting.get(at.peer))
        if name == "crossed":
            return any(self.waiting.values())
        if name == "handled":
            return any(self.waiting.values()) or any(self.received.values())
        if name == "half full":
            queue = self.transmit[at.queue]
            return queue.posted - queue.reclaimed + len(self.staged[at.queue]) > self.queue_length // 2
        if name in ("rx unannounced", "tx unannounced"):
            return name == "rx unannounced" or self.transmit[at.queue].posted != 0
        raise AssertionError(f"no condition {name}")
