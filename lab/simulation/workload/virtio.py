"""QGMs that forward between virtio-net ports; the other side of every ring is the generator's core.

Split virtqueues as of virtio 1.1, 2.6: the driver (QGM) writes descriptors and the available ring, the device
(generator) the used ring; all of it, and the buffers, move between the two cores' caches. Ports are forwarded in pairs
(0 to 1, 1 to 0), each pair by one core. The generator does no private work: it is as fast as the rings let it be, so
the result is what the QGMs can do and not what a real generator can.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout
from lab.simulation.memory import Memory
from lab.simulation.program import Assembler, Code, Op
from lab.simulation.scene import Agent, Scene
from lab.simulation.workload import shape as s
from lab.simulation.workload.shape import DESCRIPTOR_BYTES, RING_ENTRIES, Run, Shape, Touched

MAX_PORTS = 16
USED_BYTES, AVAILABLE_BYTES, INDEX_OFFSET_BYTES = 8, 2, 2  # virtio 1.1, 2.6.6 and 2.6.8
VALUE, COUNT, ZERO, ONE, BATCH, SLOT, SEEN, LIMIT, END = range(9)
# Register arrays over ports. QGM: frames taken, transmissions done. Generator: frames given, frames taken back.
FIRST, SECOND = 32, 48
COLLECTED = 3  # statistic of the generator: frames taken from transmit rings


@dataclass(frozen=True)
class _Queue:
    """Word numbers of one split virtqueue."""

    descriptor: int
    available_index: int
    available: int
    used_index: int
    used: int


@dataclass(frozen=True)
class _Port:
    receive: _Queue
    transmit: _Queue
    buffer: int


def partner(port: int, ports: int) -> int:
    """Return the port that frames of a port leave at: its pair's other one, or itself when it has none."""
    return port ^ 1 if port ^ 1 < ports else port


def scene(shape: Shape, layout: Layout, run: Run) -> Scene:
    """Build the scene; the generator's core is the agent after the QGMs.

    Args:
        shape: ports, cores and times; doorbell and arrivals play no part.
        layout: where private words lie.
        run: timing, seed and duration.

    Raises:
        SimulationError: too many ports, or cores without a pair of ports.

    """
    if not 1 <= shape.ports <= MAX_PORTS or not 1 <= shape.cores <= (shape.ports + 1) // 2:
        raise SimulationError(
            f"virtio: {shape.cores} cores for {shape.ports} ports; there must be 1 to {MAX_PORTS} ports, two a core"
        )
    memory = Memory()
    block = s.block_of(memory, layout)
    owners = [(_core_of(port, shape), port) for port in range(shape.ports)]
    touched = s.touched_words(memory, layout, block, owners, shape.touched)
    ports = [_Port(_queue(memory), _queue(memory), _buffers(memory)) for _ in range(shape.ports)]
    total = shape.cores + 1
    qgms = [Agent(_qgm(core, shape, ports, touched)) for core in range(shape.cores)]
    return Scene(
        agents=(*qgms, Agent(_generator(shape, ports))),
        timing=run.timing,
        transfer_ps=tuple(tuple(shape.near_ps for _ in range(total)) for _ in range(total)),
        word_lines=memory.lines(shape.range_bytes),
        seed=run.seed,
        warm_ps=run.warm_ps,
        end_ps=run.end_ps,
    )


def _core_of(port: int, shape: Shape) -> int:
    return port // 2 % shape.cores


def _queue(memory: Memory) -> _Queue:
    """Place a virtqueue: index and entries of a ring follow each other, as the specification says."""
    descriptor = memory.allocate(RING_ENTRIES, DESCRIPTOR_BYTES)
    places = []
    for entry_bytes in (AVAILABLE_BYTES, USED_BYTES):
        base = memory.reserve(4 + RING_ENTRIES * entry_bytes)
        index = memory.place([base + INDEX_OFFSET_BYTES])
        places.append((index, memory.place([base + 4 + i * entry_bytes for i in range(RING_ENTRIES)])))
    return _Queue(descriptor, *places[0], *places[1])


def _buffers(memory: Memory) -> int:
    """Place the first line of each buffer; frame headers are what both sides touch."""
    return memory.allocate(RING_ENTRIES, s.BUFFER_STRIDE_BYTES)


def _qgm(me: int, shape: Shape, ports: list[_Port], touched: Touched) -> Code:
    p = Assembler()
    for register, value in ((ZERO, 0), (ONE, 1), (BATCH, shape.batch)):
        p.emit(Op.MOVI, register, value)
    mine = [port for port in range(shape.ports) if _core_of(port, shape) == me]
    for port in mine:  # every buffer is available at the start
        p.emit(Op.MOVI, VALUE, RING_ENTRIES)
        p.access(Op.STORE, VALUE, ports[port].receive.available_index)
    p.label("round")
    for port in mine:
        out = partner(port, shape.ports)
        _forward(p, FIRST + port, ports[port], ports[out].transmit, touched.packet[out], shape)
        _reclaim(p, port, ports[port].receive, ports[out].transmit, touched.batch[port])
    p.emit(Op.JMP, c="round")
    return p.code()


def _forward(p: Assembler, taken: int, port: _Port, transmit: _Queue, words: list[int], shape: Shape) -> None:
    """Take a batch of received frames: prefetch all of them, then rewrite and transmit one by one."""
    fetch, frame, skip = p.fresh("fetch"), p.fresh("frame"), p.fresh("frames skip")
    p.access(Op.LOAD, SEEN, port.receive.used_index)
    p.emit(Op.BEQ, SEEN, taken, skip)
    p.emit(Op.ADD, END, taken, BATCH)
    whole = p.fresh("whole batch")
    p.emit(Op.BLT, END, SEEN, whole)
    p.emit(Op.ADDI, END, SEEN, 0)
    p.label(whole)
    p.emit(Op.ADDI, COUNT, taken, 0)
    p.label(fetch)
    p.emit(Op.ANDI, SLOT, COUNT, RING_ENTRIES - 1)
    p.access(Op.PREF, 0, port.receive.used, SLOT)
    p.access(Op.PREF, 0, port.buffer, SLOT)
    p.emit(Op.ADDI, COUNT, COUNT, 1)
    p.emit(Op.BLT, COUNT, END, fetch)
    p.label(frame)
    p.emit(Op.ANDI, SLOT, taken, RING_ENTRIES - 1)
    p.access(Op.LOAD, VALUE, port.buffer, SLOT)
    p.emit(Op.WORK, shape.work_ps)
    p.access(Op.STORE, taken, port.buffer, SLOT)
    p.access(Op.STORE, taken, transmit.descriptor, SLOT)
    p.access(Op.STORE, taken, transmit.available, SLOT)
    for word in words:
        p.access(Op.INC, 1, word)
    p.emit(Op.COUNT, s.RECEIVED, ONE)
    p.emit(Op.COUNT, s.FORWARDED, ONE)
    p.emit(Op.ADDI, taken, taken, 1)
    p.emit(Op.BLT, taken, END, frame)
    p.access(Op.STORE, taken, transmit.available_index)
    p.emit(Op.COUNT, s.BUSY_ROUNDS, ONE)
    p.label(skip)


def _reclaim(p: Assembler, port: int, receive: _Queue, transmit: _Queue, words: list[int]) -> None:
    """Give the buffers of transmitted frames back to the receive queue."""
    done = SECOND + port
    loop, skip = p.fresh("buffer"), p.fresh("buffers skip")
    p.access(Op.LOAD, SEEN, transmit.used_index)
    p.emit(Op.BEQ, SEEN, done, skip)
    p.label(loop)
    p.emit(Op.ANDI, SLOT, done, RING_ENTRIES - 1)
    p.access(Op.STORE, done, receive.descriptor, SLOT)
    p.access(Op.STORE, done, receive.available, SLOT)
    p.emit(Op.ADDI, done, done, 1)
    p.emit(Op.BLT, done, SEEN, loop)
    p.emit(Op.ADDI, VALUE, done, RING_ENTRIES)
    p.access(Op.STORE, VALUE, receive.available_index)
    for word in words:
        p.access(Op.INC, 1, word)
    p.label(skip)


def _generator(shape: Shape, ports: list[_Port]) -> Code:
    """Offer frames wherever a buffer is available, take transmitted ones; limit frames a port, if there is a limit."""
    p = Assembler()
    for register, value in ((ZERO, 0), (ONE, 1), (BATCH, shape.batch), (LIMIT, shape.limit or 1 << 60)):
        p.emit(Op.MOVI, register, value)
    p.label("round")
    for number, port in enumerate(ports):
        _offer(p, FIRST + number, port)
        _collect(p, SECOND + number, port.transmit, ports[partner(number, shape.ports)].buffer)
    p.emit(Op.JMP, c="round")
    return p.code()


def _offer(p: Assembler, given: int, port: _Port) -> None:
    loop, end, skip = p.fresh("offer"), p.fresh("offer end"), p.fresh("offer skip")
    p.access(Op.LOAD, SEEN, port.receive.available_index)
    p.emit(Op.BGE, given, LIMIT, skip)
    p.emit(Op.BEQ, given, SEEN, skip)
    p.emit(Op.MOVI, COUNT, 0)
    p.label(loop)
    p.emit(Op.ANDI, SLOT, given, RING_ENTRIES - 1)
    p.access(Op.PREF, 0, port.receive.available, SLOT)
    p.access(Op.PREF, 0, port.receive.descriptor, SLOT)
    p.access(Op.STORE, given, port.buffer, SLOT)
    p.access(Op.STORE, given, port.receive.used, SLOT)
    p.emit(Op.COUNT, s.OFFERED, ONE)
    p.emit(Op.COUNT, s.DELIVERED, ONE)
    p.emit(Op.ADDI, given, given, 1)
    p.emit(Op.ADDI, COUNT, COUNT, 1)
    p.emit(Op.BEQ, given, SEEN, end)
    p.emit(Op.BGE, given, LIMIT, end)
    p.emit(Op.BLT, COUNT, BATCH, loop)
    p.label(end)
    p.access(Op.STORE, given, port.receive.used_index)
    p.label(skip)


def _collect(p: Assembler, taken: int, transmit: _Queue, buffers: int) -> None:
    loop, end, skip = p.fresh("collect"), p.fresh("collect end"), p.fresh("collect skip")
    p.access(Op.LOAD, SEEN, transmit.available_index)
    p.emit(Op.BEQ, taken, SEEN, skip)
    p.emit(Op.MOVI, COUNT, 0)
    p.label(loop)
    p.emit(Op.ANDI, SLOT, taken, RING_ENTRIES - 1)
    p.access(Op.PREF, 0, transmit.available, SLOT)
    p.access(Op.PREF, 0, transmit.descriptor, SLOT)
    p.access(Op.PREF, 0, buffers, SLOT)
    p.access(Op.STORE, taken, transmit.used, SLOT)
    p.emit(Op.COUNT, COLLECTED, ONE)
    p.emit(Op.ADDI, taken, taken, 1)
    p.emit(Op.ADDI, COUNT, COUNT, 1)
    p.emit(Op.BEQ, taken, SEEN, end)
    p.emit(Op.BLT, COUNT, BATCH, loop)
    p.label(end)
    p.access(Op.STORE, taken, transmit.used_index)
    p.label(skip)
