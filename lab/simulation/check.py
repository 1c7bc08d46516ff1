"""Checks a scene before either kernel runs it, so that both may trust it."""

from __future__ import annotations

from lab.simulation.errors import SimulationError
from lab.simulation.program import JUMPS, NO_REGISTER, REGISTERS, STATS, Instruction, Op
from lab.simulation.scene import FIRST_TOUCH, JITTER_ONE, Scene

MAX_AGENTS = 64
MAX_STORE_BUFFER = 128
MAX_MISSES = 64

# Which operands are registers, by operand position.
_REGISTER_OPERANDS: dict[int, tuple[int, ...]] = {
    op: tuple("abc".index(name) for name in names)
    for names, ops in {
        "a": (Op.LOAD, Op.STORE, Op.MOVI, Op.RAND, Op.TILL, Op.NOW, Op.PEEK, Op.POKE, Op.SAMPLE),
        "b": (Op.COUNT,),
        "c": (Op.BELL,),
        "ab": (Op.ADDI, Op.ANDI, Op.MULI, Op.BLT, Op.BGE, Op.BEQ, Op.BNE),
        "ac": (Op.GETR, Op.SETR, Op.CAS),
        "abc": (Op.ADD, Op.SUB),
    }.items()
    for op in ops
}
_INDEXED = frozenset({Op.LOAD, Op.PREF, Op.STORE, Op.INC, Op.PEEK, Op.POKE})
_CORE_ONLY = frozenset({Op.CAS, Op.INC, Op.FENCE, Op.SFENCE, Op.BELL, Op.PREF})
_KNOWN = frozenset(Op)


def check(scene: Scene) -> None:
    """Refuse a scene that is not well formed.

    Raises:
        SimulationError: says which agent, instruction or value is wrong.

    """
    count, words = len(scene.agents), len(scene.word_lines)
    if not 1 <= count <= MAX_AGENTS:
        raise SimulationError(f"scene: {count} agents; there must be 1 to {MAX_AGENTS}")
    if len(scene.transfer_ps) != count or any(len(row) != count for row in scene.transfer_ps):
        raise SimulationError(f"scene: the transfer times must be a {count} x {count} matrix")
    if any(value < 0 for row in scene.transfer_ps for value in row):
        raise SimulationError("scene: a transfer time is below zero")
    if not words or min(scene.word_lines) < 0:
        raise SimulationError("scene: there must be at least one word, and no line below zero")
    if scene.line_homes and (len(scene.line_homes) != scene.lines or min(scene.line_homes) < FIRST_TOUCH):
        raise SimulationError(f"scene: line_homes must be the sockets of all {scene.lines} lines, or nothing")
    _check_timing(scene)
    for number, agent in enumerate(scene.agents):
        length = len(agent.code)
        for position, instruction in enumerate(agent.code):
            problem = _problem(instruction, agent.device, length, words)
            if problem:
                raise SimulationError(f"scene: agent {number}, instruction {position} {_shown(instruction)}: {problem}")
        if not agent.code or agent.code[-1][0] not in (Op.HALT, Op.JMP):
            raise SimulationError(f"scene: agent {number}: its program must end in HALT or JMP")


def _check_timing(scene: Scene) -> None:
    timing = scene.timing
    if (
        min(timing.l1_ps, timing.issue_ps, timing.shared_cache_ps, timing.commit_ps, timing.locked_ps, timing.hold_ps)
        < 1
    ):
        raise SimulationError("scene: every latency must be at least 1 ps, or time would stand still")
    if min(timing.home_ps, timing.remote_ps, timing.from_memory_ps) < 0:
        raise SimulationError("scene: home_ps, remote_ps and memory_ps cannot be below zero")
    if not 0 <= timing.overlap_ps <= timing.window_ps:
        raise SimulationError("scene: overlap_ps must be between 0 (blocking) and window_ps (fully speculative)")
    if not 1 <= timing.concurrent_misses <= MAX_MISSES:
        raise SimulationError(f"scene: concurrent_misses is {timing.concurrent_misses}; it must be 1 to {MAX_MISSES}")
    if not 1 <= timing.store_buffer_entries <= MAX_STORE_BUFFER:
        raise SimulationError(
            f"scene: store_buffer_entries is {timing.store_buffer_entries}; it must be 1 to {MAX_STORE_BUFFER}"
        )
    if not 0 <= timing.jitter < JITTER_ONE or not 0 <= timing.upgrade <= JITTER_ONE:
        raise SimulationError(f"scene: jitter and upgrade are given in 1/{JITTER_ONE} and lie between 0 and 1")
    if not 0 <= timing.snoop <= JITTER_ONE:
        raise SimulationError(f"scene: snoop is given in 1/{JITTER_ONE} and lies between 0 and 1")


def _shown(instruction: Instruction) -> str:
    op, a, b, c = instruction
    return f"({Op(op).name if op in _KNOWN else op} {a} {b} {c})"


def _problem(instruction: Instruction, device: bool, length: int, words: int) -> str:
    """Return what is wrong with an instruction, or nothing."""
    op, a, b, c = instruction
    if op not in _KNOWN:
        return "there is no such instruction"
    if device and op in _CORE_ONLY:
        return "a device has no store buffer and no cache"
    for position in _REGISTER_OPERANDS.get(op, ()):
        if not 0 <= instruction[position + 1] < REGISTERS:
            return f"{'abc'[position]} must be a register 0..{REGISTERS - 1}"
    if op in JUMPS and not 0 <= c < length:
        return "jumps out of the program"
    if op in _INDEXED and not (c == NO_REGISTER or 0 <= c < REGISTERS):
        return f"c must be a register or {NO_REGISTER}"
    if ((op in _INDEXED or op == Op.CAS) and not 0 <= b < words) or (op == Op.BELL and not -1 <= b < words):
        return f"word {b} of {words}"
    return _problem_of_value(op, a, b, c)


def _problem_of_value(op: int, a: int, b: int, c: int) -> str:
    if op == Op.CAS and c + 1 >= REGISTERS:
        return "c + 1 must be a register"
    if op == Op.COUNT and not 0 <= a < STATS:
        return f"statistic {a} of {STATS}"
    if op in (Op.WORK, Op.BELL) and a < 0:
        return "a duration is below zero"
    if op == Op.RAND and not 1 <= b <= 1 << 16:
        return "the bound must be 1 to 65536"
    return ""
