"""Walks a description through one turn of a core, whose state decides what its loops and conditions mean."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field

from lab.simulation.accesses import Access, Description, Step, Verb
from tests.simulation.turns.form import Canonical, Element, Seen, canonical


@dataclass(frozen=True)
class Frame:
    """A frame by its number, with the port (or core) that it leaves by and how its route is found."""

    number: int
    port: int
    split: bool = False
    connected: bool = True

    def __deepcopy__(self, memo: object) -> Frame:
        """Nothing of it can change."""
        return self


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


class Walk(ABC):
    """A core as far as its control flow depends on it, and what it finds in its next turn."""

    def expect(self, steps: tuple[Step, ...]) -> list[Seen]:
        """Return the accesses of the turn, and keep count of what it changes."""
        return list(self._walk(steps, Place()))

    def _walk(self, steps: tuple[Step, ...], at: Place) -> Iterator[Seen]:
        for step in steps:
            if isinstance(step, Access):
                verbs = ("load", "store") if step.verb is Verb.ADD else (str(step.verb),)
                for verb in verbs:
                    yield verb, step.structure, self.element(step.structure, at)
            elif step.kind == "for":
                for place in self.each(step.name, at):
                    yield from self._walk(step.do, place)
            elif self.holds(step.name, at):
                yield from self._walk(step.do, at)

    @abstractmethod
    def element(self, structure: str, at: Place) -> Element:
        """Return which element of a structure an access there is to."""

    @abstractmethod
    def each(self, name: str, at: Place) -> Iterator[Place]:
        """Yield the places of a loop."""

    @abstractmethod
    def holds(self, name: str, at: Place) -> bool:
        """Whether a condition holds there."""


@dataclass(kw_only=True)
class PeerRings:
    """A core's ends of the rings to and from others (firmware-images/pix/qgm/ring.h), by the other core.

    Attributes:
        ring_length: slots of each.
        to: as producer.
        origin: as consumer.
        waiting: frames in the rings that it takes from, as far as their producers have published them.
        taken_by_peer: slots that the consumer has given back.
        crossed: frames put into rings in this turn.

    """

    ring_length: int
    to: dict[int, Ring]
    origin: dict[int, Ring]
    waiting: dict[int, list[Frame]] = field(default_factory=dict)
    taken_by_peer: dict[int, int] = field(default_factory=dict)
    crossed: dict[int, list[Frame]] = field(default_factory=dict)

    def has_room(self, name: str, at: Place) -> bool:
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

    def knows_of_none(self, peer: int) -> bool:
        """Whether the consumer must look at the producer's word, and then does."""
        ring = self.origin[peer]
        if ring.next != ring.seen:
            return False
        ring.seen = ring.next + len(self.waiting.get(peer, ()))
        return True


@dataclass(frozen=True)
class Turn:
    """A turn as it was traced, and the core before it."""

    name: str
    before: Walk
    traced: Canonical

    def expected(self, description: Description) -> Canonical:
        """Return what a description says of it."""
        return canonical(description, copy.deepcopy(self.before).expect(description.turn))
