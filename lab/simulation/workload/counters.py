"""Two cores that each increment a word of their own by a locked instruction: what false sharing alone costs."""

from __future__ import annotations

from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout, Structure
from lab.simulation.machine import Machine
from lab.simulation.memory import Memory
from lab.simulation.program import Assembler, Code, Op
from lab.simulation.workload.built import Built, Numbers, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.pair import place

INCREMENTS = 0  # statistic
DONE, VALUE, NEXT = range(3)
WORD_BYTES = 8


def counter_layout(stride_bytes: int) -> Layout:
    """Return two counters so far apart: 8 shares their line (packed), 128 does not (padded)."""
    return Layout(
        "packed" if stride_bytes < 64 else "padded",
        f"two counters {stride_bytes} bytes apart",
        (
            Structure(
                name="counter", offset_bytes=0, size_bytes=WORD_BYTES, element_stride_bytes=stride_bytes, count=2,
                owner="core", touch="packet",
            ),
        ),
    )  # fmt: skip


class Counters:
    """The workload ``counters``: the first word of each core that the layout has."""

    name = "counters"
    title = "two cores increment words of their own by locked instructions, in one line or not"

    def build(self, machine: Machine, numbers: Numbers, case: Case, layout: Layout, window: Window) -> Built:
        """Build the scene.

        Raises:
            SimulationError: the layout has no words of cores, or the machine no such placement.

        """
        words = next((each for each in layout.structures if each.owner == "core" and each.count > 1), None)
        if words is None:
            raise SimulationError(f"counters: layout {layout.name!r} ({layout.source}) has no word of each core")
        memory = Memory()
        block = memory.reserve(layout.size_bytes)
        own = [memory.place([block + words.address(core)], words.name) for core in (0, 1)]
        return Built(
            scene=place(machine, numbers, case.placement).scene((_adder(own[0]), _adder(own[1])), memory, window),
            word_names=memory.names(),
            counting=(0, 1),
            done=INCREMENTS,
            unit="increments",
            caps_pps={},
        )


def _adder(word: int) -> Code:
    """Add one by CAS, which always succeeds: nobody else writes the word."""
    program = Assembler()
    program.emit(Op.MOVI, NEXT, 1)
    program.label("again")
    program.emit(Op.CAS, DONE, word, VALUE)
    program.emit(Op.COUNT, INCREMENTS, DONE)
    program.emit(Op.ADDI, VALUE, VALUE, 1)
    program.emit(Op.ADDI, NEXT, NEXT, 1)
    program.emit(Op.JMP, c="again")
    return program.code()
