"""Checks a scene before either kernel runs it, so that both may trust it."""

from __future__ import annotations

from lab.simulation.errors import SimulationError
from lab.simulation.program import JUMPS, NO_REGISTER, REGISTERS, STATS, Op
from lab.simulation.scene import JITTER_ONE, Scene

MAX_AGENTS = 64
MAX_STORE_BUFFER = 64
MAX_MISSES = 16

# Which operands are registers, by operand position.
_REGISTER_OPERANDS: dict[Op, str] = {
    Op.LOAD: "a", Op.STORE: "a", Op.MOVI: "a", Op.ADD: "abc", Op.SUB: "abc", Op.ADDI: "ab", Op.ANDI: "ab",
    Op.MULI: "ab", Op.RAND: "a", Op.BLT: "ab", Op.BGE: "ab", Op.BEQ: "ab", Op.BNE: "ab", Op.GETR: "ac", Op.SETR: "ac",
    Op.COUNT: "b", Op.TILL: "a", Op.CAS: "ac", Op.BELL: "c", Op.NOW: "a", Op.PEEK: "a", Op.POKE: "a", Op.SAMPLE: "a",
}  # fmt: skip
_INDEXED = frozenset({Op.LOAD, Op.PREF, Op.STORE, Op.INC, Op.PEEK, Op.POKE})
_CORE_ONLY = frozenset({Op.CAS, Op.INC, Op.FENCE, Op.SFENCE, Op.BELL, Op.PREF})


def check(scene: Scene) -> None:
    """Refuse a scene that is not well formed.

    Raises:
        SimulationError: says which agent, instruction or value is wrong.

    """
    count = len(scene.agents)
    if not 1 <= count <= MAX_AGENTS:
        raise SimulationError(f"scene: {count} agents; there must be 1 to {MAX_AGENTS}")
    if len(scene.transfer_ps) != count or any(len(row) != count for row in scene.transfer_ps):
        raise SimulationError(f"scene: the transfer times must be a {count} x {count} matrix")
    if any(value < 0 for row in scene.transfer_ps for value in row):
        raise SimulationError("scene: a transfer time is below zero")
    if not scene.word_lines or min(scene.word_lines) < 0:
        raise SimulationError("scene: there must be at least one word, and no line below zero")
    _check_timing(scene)
    for number, agent in enumerate(scene.agents):
        for position, (op, a, b, c) in enumerate(agent.code):
            where = f"scene: agent {number}, instruction {position} ({Op(op).name} {a} {b} {c})"
            if agent.device and op in _CORE_ONLY:
                raise SimulationError(f"{where}: a device has no store buffer and no cache")
            _check_instruction(where, Op(op), a, b, c, len(agent.code), len(scene.word_lines))
        if not agent.code or agent.code[-1][0] not in (Op.HALT, Op.JMP):
            raise SimulationError(f"scene: agent {number}: its program must end in HALT or JMP")


def _check_timing(scene: Scene) -> None:
    timing = scene.timing
    if (
        min(timing.l1_ps, timing.issue_ps, timing.shared_cache_ps, timing.commit_ps, timing.locked_ps, timing.hold_ps)
        < 1
    ):
        raise SimulationError("scene: every latency must be at least 1 ps, or time would stand still")
    if timing.window_ps < 0 or timing.overlap_ps < 0:
        raise SimulationError("scene: window_ps and overlap_ps cannot be below zero")
    if not 1 <= timing.concurrent_misses <= MAX_MISSES:
        raise SimulationError(f"scene: concurrent_misses is {timing.concurrent_misses}; it must be 1 to {MAX_MISSES}")
    if not 1 <= timing.store_buffer_entries <= MAX_STORE_BUFFER:
        raise SimulationError(
            f"scene: store_buffer_entries is {timing.store_buffer_entries}; it must be 1 to {MAX_STORE_BUFFER}"
        )
    if not 0 <= timing.jitter < JITTER_ONE or not 0 <= timing.upgrade <= JITTER_ONE:
        raise SimulationError(f"scene: jitter and upgrade are given in 1/{JITTER_ONE} and lie between 0 and 1")


def _check_instruction(where: str, op: Op, a: int, b: int, c: int, length: int, words: int) -> None:
    operands = {"a": a, "b": b, "c": c}
    for name in _REGISTER_OPERANDS.get(op, ""):
        if not 0 <= operands[name] < REGISTERS:
            raise SimulationError(f"{where}: {name} must be a register 0..{REGISTERS - 1}")
    if op in JUMPS and not 0 <= c < length:
        raise SimulationError(f"{where}: jumps out of the program")
    if op in _INDEXED and not (c == NO_REGISTER or 0 <= c < REGISTERS):
        raise SimulationError(f"{where}: c must be a register or {NO_REGISTER}")
    if (op in _INDEXED or op is Op.CAS) and not 0 <= b < words:
        raise SimulationError(f"{where}: word {b} of {words}")
    if op is Op.BELL and not -1 <= b < words:
        raise SimulationError(f"{where}: word {b} of {words}")
    if op is Op.CAS and c + 1 >= REGISTERS:
        raise SimulationError(f"{where}: c + 1 must be a register")
    if op is Op.COUNT and not 0 <= a < STATS:
        raise SimulationError(f"{where}: statistic {a} of {STATS}")
    if op in (Op.WORK, Op.BELL) and a < 0:
        raise SimulationError(f"{where}: a duration is below zero")
    if op is Op.RAND and not 1 <= b <= 1 << 16:
        raise SimulationError(f"{where}: the bound must be 1 to 65536")
