"""Turns of QGMs: what the compiled code does to memory (a trace), and what the description says that it does.

Both are brought into one form: steps that order (acquire, release), and between two of them what was accessed, in any
order. See firmware-images/pix/qgm/accesses.yaml for what counts as one access.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from lab.simulation.accesses import Access, Description, Step, Verb

Element = tuple[int, int]
Seen = tuple[str, str, Element]
Canonical = list[tuple[Counter[tuple[str, ...]], tuple[str, ...]]]

ORDERING = ("acquire", "release")


@dataclass(frozen=True)
class Frame:
    """A frame by its number, with the port that it leaves by and how its route is found."""

    number: int
    port: int
    split: bool = False
    connected: bool = True


@dataclass
class Ring:
    """One end of a ring: slots that it has used, and what it knows of the other end's."""

    next: int = 0
    seen: int = 0


@dataclass
class Transmit:
    """A transmit queue."""

    posted: int = 0
    reclaimed: int = 0


@dataclass(frozen=True)
class Place:
    """Where a step of a turn is."""

    queue: int = -1
    peer: int = -1
    item: int = -1
    frame: Frame | None = None
    sends: bool = False


@dataclass
class Qgm:
    """A QGM as far as its control flow depends on it; queue n is that of port n.

    ``expect`` walks the description for one turn and keeps count of what the turn changes.
    """

    core: int
    ports: list[int]
    owners: dict[int, int]
    ring_length: int
    queue_length: int
    transmit: dict[int, Transmit]
    to: dict[int, Ring]
    origin: dict[int, Ring]
    received: dict[int, list[Frame]] = field(default_factory=dict)
    waiting: dict[int, list[Frame]] = field(default_factory=dict)
    crossed: dict[int, list[Frame]] = field(default_factory=dict)
    staged: dict[int, list[Frame]] = field(default_factory=dict)
    taken_by_peer: dict[int, int] = field(default_factory=dict)

    def expect(
        self, steps: tuple[Step, ...], received: dict[int, list[Frame]], waiting: dict[int, list[Frame]]
    ) -> list[Seen]:
        """Return the accesses of one turn that finds these frames in its queues and rings."""
        self.received, self.waiting, self.crossed, self.staged = received, waiting, {}, {}
        return list(self._walk(steps, Place()))

    def _walk(self, steps: tuple[Step, ...], at: Place) -> Iterator[Seen]:
        for step in steps:
            if isinstance(step, Access):
                verbs = ("load", "store") if step.verb is Verb.ADD else (str(step.verb),)
                for verb in verbs:
                    yield verb, step.structure, self._element(step.structure, at)
            elif step.kind == "for":
                for place in self._each(step.name, at):
                    yield from self._walk(step.do, place)
            elif self._holds(step.name, at):
                yield from self._walk(step.do, at)

    def _element(self, structure: str, at: Place) -> Element:
        if structure.startswith("core."):
            return self.core, 0
        if structure in ("ring_head", "ring_tail"):
            sends = at.sends or (at.frame is not None and at.frame.port not in self.ports)
            return (self.core, at.peer) if sends else (at.peer, self.core)
        if structure in ("ring.slot", "buffer.header"):
            assert at.frame
            return 0, at.frame.number
        return at.queue, 0 if structure.startswith("queue.") else at.item

    def _each(self, name: str, at: Place) -> Iterator[Place]:
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

    def _holds(self, name: str, at: Place) -> bool:
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
            return self._has_room(name, at)
        if name == "nothing known of":
            ring = self.origin[at.peer]
            known = ring.next != ring.seen
            ring.seen = ring.next + len(self.waiting.get(at.peer, ()))
            return not known
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

    def _has_room(self, name: str, at: Place) -> bool:
        """Whether the producer must look at the consumer's word, finds no slot then, or finds one and fills it."""
        ring = self.to[at.peer]
        if name == "ring seems full":
            seems_full = ring.next - ring.seen >= self.ring_length
            if seems_full:
                ring.seen = self.taken_by_peer.get(at.peer, 0)
            return seems_full
        has_room = ring.next - ring.seen < self.ring_length
        if name == "ring is full":
            return not has_room
        if has_room:
            assert at.frame
            ring.next += 1
            self.crossed.setdefault(at.peer, []).append(at.frame)
        return has_room


def of_trace(lines: list[str]) -> list[Seen]:
    """Read a trace: `kind structure owner.number` in each line."""
    seen = []
    for line in lines:
        verb, structure, element = line.split()
        owner, number = element.split(".")
        seen.append((verb, structure, (int(owner), int(number))))
    return seen


def canonical(description: Description, seen: list[Seen]) -> Canonical:
    """Return the steps that order, each with what was accessed since the one before.

    Raises:
        KeyError: a structure that is not in the description.

    """
    groups = {name: description.group(name) for _, name, _ in seen}
    segments: Canonical = []
    between: dict[tuple[str, ...], list[Element]] = {}
    for verb, name, element in [*seen, ("end", "", (0, 0))]:
        owner = f"{element[0]}.{element[1]}" if groups.get(name) == "shared" else ""
        owner = str(element[0]) if groups.get(name) == "device" else owner
        if verb in (*ORDERING, "end"):
            segments.append(
                (Counter({key: _count(groups[key[1]], of) for key, of in between.items()}), (verb, name, owner))
            )
            between = {}
        else:
            between.setdefault((verb, name, owner), []).append(element)
    return segments


def _count(group: str, elements: list[Element]) -> int:
    """Return how many accesses these are taken for."""
    if group == "shared":
        return len(elements)
    return 1 if group == "tables" else len(set(elements))


def difference(wanted: Canonical, found: Canonical) -> str:
    """Return the first step that two sequences differ in, and how; nothing if they are the same."""
    for i, (one, other) in enumerate(zip(wanted, found, strict=False)):
        if one != other:
            missing, more = one[0] - other[0], other[0] - one[0]
            what = f"not traced: {dict(missing)}; not expected: {dict(more)}"
            return f"step {i}: expected {one[1]}, traced {other[1]}; {what}"
    return "" if len(wanted) == len(found) else f"{len(found)} ordering steps were traced, {len(wanted)} expected"
