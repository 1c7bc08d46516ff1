"""Timing and random scenes for the tests of the kernels."""

from dataclasses import replace

from hypothesis import strategies as st

from lab.simulation.program import Assembler, Op
from lab.simulation.scene import Agent, Protocol, Scene, Timing

TIMING = Timing(
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
WORDS = 8
COUNTED = 7  # statistic: increments issued by counting_scenes
MOMENT = 4  # register: holds a moment that has passed, for SAMPLE


@st.composite
def timings(draw: st.DrawFn) -> Timing:
    return replace(
        TIMING,
        locked_ps=draw(st.integers(1, 10_000)),
        hold_ps=draw(st.integers(1, 20_000)),
        window_ps=draw(st.integers(0, 60_000)),
        overlap_ps=draw(st.integers(0, 60_000)),
        concurrent_misses=draw(st.integers(1, 10)),
        store_buffer_entries=draw(st.integers(1, 40)),
        jitter=draw(st.integers(0, 300)),
        upgrade=draw(st.integers(0, 1024)),
        protocol=draw(st.sampled_from(Protocol)),
    )


@st.composite
def instructions(draw: st.DrawFn, device: bool, position: int, length: int) -> tuple[Op, int, int, int]:
    register, word = draw(st.integers(0, 3)), draw(st.integers(0, WORDS - 1))
    accesses = [Op.LOAD, Op.STORE] + ([] if device else [Op.PREF, Op.INC])
    others = [Op.WORK, Op.TILL, Op.ADDI, Op.ANDI, Op.RAND, Op.COUNT, Op.BLT, Op.BNE, Op.ADD, Op.MULI]
    others += [Op.NOW, Op.PEEK, Op.POKE, Op.SAMPLE]
    op = draw(
        st.sampled_from(accesses * 3 + others + ([] if device else [Op.CAS, Op.CAS, Op.FENCE, Op.SFENCE, Op.BELL]))
    )
    if op in (Op.NOW, Op.SAMPLE):
        return op, MOMENT, 0, 0
    if op in accesses or op in (Op.PEEK, Op.POKE):
        return op, register, word, -1
    if op in (Op.BLT, Op.BNE):
        return op, register, draw(st.integers(0, 3)), draw(st.integers(position + 1, length))
    if op is Op.CAS:
        return op, register, word, draw(st.integers(0, 3))
    if op is Op.BELL:
        return op, draw(st.integers(0, 50_000)), draw(st.integers(-1, WORDS - 1)), register
    if op is Op.WORK:
        return op, draw(st.integers(0, 100_000)), 0, 0
    if op is Op.RAND:
        return op, register, draw(st.integers(1, 9)), 0
    if op is Op.COUNT:
        return op, draw(st.integers(0, 6)), register, 0
    if op is Op.MULI:
        return op, register, draw(st.integers(0, 3)), draw(st.sampled_from([0, 1, -1]))
    if op is Op.ADD:
        return op, 3, draw(st.integers(0, 2)), draw(st.integers(0, 2))
    return op, register, draw(st.integers(0, 3)), draw(st.integers(0, 7))


@st.composite
def agents(draw: st.DrawFn) -> Agent:
    device, length = draw(st.sampled_from([False, False, False, True])), draw(st.integers(1, 10))
    program = Assembler()
    for position in range(length):
        op, a, b, c = draw(instructions(device, position, length))
        program.emit(op, a, b, c)
    program.emit(Op.WORK, 1000)
    for register in range(4):  # values stay small
        program.emit(Op.ANDI, register, register, 7)
    program.emit(Op.JMP, c=0)
    return Agent(program.code(), socket=draw(st.integers(0, 1)), device=device)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Any program on any machine, within reason."""
    crowd = tuple(draw(st.lists(agents(), min_size=1, max_size=4)))
    times = st.integers(0, 120_000)
    row = st.lists(times, min_size=len(crowd), max_size=len(crowd)).map(tuple)
    return Scene(
        agents=crowd,
        timing=draw(timings()),
        transfer_ps=tuple(draw(st.lists(row, min_size=len(crowd), max_size=len(crowd)))),
        word_lines=tuple(draw(st.lists(st.integers(0, 3), min_size=WORDS, max_size=WORDS))),
        seed=draw(st.integers(0, 2**32)),
        warm_ps=draw(st.integers(0, 3_000_000)),
        end_ps=3_000_000,
    )


@st.composite
def counting_scenes(draw: st.DrawFn) -> Scene:
    """Cores that increment a word of their own, all words in one line, and halt: nothing may get lost."""
    cores, rounds = draw(st.integers(1, 5)), draw(st.integers(1, 40))
    crowd = []
    for core in range(cores):
        program = Assembler()
        program.emit(Op.MOVI, 1, rounds)
        program.emit(Op.MOVI, 2, 1)
        program.label("again")
        program.access(Op.INC, 1, core)
        program.emit(Op.COUNT, COUNTED, 2)
        program.emit(Op.WORK, draw(st.integers(0, 50_000)))
        program.emit(Op.ADDI, 0, 0, 1)
        program.emit(Op.BLT, 0, 1, "again")
        program.emit(Op.HALT)
        crowd.append(Agent(program.code(), socket=core % 2))
    latency = draw(st.integers(0, 150_000))
    return Scene(
        agents=tuple(crowd),
        timing=draw(timings()),
        transfer_ps=((latency,) * cores,) * cores,
        word_lines=(0,) * cores,
        seed=draw(st.integers(0, 2**32)),
        warm_ps=0,
        end_ps=1_000_000_000,
    )
