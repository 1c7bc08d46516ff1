"""Runs the program of a simulated core without time, turn by turn, and says what it accesses."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable

from lab.simulation.program import NO_REGISTER, REGISTERS, Code, Op
from lab.simulation.workload.qgm_state import BEGAN

KINDS = {Op.LOAD: ("load",), Op.PREF: ("load",), Op.STORE: ("store",), Op.INC: ("load", "store")}


class Untimed:
    """A program between two turns. Those that share ``memory`` see each other's stores at once.

    A turn begins where the program looks at its clock for that.

    Attributes:
        registers: of the core.
        draws: answers to RAND that nobody has asked for yet.

    """

    def __init__(self, code: Code, memory: defaultdict[int, int]) -> None:
        self._code, self._memory = code, memory
        self.registers = [0] * REGISTERS
        self._next = 0
        self.draws: deque[int] = deque()
        self.turn()

    def turn(self, draws: Iterable[int] = ()) -> list[tuple[str, int]]:
        """Run to the beginning of the next turn; return what was done to which word, in order."""
        self.draws.extend(draws)
        seen: list[tuple[str, int]] = []
        while True:
            op, a, b, c = self._code[self._next]
            self._next += 1
            if op == Op.NOW and a == BEGAN:
                return seen
            if op in KINDS or op in (Op.PEEK, Op.POKE):
                self._access(Op(op), a, b + (0 if c == NO_REGISTER else self.registers[c]), seen)
            elif Op.JMP <= op <= Op.BNE:
                self._jump(Op(op), a, b, c)
            elif op not in (Op.WORK, Op.COUNT, Op.NOW):
                self._compute(Op(op), a, b, c)

    def _access(self, op: Op, a: int, word: int, seen: list[tuple[str, int]]) -> None:
        seen += [(kind, word) for kind in KINDS.get(op, ())]
        if op in (Op.LOAD, Op.PEEK):
            self.registers[a] = self._memory[word]
        elif op in (Op.STORE, Op.POKE):
            self._memory[word] = self.registers[a]
        elif op == Op.INC:
            self._memory[word] += a

    def _jump(self, op: Op, a: int, b: int, c: int) -> None:
        x, y = self.registers[a], self.registers[b]
        if {Op.JMP: True, Op.BLT: x < y, Op.BGE: x >= y, Op.BEQ: x == y, Op.BNE: x != y}[op]:
            self._next = c

    def _compute(self, op: Op, a: int, b: int, c: int) -> None:
        r = self.registers
        if op == Op.MOVI:
            r[a] = b
        elif op in (Op.ADD, Op.SUB):
            r[a] = r[b] + (r[c] if op == Op.ADD else -r[c])
        elif op == Op.ADDI:
            r[a] = r[b] + c
        elif op == Op.ANDI:
            r[a] = r[b] & c
        elif op == Op.MULI:
            r[a] = r[b] * c
        elif op == Op.RAND:
            r[a] = self.draws.popleft()
        elif op == Op.GETR:
            r[a] = r[b + r[c]]
        elif op == Op.SETR:
            r[b + r[c]] = r[a]
        else:
            raise AssertionError(f"no {op.name} without time")
