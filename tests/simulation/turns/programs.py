"""The programs that cores are simulated by, run turn by turn to be compared with traces of the code."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import permutations

from lab.simulation import machines
from lab.simulation.accesses import Description
from lab.simulation.layout import Layout
from lab.simulation.program import Code
from lab.simulation.structure import Structure
from lab.simulation.workload.built import Window
from tests.simulation.turns.form import Canonical
from tests.simulation.turns.untimed import Untimed

Totals = Counter[tuple[str, ...]]  # load or store, structure, whose it is: how often
Words = dict[int, tuple[str, str]]  # structure and owner of each shared word, as a trace has them

MACHINE = machines.load("e5-2670x2")
NUMBERS = {name: each.median for name, each in MACHINE.ranges.items()}
WINDOW = Window(seed=1, warm_ps=0, end_ps=1)


def of_code(traced: Canonical, description: Description) -> Totals:
    """Return how often a traced turn loads and stores each shared word."""
    shared = description.groups["shared"]
    kinds = {"acquire": "load", "release": "store"}
    totals: Totals = Counter()
    for between, step in traced:
        for (verb, name, owner), count in [*between.items(), (step, 1)]:
            if name in shared:
                totals[kinds.get(verb, verb), name, owner] += count
    return totals


def excess(program: Totals, code: Totals) -> dict[tuple[str, ...], int]:
    """Return what a program does more often than the code; less than 0 where it does it less often."""
    return {what: program[what] - code[what] for what in program | code if program[what] != code[what]}


class Programs:
    """The simulated cores of a scene, on one memory. The first is number 1: core 0 of the image runs no QGM."""

    def __init__(self, codes: Iterable[Code], words: Words) -> None:
        """Take the programs of the cores, and which words are shared."""
        self.memory: defaultdict[int, int] = defaultdict(int)
        self.cores = [Untimed(code, self.memory) for code in codes]
        self._words = words

    def run(self, core: int, draws: Iterable[int]) -> Totals:
        """Return how often the next turn of a core loads and stores each shared word; draws answer its RAND."""
        seen = self.cores[core - 1].turn(draws)
        return Counter((kind, *self._words[word]) for kind, word in seen if word in self._words)


def layout_of(description: Description, cores: int, queues: int, generic_cores: int) -> Layout:
    """Return a layout of all shared words, each by itself; generic cores run no program."""
    structures: list[Structure] = []
    end = 0
    for name in description.groups["shared"]:
        of_ring, of_queue = name.startswith("ring_"), name.startswith("queue.")
        structure = Structure(
            name=name,
            offset_bytes=end,
            size_bytes=8,
            element_stride_bytes=8,
            count=(generic_cores + cores) ** 2 if of_ring else queues if of_queue else generic_cores + cores,
            owner=("producer" if name == "ring_head" else "consumer") if of_ring else "core",
            indexed_by="pair" if of_ring else "queue" if of_queue else "core",
        )
        structures.append(structure)
        end = structure.end_bytes
    return Layout("packed", "each word by itself, one after the other", tuple(structures))


def words_of(description: Description, names: tuple[str, ...], cores: int) -> Words:
    """Say whose the words of a name are: in the order in which they were placed (qgm_words.place)."""
    of_rings = [*permutations(range(1, cores + 1), 2), *((0, core) for core in range(1, cores + 1))]
    numbered: Counter[str] = Counter()
    words: Words = {}
    for word, name in enumerate(names):
        if name in description.groups["shared"]:
            number = numbered[name]
            a, b = of_rings[number] if name.startswith("ring_") else (number + name.startswith("core."), 0)
            words[word] = name, f"{a}.{b}"
            numbered[name] += 1
    return words
