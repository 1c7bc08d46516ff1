"""QGMs that route between NICs, destinations random over all ports.

Each core polls its receive rings and the rings from every other core; a packet for another core's port crosses the
inter-core ring (producer, consumer).
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout, Structure, default
from lab.simulation.memory import Memory
from lab.simulation.program import Assembler, Code, Op
from lab.simulation.scene import Agent, Scene
from lab.simulation.workload import shape as s
from lab.simulation.workload.shape import DESCRIPTOR_BYTES, RING_ENTRIES, Run, Shape, Touched

MAX_CORES = 16
# Registers of a core; those from TAIL on are arrays over the other cores.
VALUE, EXPECTED, COUNT, ZERO, ONE, BATCH, TARGET, SLOT, FILL, ENTRIES, SENT, ME, TMP = range(13)
NEXT, TAIL, HEAD_SEEN, PUBLISHED, HEAD = 14, 32, 48, 64, 80


@dataclass(frozen=True)
class _Words:
    """Word numbers of everything that cores and NICs touch."""

    rx_descriptor: int  # [port][slot]
    rx_register: int  # [port], what the NIC knows of the core's progress
    buffer: int  # [port][slot]
    tx_descriptor: int  # [core][slot]
    entry: int  # [producer][consumer][slot]
    tail: int  # [producer][consumer]
    head: int  # [producer][consumer]
    touched: Touched


def scene(shape: Shape, layout: Layout, run: Run) -> Scene:
    """Build the scene.

    Args:
        shape: ports, cores and times.
        layout: where head, tail and private words lie.
        run: timing, seed and duration.

    Raises:
        SimulationError: too many cores, or cores without a port.

    """
    if not 1 <= shape.cores <= min(MAX_CORES, shape.ports):
        raise SimulationError(f"routing: {shape.cores} cores for {shape.ports} ports; there must be 1 to {MAX_CORES}")
    memory = Memory()
    words = _place(memory, shape, layout)
    cores = [Agent(_core(core, shape, words), socket=shape.socket(core)) for core in range(shape.cores)]
    nics = [
        Agent(_nic(port, shape, words), socket=shape.socket(port % shape.cores), device=True)
        for port in range(shape.ports)
    ]
    return Scene(
        agents=(*cores, *nics),
        timing=run.timing,
        transfer_ps=_transfers(shape, run),
        word_lines=memory.lines(shape.range_bytes),
        seed=run.seed,
        warm_ps=run.warm_ps,
        end_ps=run.end_ps,
    )


def _place(memory: Memory, shape: Shape, layout: Layout) -> _Words:
    """Lay out the rings; a layout without index matrices takes those of a documented default."""
    n = shape.cores
    block = s.block_of(memory, layout)
    touched = s.touched_words(memory, layout, block, [(core, core) for core in range(n)], shape.touched)
    tail, head = layout.matrix("producer", n), layout.matrix("consumer", n)
    if tail is None or head is None:
        fallback = default("packed" if layout.name == "packed" else "padded", n)
        block = s.block_of(memory, fallback)
        tail, head = fallback.matrix("producer", n), fallback.matrix("consumer", n)
    assert tail is not None and head is not None
    return _Words(
        rx_descriptor=memory.allocate(shape.ports * RING_ENTRIES, DESCRIPTOR_BYTES),
        rx_register=memory.allocate(shape.ports, 128),
        buffer=memory.allocate(shape.ports * RING_ENTRIES, s.BUFFER_STRIDE_BYTES),
        tx_descriptor=memory.allocate(n * RING_ENTRIES, DESCRIPTOR_BYTES),
        entry=memory.allocate(n * n * RING_ENTRIES, DESCRIPTOR_BYTES),
        tail=memory.place(_matrix(block, tail, n)),
        head=memory.place(_matrix(block, head, n)),
        touched=touched,
    )


def _matrix(block: int, matrix: Structure, n: int) -> list[int]:
    return [block + matrix.address(producer * matrix.side + consumer) for producer in range(n) for consumer in range(n)]


def _transfers(shape: Shape, run: Run) -> tuple[tuple[int, ...], ...]:
    """Between cores near or far; a NIC writes to the shared cache of its own socket."""
    total = shape.cores + shape.ports

    def between(a: int, b: int) -> int:
        if a >= shape.cores or b >= shape.cores:
            return run.timing.shared_cache_ps
        return shape.near_ps if shape.socket(a) == shape.socket(b) else shape.far_ps

    return tuple(tuple(between(a, b) for b in range(total)) for a in range(total))


def _nic(port: int, shape: Shape, words: _Words) -> Code:
    """r0 next arrival, r1 delivered, r2 core's progress, r3 fill, r4 entries, r5 slot, r6 one, r7 offered, r8 limit."""
    p = Assembler()
    for register, value in ((4, RING_ENTRIES), (6, 1), (8, shape.limit or 1 << 60)):
        p.emit(Op.MOVI, register, value)
    p.label("arrival")
    p.emit(Op.BGE, 7, 8, "silent")
    p.emit(Op.TILL, 0)
    p.emit(Op.ADDI, 0, 0, shape.arrival_ps)
    p.emit(Op.ADDI, 7, 7, 1)
    p.emit(Op.COUNT, s.OFFERED, 6)
    p.access(Op.LOAD, 2, words.rx_register + port)
    p.emit(Op.SUB, 3, 1, 2)
    p.emit(Op.BLT, 3, 4, "room")
    p.emit(Op.COUNT, s.LOST, 6)
    p.emit(Op.JMP, c="arrival")
    p.label("room")
    p.emit(Op.ANDI, 5, 1, RING_ENTRIES - 1)
    p.emit(Op.ADDI, 1, 1, 1)
    p.access(Op.STORE, 1, words.buffer + port * RING_ENTRIES, 5)
    p.access(Op.STORE, 1, words.rx_descriptor + port * RING_ENTRIES, 5)
    p.emit(Op.COUNT, s.DELIVERED, 6)
    p.emit(Op.JMP, c="arrival")
    p.label("silent")
    p.emit(Op.HALT)
    return p.code()


def _core(me: int, shape: Shape, words: _Words) -> Code:
    p = Assembler()
    for register, value in ((ZERO, 0), (ONE, 1), (BATCH, shape.batch), (ENTRIES, RING_ENTRIES), (ME, me)):
        p.emit(Op.MOVI, register, value)
    p.label("round")
    p.emit(Op.MOVI, SENT, 0)
    for position, port in enumerate(range(me, shape.ports, shape.cores)):
        _receive(p, me, port, NEXT + position, shape, words)
    for other in range(shape.cores):
        if other != me:
            _take(p, me, other, shape, words)
    p.emit(Op.BEQ, SENT, ZERO, "round")
    p.emit(Op.BELL, shape.doorbell_ps, -1, SENT)
    p.emit(Op.COUNT, s.BUSY_ROUNDS, ONE)
    p.emit(Op.JMP, c="round")
    return p.code()


def _receive(p: Assembler, me: int, port: int, next_: int, shape: Shape, words: _Words) -> None:
    """Poll one receive ring for a batch, and publish what went to other cores."""
    loop, end, skip = p.fresh("rx"), p.fresh("rx end"), p.fresh("rx skip")
    base = port * RING_ENTRIES
    p.emit(Op.MOVI, COUNT, 0)
    p.label(loop)
    p.emit(Op.ANDI, SLOT, next_, RING_ENTRIES - 1)
    p.emit(Op.ADDI, EXPECTED, next_, 1)
    p.access(Op.LOAD, VALUE, words.rx_descriptor + base, SLOT)
    p.emit(Op.BNE, VALUE, EXPECTED, end)
    p.access(Op.PREF, 0, words.buffer + base, SLOT)
    p.emit(Op.WORK, shape.work_ps)
    p.access(Op.STORE, VALUE, words.buffer + base, SLOT)
    for word in words.touched.packet[me]:
        p.access(Op.INC, 1, word)
    p.emit(Op.COUNT, s.RECEIVED, ONE)
    p.emit(Op.ADDI, next_, next_, 1)
    p.emit(Op.ADDI, COUNT, COUNT, 1)
    _send(p, me, shape, words)
    p.emit(Op.BLT, COUNT, BATCH, loop)
    p.label(end)
    p.emit(Op.BEQ, COUNT, ZERO, skip)
    for word in words.touched.batch[me]:
        p.access(Op.INC, 1, word)
    p.emit(Op.BELL, shape.doorbell_ps, words.rx_register + port, next_)
    for other in range(shape.cores):
        if other != me:
            same = p.fresh("published")
            p.emit(Op.BEQ, TAIL + other, PUBLISHED + other, same)
            p.access(Op.STORE, TAIL + other, words.tail + me * shape.cores + other)
            p.emit(Op.ADDI, PUBLISHED + other, TAIL + other, 0)
            p.label(same)
    p.label(skip)


def _send(p: Assembler, me: int, shape: Shape, words: _Words) -> None:
    """Pick a destination and hand the packet on: to the own transmit ring or to the other core's inter-core ring."""
    local, room, done = p.fresh("local"), p.fresh("room"), p.fresh("sent")
    row = me * shape.cores
    p.emit(Op.RAND, TARGET, shape.cores)
    p.emit(Op.BEQ, TARGET, ME, local)
    p.emit(Op.GETR, VALUE, TAIL, TARGET)
    p.emit(Op.GETR, TMP, HEAD_SEEN, TARGET)
    p.emit(Op.SUB, FILL, VALUE, TMP)
    p.emit(Op.BLT, FILL, ENTRIES, room)
    p.access(Op.LOAD, TMP, words.head + row, TARGET)
    p.emit(Op.SETR, TMP, HEAD_SEEN, TARGET)
    p.emit(Op.SUB, FILL, VALUE, TMP)
    p.emit(Op.BLT, FILL, ENTRIES, room)
    p.emit(Op.COUNT, s.REFUSED, ONE)
    p.emit(Op.JMP, c=done)
    p.label(room)
    p.emit(Op.ANDI, SLOT, VALUE, RING_ENTRIES - 1)
    p.emit(Op.MULI, TMP, TARGET, RING_ENTRIES)
    p.emit(Op.ADD, SLOT, SLOT, TMP)
    p.emit(Op.ADDI, VALUE, VALUE, 1)
    p.access(Op.STORE, VALUE, words.entry + row * RING_ENTRIES, SLOT)
    p.emit(Op.SETR, VALUE, TAIL, TARGET)
    p.emit(Op.JMP, c=done)
    p.label(local)
    _transmit(p, me, words)
    p.label(done)


def _transmit(p: Assembler, me: int, words: _Words) -> None:
    p.emit(Op.ANDI, SLOT, SENT, RING_ENTRIES - 1)
    p.access(Op.STORE, SENT, words.tx_descriptor + me * RING_ENTRIES, SLOT)
    p.emit(Op.ADDI, SENT, SENT, 1)
    p.emit(Op.COUNT, s.FORWARDED, ONE)


def _take(p: Assembler, me: int, other: int, shape: Shape, words: _Words) -> None:
    """Take a batch from the ring of another core and transmit it."""
    loop, end, skip = p.fresh("take"), p.fresh("take end"), p.fresh("take skip")
    ring = other * shape.cores + me
    head = HEAD + other
    p.access(Op.LOAD, VALUE, words.tail + ring)
    p.emit(Op.BEQ, VALUE, head, skip)
    p.emit(Op.MOVI, COUNT, 0)
    p.label(loop)
    p.emit(Op.ANDI, SLOT, head, RING_ENTRIES - 1)
    p.access(Op.PREF, 0, words.entry + ring * RING_ENTRIES, SLOT)
    _transmit(p, me, words)
    p.emit(Op.ADDI, head, head, 1)
    p.emit(Op.ADDI, COUNT, COUNT, 1)
    p.emit(Op.BEQ, head, VALUE, end)
    p.emit(Op.BLT, COUNT, BATCH, loop)
    p.label(end)
    p.access(Op.STORE, head, words.head + ring)
    p.label(skip)
