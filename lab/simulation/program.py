"""The instruction set of simulated agents, and a small assembler for it.

An agent (a core or a device) is a program of memory accesses. The same program runs in the plain-Python reference
(:mod:`lab.simulation.reference`) and in the C kernel; only the layout of its words in cache lines differs between
``packed`` and ``padded``.
"""

from __future__ import annotations

from enum import IntEnum

REGISTERS = 128
STATS = 11
NO_REGISTER = -1

Instruction = tuple[int, int, int, int]
Code = tuple[Instruction, ...]


class Op(IntEnum):
    """What one instruction does. Operands a, b, c; r[x] is a register, m[w] a word of memory.

    The values are the wire format between Python and C (kernel/scene.h); up to TILL they use time, or wait.
    """

    HALT = 0  # stop this agent
    WORK = 1  # a picoseconds of private work
    LOAD = 2  # r[a] = m[b + r[c]], waits for the value
    PREF = 3  # touch m[b + r[c]], does not wait; a = 0: a load, else a prefetch to write, which fills no window
    STORE = 4  # m[b + r[c]] = r[a], through the store buffer
    INC = 5  # m[b + r[c]] += a, load and store, waits for neither
    CAS = 6  # locked: if m[b] == r[c]: m[b] = r[c + 1], r[a] = 1, else r[a] = 0
    FENCE = 7  # full fence: wait until the store buffer is empty
    SFENCE = 8  # store fence: takes its turn in the store buffer, loads go on
    BELL = 9  # posted device register write: occupies the store buffer a picoseconds, then m[b] = r[c]
    TILL = 10  # wait until time r[a] picoseconds
    MOVI = 11  # r[a] = b
    ADD = 12  # r[a] = r[b] + r[c]
    SUB = 13  # r[a] = r[b] - r[c]
    ADDI = 14  # r[a] = r[b] + c
    ANDI = 15  # r[a] = r[b] & c
    MULI = 16  # r[a] = r[b] * c
    RAND = 17  # r[a] = uniform in 0 .. b - 1
    JMP = 18  # continue at c
    BLT = 19  # if r[a] < r[b]: continue at c
    BGE = 20  # if r[a] >= r[b]: continue at c
    BEQ = 21  # if r[a] == r[b]: continue at c
    BNE = 22  # if r[a] != r[b]: continue at c
    GETR = 23  # r[a] = r[b + r[c]]
    SETR = 24  # r[b + r[c]] = r[a]
    COUNT = 25  # statistic a += r[b]
    NOW = 26  # r[a] = clock of this agent, ps
    PEEK = 27  # r[a] = m[b + r[c]], without time and without coherence: an observer that the machine does not feel
    POKE = 28  # m[b + r[c]] = r[a], likewise
    SAMPLE = 29  # the latency histogram counts clock - r[a]


CONDITIONAL = frozenset({Op.BLT, Op.BGE, Op.BEQ, Op.BNE})
JUMPS = CONDITIONAL | {Op.JMP}
TIMED = frozenset(range(Op.TILL + 1))  # instructions that use time, or wait


class Assembler:
    """Builds one program; jumps name labels, which are resolved by :meth:`code`."""

    def __init__(self) -> None:
        self._code: list[tuple[Op, int, int, int | str]] = []
        self._labels: dict[str, int] = {}
        self._fresh = 0

    def emit(self, op: Op, a: int = 0, b: int = 0, c: int | str = 0) -> None:
        """Append one instruction; c may be a label for jumps."""
        self._code.append((op, a, b, c))

    def access(self, op: Op, a: int, word: int, index: int = NO_REGISTER) -> None:
        """Append a memory access (LOAD, PREF, STORE, INC, PEEK, POKE) of word ``word + r[index]``."""
        self._code.append((op, a, word, index))

    def label(self, name: str) -> None:
        """Place a label here.

        Raises:
            ValueError: the label exists already.

        """
        if name in self._labels:
            raise ValueError(f"label {name!r} placed twice")
        self._labels[name] = len(self._code)

    def fresh(self, hint: str) -> str:
        """Return a label name that nothing else uses; it still has to be placed."""
        self._fresh += 1
        return f"{hint}.{self._fresh}"

    def code(self) -> Code:
        """Return the program with its labels resolved to positions within itself.

        Raises:
            ValueError: a jump names a label that was never placed.

        """
        resolved = []
        for op, a, b, c in self._code:
            if isinstance(c, str) and c not in self._labels:
                raise ValueError(f"no label {c!r} in this program; there are: {', '.join(self._labels)}")
            resolved.append((int(op), a, b, self._labels[c] if isinstance(c, str) else c))
        return tuple(resolved)
