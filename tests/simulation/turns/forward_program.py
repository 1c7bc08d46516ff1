"""The programs that ``forward`` is simulated by, to be compared with traces of the code."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import permutations

from lab.simulation import machines
from lab.simulation.accesses import Description
from lab.simulation.layout import Layout
from lab.simulation.structure import Structure
from lab.simulation.workload.bench_forward import BenchForward
from lab.simulation.workload.built import Window
from lab.simulation.workload.case import Case
from tests.simulation.turns.form import Canonical
from tests.simulation.turns.untimed import Untimed

Word = tuple[str, str]  # its structure, and whose it is: in the words of a trace
Totals = Counter[tuple[str, ...]]


def _layout(description: Description, cores: int) -> Layout:
    structures: list[Structure] = []
    end = 0
    for name in description.groups["shared"]:
        of_ring = name.startswith("ring_")
        structure = Structure(
            name=name,
            offset_bytes=end,
            size_bytes=8,
            element_stride_bytes=8,
            count=cores**2 if of_ring else cores,
            owner=("producer" if name == "ring_head" else "consumer") if of_ring else "core",
            indexed_by="pair" if of_ring else "queue" if name.startswith("queue.") else "core",
        )
        structures.append(structure)
        end = structure.end_bytes
    return Layout("packed", "each word by itself, one after the other", tuple(structures))


def programs(description: Description, cores: int, batch: int, length: int) -> tuple[list[Untimed], list[Word]]:
    """Return the simulated cores, and which word each of the memory is."""
    machine = machines.load("e5-2670x2")
    numbers = {name: each.median for name, each in machine.ranges.items()}
    case = Case(ports=cores, cores=cores, batch=batch, queue_length=length)
    window = Window(seed=1, warm_ps=0, end_ps=1)
    built = BenchForward().build(machine, numbers, case, _layout(description, cores), window)
    numbered: Counter[str] = Counter()
    words = []
    pairs = list(permutations(range(1, cores + 1), 2))
    for name in built.word_names:
        number = numbered[name]
        numbered[name] += 1
        a, b = pairs[number] if name.startswith("ring_") else (number + name.startswith("core."), 0)
        words.append((name, f"{a}.{b}"))
    memory: defaultdict[int, int] = defaultdict(int)
    return [Untimed(agent.code, memory) for agent in built.scene.agents], words


def of_program(seen: list[tuple[str, int]], words: list[Word], description: Description) -> Totals:
    """Return how often a turn loads and stores each shared word."""
    shared = description.groups["shared"]
    return Counter((kind, *words[word]) for kind, word in seen if words[word][0] in shared)


def of_code(traced: Canonical, description: Description) -> Totals:
    """Return the same of a traced turn."""
    shared = description.groups["shared"]
    kinds = {"acquire": "load", "release": "store"}
    totals: Totals = Counter()
    for between, step in traced:
        for (verb, name, owner), count in [*between.items(), (step, 1)]:
            if name in shared:
                totals[kinds.get(verb, verb), name, owner] += count
    return totals
