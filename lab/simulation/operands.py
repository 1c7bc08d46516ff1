"""Which values the operands of each instruction may have."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from lab.simulation.program import NO_REGISTER, REGISTERS, STATS, Op

Program = npt.NDArray[np.int64]
"""A program as a table: a row an instruction, columns op, a, b, c."""

_MOST = (1 << 63) - 1
_NAMES = "abc"
# A letter an operand (a, b, c); _ranges says what each letter stands for.
_OPERANDS: Mapping[Op, str] = {
    Op.HALT: "...", Op.WORK: "p..", Op.LOAD: "rwx", Op.PREF: ".wx", Op.STORE: "rwx", Op.INC: ".wx", Op.CAS: "rwe",
    Op.FENCE: "...", Op.SFENCE: "...", Op.BELL: "pdr", Op.TILL: "r..", Op.MOVI: "r..", Op.ADD: "rrr", Op.SUB: "rrr",
    Op.ADDI: "rr.", Op.ANDI: "rr.", Op.MULI: "rr.", Op.RAND: "rn.", Op.JMP: "..t", Op.BLT: "rrt", Op.BGE: "rrt",
    Op.BEQ: "rrt", Op.BNE: "rrt", Op.GETR: "r.r", Op.SETR: "r.r", Op.COUNT: "sr.", Op.NOW: "r..", Op.PEEK: "rwx",
    Op.POKE: "rwx", Op.SAMPLE: "r..",
}  # fmt: skip
_LETTERS = [_OPERANDS[op] for op in Op]
_CORE_ONLY = np.isin(np.arange(len(Op)), [Op.CAS, Op.INC, Op.FENCE, Op.SFENCE, Op.BELL, Op.PREF])


def _ranges(words: int, length: int) -> dict[str, tuple[str, int, int]]:
    """Return what a letter stands for, its lowest and its highest value."""
    return {
        ".": ("anything", -_MOST - 1, _MOST),
        "r": ("a register", 0, REGISTERS - 1),
        "e": ("a register with another behind it", 0, REGISTERS - 2),
        "x": ("a register or none", NO_REGISTER, REGISTERS - 1),
        "w": ("a word", 0, words - 1),
        "d": ("a word or none", -1, words - 1),
        "t": ("a position in the program", 0, length - 1),
        "s": ("a statistic", 0, STATS - 1),
        "p": ("a duration in ps", 0, _MOST),
        "n": ("a bound", 1, 1 << 16),
    }


def first_fault(program: Program, words: int, device: bool) -> tuple[int, str] | None:
    """Return the position of the first instruction that is wrong, and what is wrong with it; None if all is well.

    Args:
        program: at least one instruction.
        words: how many there are in memory.
        device: whether the agent is one, which has neither store buffer nor cache.

    """
    ops, values = program[:, 0], program[:, 1:]
    unknown = (ops < 0) | (ops >= len(Op))
    if unknown.any():
        return int(np.argmax(unknown)), "there is no such instruction"
    ranges = _ranges(words, len(program))
    bounds = np.array([[ranges[letter][1:] for letter in letters] for letters in _LETTERS], dtype=np.int64)[ops]
    outside = (values < bounds[:, :, 0]) | (values > bounds[:, :, 1])
    misplaced = _CORE_ONLY[ops] & device
    wrong = outside.any(axis=1) | misplaced
    if not wrong.any():
        return None
    position = int(np.argmax(wrong))
    if misplaced[position]:
        return position, "a device has no store buffer and no cache"
    operand = int(np.argmax(outside[position]))
    what, low, high = ranges[_LETTERS[ops[position]][operand]]
    return position, f"{_NAMES[operand]} is {values[position, operand]}; it must be {what}, {low} to {high}"
