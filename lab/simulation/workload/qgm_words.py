"""Where the words lie that QGMs write while packets flow, from a layout.

A layout that is not the image's has other words. Those that it shares with the description of the image's accesses (by
the last part of the name) are touched as the description says; those that it has besides, as often as it says itself;
what only the description has is private to a core there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lab.simulation.accesses import Description
from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout, Structure, default
from lab.simulation.memory import Memory

GENERIC_CORES = 1  # the image numbers the cores of QGMs from 1; core 0 has the shell


@dataclass(frozen=True)
class Words:
    """Numbers of words.

    Attributes:
        of_core: by the description's name, one for each core.
        of_queue: by the description's name, one for each port.
        packet: words that only the layout has, incremented for each packet, by core.
        batch: the same, incremented once a busy turn.
        head: of the rings, by (producer, consumer): written by the producer.
        tail: the same, written by the consumer.
        messages: head and tail of the ring from the generic core, by core; empty where the layout has none.

    """

    of_core: dict[str, list[int]]
    of_queue: dict[str, list[int]]
    packet: list[list[int]]
    batch: list[list[int]]
    head: dict[tuple[int, int], int]
    tail: dict[tuple[int, int], int]
    messages: list[tuple[int, int]]


def place(memory: Memory, layout: Layout, description: Description, cores: int, ports: int, seed: int) -> Words:
    """Place the words of a layout.

    Args:
        memory: where.
        layout: which words there are and where they lie.
        description: which of them a turn touches.
        cores: QGMs.
        ports: one queue pair each.
        seed: how many words of an assumed layout a packet touches is as unknown as the layout: 1 to all, by the seed.

    Raises:
        SimulationError: the layout is for fewer cores or ports.

    """
    block = memory.reserve(max((each.end_bytes for each in layout.structures), default=1))
    named = {name.rpartition(".")[2]: name for name in description.groups["shared"]}
    own = [each for each in layout.structures if each.owner == "core"]
    of_core: dict[str, list[int]] = {}
    of_queue: dict[str, list[int]] = {}
    extra: dict[str, list[list[int]]] = {"packet": [], "batch": []}
    for each in own:
        elements = _elements(each, cores, ports)
        name = named.get(each.name.rpartition(".")[2])
        if name is None and each.touched == "rare":
            continue
        words = _place_all(memory, block, each, elements)
        if name is None:
            extra[each.touched].append(words)
        elif each.indexed_by == "queue":
            of_queue[name] = words
        else:
            of_core[name] = words
    packet = extra["packet"]
    if layout.assumed and packet:
        packet = packet[: 1 + seed % len(packet)]
    head, tail, messages = _rings(memory, layout, block, cores)
    return Words(
        of_core,
        of_queue,
        packet=[[words[core] for words in packet] for core in range(cores)],
        batch=[[words[core] for words in extra["batch"]] for core in range(cores)],
        head=head,
        tail=tail,
        messages=messages,
    )


def _elements(structure: Structure, cores: int, ports: int) -> list[int]:
    """Return the elements that belong to each core, or to each port."""
    if structure.indexed_by == "queue":
        wanted, first = ports, 0
    else:
        wanted, first = cores, GENERIC_CORES if structure.count > cores else 0
    if structure.count < first + wanted:
        raise SimulationError(f"layout: {structure.name} has {structure.count} elements, not {wanted}: ask for fewer")
    return list(range(first, first + wanted))


def _place_all(memory: Memory, block: int, structure: Structure, elements: list[int]) -> list[int]:
    first = memory.place([block + structure.address(element) for element in elements], structure.name)
    return list(range(first, first + len(elements)))


def _rings(
    memory: Memory, layout: Layout, block: int, cores: int
) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], int], list[tuple[int, int]]]:
    """Place the indices of the rings; a layout without them takes those of the documented default of its name."""
    if layout.matrix("producer", cores) is None or layout.matrix("consumer", cores) is None:
        layout = default("packed" if layout.name.startswith("packed") else "padded", cores)
        block = memory.reserve(max(each.end_bytes for each in layout.structures))
    tables: list[dict[tuple[int, int], int]] = []
    messages: list[list[int]] = []
    owners: tuple[Literal["producer", "consumer"], ...] = ("producer", "consumer")
    for owner in owners:
        matrix = layout.matrix(owner, cores)
        assert matrix is not None
        first = GENERIC_CORES if matrix.side > cores else 0
        pairs = [(a, b) for a in range(cores) for b in range(cores) if a != b]
        places = [(a + first) * matrix.side + b + first for a, b in pairs]
        if first:
            places += range(first, first + cores)  # from the generic core 0 to each
        words = _place_all(memory, block, matrix, places)
        tables.append(dict(zip(pairs, words, strict=False)))
        messages.append(words[len(pairs) :])
    return tables[0], tables[1], list(zip(*messages, strict=True))
