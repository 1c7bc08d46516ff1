"""Checks a scene before either kernel runs it, so that both may trust it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from lab.simulation.errors import SimulationError
from lab.simulation.operands import Program, first_fault
from lab.simulation.program import Code, Op
from lab.simulation.scene import FIRST_TOUCH, JITTER_ONE, Scene

MAX_AGENTS = 64
MAX_STORE_BUFFER = 128
MAX_MISSES = 64


@dataclass(frozen=True)
class Tables:
    """The large parts of a scene that is well formed, as the C kernel wants them.

    Attributes:
        programs: of each agent.
        word_lines: line of each word.
        lines: how many lines there are.

    """

    programs: tuple[Program, ...]
    word_lines: npt.NDArray[np.int64]
    lines: int


def check(scene: Scene) -> Tables:
    """Refuse a scene that is not well formed; return its large parts as tables.

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
    word_lines = np.fromiter(scene.word_lines, np.int64, len(scene.word_lines))
    if not word_lines.size or word_lines.min() < 0:
        raise SimulationError("scene: there must be at least one word, and no line below zero")
    lines = int(word_lines.max()) + 1
    if scene.line_homes and (len(scene.line_homes) != lines or min(scene.line_homes) < FIRST_TOUCH):
        raise SimulationError(f"scene: line_homes must be the sockets of all {lines} lines, or nothing")
    _check_timing(scene)
    programs = tuple(_program(number, agent.code) for number, agent in enumerate(scene.agents))
    for number, (program, agent) in enumerate(zip(programs, scene.agents, strict=True)):
        fault = first_fault(program, word_lines.size, agent.device)
        if fault:
            position, problem = fault
            op, a, b, c = agent.code[position]
            name = Op(op).name if 0 <= op < len(Op) else op
            raise SimulationError(f"scene: agent {number}, instruction {position} ({name} {a} {b} {c}): {problem}")
        if program[-1, 0] not in (Op.HALT, Op.JMP):
            raise SimulationError(f"scene: agent {number}: its program must end in HALT or JMP")
    return Tables(programs, word_lines, lines)


def _program(number: int, code: Code) -> Program:
    if not code:
        raise SimulationError(f"scene: agent {number}: its program must end in HALT or JMP")
    try:
        return np.fromiter(chain.from_iterable(code), np.int64, 4 * len(code)).reshape(-1, 4)
    except OverflowError as error:
        raise SimulationError(f"scene: agent {number}: a number of its program does not fit in 64 bits") from error


def _check_timing(scene: Scene) -> None:
    timing = scene.timing
    if (
        min(timing.l1_ps, timing.issue_ps, timing.shared_cache_ps, timing.commit_ps, timing.locked_ps, timing.hold_ps)
        < 1
    ):
        raise SimulationError("scene: every latency must be at least 1 ps, or time would stand still")
    if min(timing.home_ps, timing.remote_ps, timing.from_memory_ps, timing.restart_ps) < 0:
        raise SimulationError("scene: home_ps, remote_ps, memory_ps and restart_ps cannot be below zero")
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
    if timing.snoop_ps < 0 or timing.together < 1:
        raise SimulationError("scene: snoop_ps cannot be below zero, and together is at least 1")
