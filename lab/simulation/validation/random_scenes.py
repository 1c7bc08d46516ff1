"""Scenes that nobody would write: any instructions on any machine, to compare the kernels and watch invariants."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from lab.simulation.program import NO_REGISTER, Assembler, Op
from lab.simulation.scene import FIRST_TOUCH, Agent, Protocol, Scene, Timing

TYPICAL = Timing(
    l1_ps=1500,
    issue_ps=400,
    shared_cache_ps=12_000,
    commit_ps=400,
    locked_ps=7000,
    hold_ps=2000,
    window_ps=30_000,
    overlap_ps=5000,
    concurrent_misses=8,
    store_buffer_entries=36,
    jitter=180,
    upgrade=512,
)
"""A core of no machine in particular."""

COUNTED = 7
"""Statistic: increments issued by the agents of :func:`counting_scene`."""

_WORDS, _LINES = 8, 4
_REGISTERS = 4  # that programs calculate with; the next one holds a moment that has passed
_MOMENT = _REGISTERS
_END_PS = 3_000_000
_STILL = (Op.MOVI, Op.ADD, Op.SUB, Op.ADDI, Op.ANDI, Op.MULI, Op.RAND, Op.GETR, Op.SETR, Op.COUNT)
_JUMPS = (Op.JMP, Op.BLT, Op.BGE, Op.BEQ, Op.BNE)
_ANY = (*_STILL, *_JUMPS, Op.WORK, Op.TILL, Op.NOW, Op.SAMPLE, *(Op.PEEK, Op.POKE) * 2, *(Op.LOAD, Op.STORE) * 4)
_CORE = (*_ANY, *(Op.PREF, Op.INC) * 4, *(Op.CAS, Op.FENCE, Op.SFENCE, Op.BELL) * 2)


def random_timing(random: Random) -> Timing:
    """Return times and sizes of a core, some of them extreme."""
    window_ps = random.randint(0, 60_000)
    return replace(
        TYPICAL,
        locked_ps=random.randint(1, 10_000),
        hold_ps=random.randint(1, 20_000),
        window_ps=window_ps,
        overlap_ps=random.choice((0, window_ps // 2, window_ps)),
        concurrent_misses=random.randint(1, 10),
        store_buffer_entries=random.randint(1, 40),
        jitter=random.randint(0, 300),
        upgrade=random.randint(0, 1024),
        snoop_ps=random.choice((0, 5000, 20_000, 90_000)),
        together=random.randint(1, 3),
        restart_ps=random.choice((0, 1, 6000)),
        protocol=random.choice(tuple(Protocol)),
        home_ps=random.randint(0, 50_000),
        remote_ps=random.randint(0, 60_000),
        memory_ps=random.choice((None, 70_000)),
    )


def random_scene(random: Random) -> Scene:
    """Return up to four agents with programs of all instructions that run for 3 us."""
    count = random.randint(1, 4)
    return Scene(
        agents=tuple(_agent(random) for _ in range(count)),
        timing=random_timing(random),
        transfer_ps=tuple(tuple(random.randint(0, 120_000) for _ in range(count)) for _ in range(count)),
        word_lines=(*range(_LINES), *(random.randint(0, _LINES - 1) for _ in range(_WORDS - _LINES))),
        seed=random.randint(0, 2**32),
        warm_ps=random.randint(0, _END_PS),
        end_ps=_END_PS,
        line_homes=random.choice(((), (0, 1, FIRST_TOUCH, 1))),
    )


def counting_scene(random: Random) -> Scene:
    """Return cores that increment a word of their own, all words in one line, and halt: nothing may get lost."""
    cores, rounds = random.randint(1, 5), random.randint(1, 40)
    latency_ps = random.randint(0, 150_000)
    return Scene(
        agents=tuple(
            Agent(_counter(random, core, rounds), socket=core % 2, complex=core // 2) for core in range(cores)
        ),
        timing=random_timing(random),
        transfer_ps=((latency_ps,) * cores,) * cores,
        word_lines=(0,) * cores,
        seed=random.randint(0, 2**32),
        warm_ps=0,
        end_ps=1_000_000_000,
    )


def _counter(random: Random, word: int, rounds: int) -> tuple[tuple[int, int, int, int], ...]:
    p = Assembler()
    p.emit(Op.MOVI, 1, rounds)
    p.emit(Op.MOVI, 2, 1)
    p.label("again")
    p.access(Op.INC, 1, word)
    p.emit(Op.COUNT, COUNTED, 2)
    p.emit(Op.WORK, random.randint(0, 50_000))
    p.emit(Op.ADDI, 0, 0, 1)
    p.emit(Op.BLT, 0, 1, "again")
    p.emit(Op.HALT)
    return p.code()


def _agent(random: Random) -> Agent:
    device, length = random.choice((False, False, False, True)), random.randint(1, 12)
    p = Assembler()
    for position in range(length):
        p.label(f"to {position}")
        op = random.choice(_ANY if device else _CORE)
        a, b, c = _operands(random, op, position, length)
        p.emit(op, a, b, c if op not in _JUMPS else f"to {c}")
        if op in (Op.LOAD, Op.PEEK):  # what comes from memory stays small, too
            p.emit(Op.ANDI, a, a, 1023)
    p.label(f"to {length}")
    p.emit(Op.WORK, 1000)
    for register in range(_REGISTERS):  # values stay small
        p.emit(Op.ANDI, register, register, 3)
    if random.randint(0, 9) == 0:
        p.emit(Op.HALT)
    p.emit(Op.JMP, c=0)
    return Agent(p.code(), random.randint(0, 1), device, random.randint(0, 1))


def _operands(random: Random, op: Op, position: int, length: int) -> tuple[int, int, int]:
    """Return operands with which the instruction does what it may."""
    register, other = random.randint(0, _REGISTERS - 1), random.randint(0, _REGISTERS - 1)
    word = random.randint(0, _WORDS - 1)
    if op in (Op.NOW, Op.SAMPLE):
        return _MOMENT, 0, 0
    if op is Op.PREF:
        return random.randint(0, 1), word, NO_REGISTER
    if op in _JUMPS:  # forward only, so that time passes in each round
        return register, other, random.randint(position + 1, length)
    if op in (Op.LOAD, Op.STORE, Op.INC, Op.PEEK, Op.POKE):
        return register, word, NO_REGISTER
    if op is Op.CAS:
        return register, word, random.randint(0, _REGISTERS - 2)
    if op is Op.BELL:
        return random.randint(0, 50_000), random.randint(-1, _WORDS - 1), register
    if op is Op.WORK:
        return random.randint(0, 100_000), 0, 0
    if op in (Op.GETR, Op.SETR):  # of registers that nothing else uses, at a fixed place
        return register, random.randint(10, 20), 9
    return _values(random, op, register, other)


def _values(random: Random, op: Op, register: int, other: int) -> tuple[int, int, int]:
    if op is Op.RAND:
        return register, random.randint(1, 9), 0
    if op is Op.COUNT:
        return random.randint(0, 6), register, 0
    if op is Op.MULI:
        return register, other, random.choice((0, 1, -1))
    if op in (Op.ADD, Op.SUB):
        return register, other, random.randint(0, _REGISTERS - 1)
    return register, other, random.randint(0, 7)  # MOVI, ADDI, ANDI, TILL
