"""What a core of the plain-Python reference does while a load waits for its line: it runs on into its program.

It runs on for ``overlap_ps`` at most, asks for the lines that it meets, and stops at what cannot be done on suspicion.
Which way a conditional jump goes that depends on what has not arrived it predicts (:mod:`lab.simulation.jumps`); where
the value that memory holds now says otherwise it stops: what it would fetch on a wrong way is left out.
Once the line is there it begins anew after the load, with registers, random numbers and memory as they were: what is
left are the lines that are on their way, and the work that is already done. overlap_ps of 0 is the blocking bound, that
of the whole window the fully speculative one.

Invariant: the clock of a speculating core never passes the time at which its line arrives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.simulation.errors import SimulationError
from lab.simulation.program import CONDITIONAL, TIMED, Op
from lab.simulation.scene import NEVER

if TYPE_CHECKING:
    from lab.simulation.core import Core

MAX_AHEAD = 1000  # instructions without time passing, before a core stops running ahead
_OUTWARD = frozenset({int(Op.COUNT), int(Op.POKE), int(Op.SAMPLE)})  # what others would see is left out
_QUIET = frozenset({int(Op.STORE), int(Op.BELL), int(Op.SFENCE)})  # takes time, but is not done before its turn
_SETTING = frozenset({int(Op.MOVI), int(Op.RAND), int(Op.NOW), int(Op.PEEK)})
_ASKING = frozenset({int(Op.LOAD), int(Op.PREF), int(Op.INC)})


class Speculation:
    """One run ahead of a core, from a load that waits until its line arrives."""

    def __init__(self, core: Core, register: int, word: int, arrives_ps: int) -> None:
        self._core = core
        self._arrives_ps = arrives_ps
        self._begun_ps = core.clock
        self._limit_ps = min(arrives_ps, core.clock + core.timing.overlap_ps)
        self._pc, self._registers, self._random = core.pc, list(core.registers), core.random.state
        self._unknown = {register}  # registers that depend on what has not arrived
        core.jumps.begin()
        core.registers[register] = core.memory[word]
        core.pc += 1
        self._spend(core.timing.issue_ps)

    def step(self) -> None:
        """Run ahead until an instruction has used time, or go back to the load, whose line is then there."""
        try:
            going = self._core.clock < self._limit_ps and self._run()
        except SimulationError:  # a wrong prediction led to a word or register that does not exist
            going = False
        if not going:
            self._end()

    def _end(self) -> None:
        core = self._core
        core.credit = core.clock - self._begun_ps
        core.pc, core.registers, core.random.state = self._pc, self._registers, self._random
        core.clock = self._arrives_ps
        core.jumps.again()
        core.speculation = None

    def _spend(self, duration_ps: int) -> None:
        self._core.clock = min(self._core.clock + max(duration_ps, 1), self._limit_ps)

    def _run(self) -> bool:
        """Whether the core could go on."""
        core = self._core
        for _ in range(MAX_AHEAD):
            op, a, b, c = core.code[core.pc]
            if op in TIMED:
                core.pc += 1
                return self._timed(op, a, b, c)
            self._follow(op, a, b, c)
            next_pc = core.pc + 1 if op in _OUTWARD else core.still(op, a, b, c)
            if op in CONDITIONAL and not self._foresees(a, b, next_pc):
                return False
            core.pc = next_pc
        return False

    def _foresees(self, a: int, b: int, next_pc: int) -> bool:
        """Whether the core runs on behind a conditional jump that leads to next_pc."""
        core = self._core
        taken = next_pc != core.pc + 1
        predicted: bool | None = taken
        if not self._unknown.isdisjoint((a, b)):
            predicted = core.jumps.predict(core.pc)
            if predicted is None:
                return False
        core.jumps.passed()
        return predicted == taken

    def _follow(self, op: int, a: int, b: int, c: int) -> None:
        """Keep track of which registers depend on what has not arrived, through an instruction that takes no time."""
        unknown, core = self._unknown, self._core
        if op in _SETTING:
            self._mark(a, False)
        elif op in (Op.ADD, Op.SUB):
            self._mark(a, b in unknown or c in unknown)
        elif op in (Op.ADDI, Op.ANDI, Op.MULI):
            self._mark(a, b in unknown)
        elif op == Op.GETR:
            self._mark(a, c in unknown or core.register(b + core.registers[c]) in unknown)
        elif op == Op.SETR:
            self._mark(core.register(b + core.registers[c]), a in unknown or c in unknown)

    def _mark(self, register: int, unknown: bool) -> None:
        (self._unknown.add if unknown else self._unknown.discard)(register)

    def _timed(self, op: int, a: int, b: int, c: int) -> bool:
        core = self._core
        if op in _ASKING:
            word = core.word(b, c)
            elsewhere = c in self._unknown  # nobody knows yet which word it is
            if op == Op.LOAD:
                self._mark(a, elsewhere or not core.readable(word))
            if not elsewhere and not core.present(word):
                if not core.miss_free():
                    return False
                owns = a != 0 if op == Op.PREF else op == Op.INC and core.asks_to_own()
                core.request(word, owns, NEVER)
            if op == Op.LOAD:
                core.registers[a] = core.memory[word]
            self._spend(core.timing.hit_ps if op == Op.LOAD else core.timing.issue_ps)
        elif op == Op.WORK:
            self._spend(a)
        elif op in _QUIET:
            self._spend(core.timing.issue_ps)
        else:
            return False
        return True
