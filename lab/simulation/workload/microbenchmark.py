"""Two-core microbenchmarks with a known answer: they check the simulator, and can be measured on a host."""

from __future__ import annotations

from lab.simulation.memory import Memory
from lab.simulation.program import Assembler, Code, Op
from lab.simulation.scene import Agent, Scene, Timing

EXCHANGES = 0  # statistic: successful exchanges (ping-pong), or messages (ring)


def ping_pong(timing: Timing, one_way_ps: int, seed: int, end_ps: int) -> Scene:
    """Return two cores, of two sockets, that hand one word back and forth with CAS.

    Args:
        timing: times of the cores.
        one_way_ps: cache-to-cache transfer as a ping-pong measures it: half a round trip, locked instruction included.
        seed: of the jitter.
        end_ps: when to stop.

    """
    transfer = max(one_way_ps - timing.locked_ps, 0)
    return Scene(
        agents=(Agent(_returner(0)), Agent(_returner(1), socket=1)),
        timing=timing,
        transfer_ps=((0, transfer), (transfer, 0)),
        word_lines=(0,),
        seed=seed,
        warm_ps=end_ps // 10,
        end_ps=end_ps,
    )


def _returner(mine: int) -> Code:
    """Wait by CAS for the word to be mine, and give it to the other."""
    program = Assembler()
    program.emit(Op.MOVI, 1, mine)
    program.emit(Op.MOVI, 2, 1 - mine)
    program.label("again")
    program.emit(Op.CAS, 0, 0, 1)
    program.emit(Op.COUNT, EXCHANGES, 0)
    program.emit(Op.JMP, c="again")
    return program.code()


def ring(timing: Timing, transfer_ps: int, packed: bool, entries: int, messages: int, seed: int, end_ps: int) -> Scene:
    """Return a single-producer single-consumer ring (Lamport 1983, both indices read afresh each time).

    Args:
        timing: times of the cores.
        transfer_ps: cache-to-cache transfer, without the locked instruction.
        packed: whether head and tail share a line.
        entries: entries of the ring, a power of two; 8 bytes each.
        messages: the producer sends this many and halts.
        seed: of the jitter.
        end_ps: when to stop at the latest.

    """
    memory = Memory()
    stride = 8 if packed else 128
    tail = memory.allocate(2, stride)
    head = tail + 1
    slots = memory.allocate(entries, 8)
    return Scene(
        agents=(
            Agent(_producer(tail, head, slots, entries, messages)),
            Agent(_consumer(tail, head, slots, entries, messages)),
        ),
        timing=timing,
        transfer_ps=((0, transfer_ps), (transfer_ps, 0)),
        word_lines=memory.lines(64),
        seed=seed,
        warm_ps=0,
        end_ps=end_ps,
    )


def _producer(tail: int, head: int, slots: int, entries: int, messages: int) -> Code:
    """r0 sent so far, r1 limit, r2 head, r3 fill, r4 capacity, r5 slot, r6 one; message n carries n + 1."""
    program = Assembler()
    for register, value in ((1, messages), (4, entries), (6, 1)):
        program.emit(Op.MOVI, register, value)
    program.label("again")
    program.emit(Op.BGE, 0, 1, "done")
    program.access(Op.LOAD, 2, head)
    program.emit(Op.SUB, 3, 0, 2)
    program.emit(Op.BGE, 3, 4, "again")
    program.emit(Op.ANDI, 5, 0, entries - 1)
    program.emit(Op.ADDI, 0, 0, 1)
    program.access(Op.STORE, 0, slots, 5)
    program.access(Op.STORE, 0, tail)
    program.emit(Op.COUNT, EXCHANGES, 6)
    program.emit(Op.JMP, c="again")
    program.label("done")
    program.emit(Op.HALT)
    return program.code()


def _consumer(tail: int, head: int, slots: int, entries: int, messages: int) -> Code:
    """r0 received so far, r1 limit, r2 tail, r5 slot, r6 one, r7 message; statistic 1 counts messages out of order."""
    program = Assembler()
    for register, value in ((1, messages), (6, 1)):
        program.emit(Op.MOVI, register, value)
    program.label("again")
    program.emit(Op.BGE, 0, 1, "done")
    program.access(Op.LOAD, 2, tail)
    program.emit(Op.BGE, 0, 2, "again")
    program.emit(Op.ANDI, 5, 0, entries - 1)
    program.access(Op.LOAD, 7, slots, 5)
    program.emit(Op.ADDI, 0, 0, 1)
    program.emit(Op.BEQ, 7, 0, "in order")
    program.emit(Op.COUNT, 1, 6)
    program.label("in order")
    program.access(Op.STORE, 0, head)
    program.emit(Op.COUNT, EXCHANGES, 6)
    program.emit(Op.JMP, c="again")
    program.label("done")
    program.emit(Op.HALT)
    return program.code()
