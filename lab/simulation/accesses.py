"""What a turn of a QGM does to shared memory: the description that stands beside the image's C code.

``firmware-images/pix/qgm/accesses.yaml`` says in which order a turn loads and stores what other cores or devices see.
Workloads are generated from it, and a test compares it with a trace of the compiled code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from lab.errors import UsageError, near_misses
from lab.paths import ROOT
from lab.simulation.structure import Touch

QGM_ACCESSES = ROOT / "firmware-images" / "pix" / "qgm" / "accesses.yaml"

LOOPS = (
    *("queue", "received frame", "classified frame", "routed frame", "peer", "crossed frame", "sent frame"),
    *("message ring", "staged port", "reclaimed frame", "staged frame", "peer with frames", "refilled frame"),
)
CONDITIONS = (
    *("received", "split", "own port", "connected", "port of a peer", "ring seems full", "ring is full"),
    *("ring has room", "nothing known of", "waiting", "crossed", "handled", "half full"),
    *("rx unannounced", "tx unannounced", "own ones"),
)


class Verb(StrEnum):
    """What an access does. ``add`` is a load and a store of the same word."""

    LOAD = "load"
    STORE = "store"
    ADD = "add"
    ACQUIRE = "acquire"
    RELEASE = "release"
    PREFETCH = "prefetch"
    PREFETCH_TO_WRITE = "prefetch_to_write"


WRITES = frozenset({Verb.STORE, Verb.ADD, Verb.RELEASE})


@dataclass(frozen=True)
class Access:
    """One access to an element of a structure; ``line`` is where the file says so."""

    verb: Verb
    structure: str
    line: int


@dataclass(frozen=True)
class Block:
    """Steps that are done for each of something (``for``), or only if something holds (``if``)."""

    kind: Literal["for", "if"]
    name: str
    do: tuple[Step, ...]
    line: int


Step = Access | Block


@dataclass(frozen=True)
class Description:
    """A turn of a QGM's loop.

    Attributes:
        turn: its steps.
        groups: the structures, by group: ``shared`` (words of the image's shared block), ``device`` (queues),
            ``handed`` (from core to core, or to a device), ``tables`` (hardly ever written).

    """

    turn: tuple[Step, ...]
    groups: dict[str, tuple[str, ...]]

    def group(self, structure: str) -> str:
        """Return the group that a structure is of.

        Raises:
            KeyError: there is no such structure.

        """
        for name, members in self.groups.items():
            if structure in members:
                return name
        raise KeyError(structure)


def accesses(steps: tuple[Step, ...], within: tuple[Block, ...] = ()) -> Iterator[tuple[Access, tuple[Block, ...]]]:
    """Yield each access with the blocks that it stands in, outermost first."""
    for step in steps:
        if isinstance(step, Access):
            yield step, within
        else:
            yield from accesses(step.do, (*within, step))


def of_image() -> dict[str, Touch]:
    """Return how often the image of this checkout writes each of its shared words, by its name in the manifest.

    Raises:
        UsageError: the description of its accesses is wrong.

    """
    return touches(load())


def touches(description: Description) -> dict[str, Touch]:
    """Return how often forwarding writes each shared word: once a packet or more, or once a batch (or turn)."""
    found: dict[str, Touch] = {}
    for access, within in accesses(description.turn):
        if access.verb not in WRITES or description.group(access.structure) != "shared":
            continue
        if any(block.name == "ring is full" for block in within):
            found.setdefault(access.structure, "rare")
        elif any(block.name.endswith(" frame") for block in within):
            found[access.structure] = "packet"
        elif found.get(access.structure) != "packet":
            found[access.structure] = "batch"
    return found


@cache
def load(path: Path = QGM_ACCESSES) -> Description:
    """Read a description.

    Raises:
        UsageError: it cannot be read, or something in it is wrong; says in which line.

    """
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"{path.name}: not to be read as a description of accesses: {reason}") from error
    return _Reader(path.name).description(node)


class _Reader:
    """Turns YAML nodes into a description, or says where they are wrong."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._known: set[str] = set()
        self._used: set[str] = set()

    def description(self, node: yaml.Node | None) -> Description:
        if node is None:
            raise UsageError(f"{self._name}: the file is empty: write structures and turn into it")
        parts = self._mapping(node, ("structures", "turn"))
        groups = self._mapping(parts["structures"], ("shared", "device", "handed", "tables"))
        members = {name: tuple(self._text(each) for each in self._list(part)) for name, part in groups.items()}
        for name, part in groups.items():
            for structure, each in zip(members[name], self._list(part), strict=True):
                if structure in self._known:
                    raise self._wrong(each, f"{structure!r} stands here twice: remove one")
                self._known.add(structure)
        turn = self._steps(parts["turn"])
        unused = sorted(self._known - self._used)
        if unused:
            raise self._wrong(parts["structures"], f"no step touches {unused[0]!r}: remove it, or add the step")
        return Description(turn, members)

    def _steps(self, node: yaml.Node) -> tuple[Step, ...]:
        return tuple(self._step(each) for each in self._list(node))

    def _step(self, node: yaml.Node) -> Step:
        line = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            kind: Literal["for", "if"] = "for" if any(key.value == "for" for key, _ in node.value) else "if"
            parts = self._mapping(node, (kind, "do"))
            name, known = self._text(parts[kind]), LOOPS if kind == "for" else CONDITIONS
            if name not in known:
                raise self._wrong(node, f"{kind} {name!r} is not known: {near_misses(name, known)}")
            return Block(kind, name, self._steps(parts["do"]), line)
        verb, _, structure = self._text(node).partition(" ")
        if verb not in list(Verb):
            raise self._wrong(node, f"{verb!r} is no access: {near_misses(verb, [str(each) for each in Verb])}")
        if structure not in self._known:
            raise self._wrong(
                node, f"structure {structure!r} is not listed above: {near_misses(structure, self._known)}"
            )
        self._used.add(structure)
        return Access(Verb(verb), structure, line)

    def _mapping(self, node: yaml.Node, keys: tuple[str, ...]) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode) or sorted(self._text(key) for key, _ in node.value) != sorted(keys):
            raise self._wrong(node, f"here must stand {' and '.join(keys)}, each once, and nothing else")
        return {self._text(key): value for key, value in node.value}

    def _list(self, node: yaml.Node) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._wrong(node, "here must stand a list: begin its lines with -")
        return list(node.value)

    def _text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._wrong(node, "here must stand a word")
        return str(node.value)

    def _wrong(self, node: yaml.Node, what: str) -> UsageError:
        return UsageError(f"{self._name} line {node.start_mark.line + 1}: {what}")
