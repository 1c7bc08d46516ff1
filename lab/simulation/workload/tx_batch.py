"""Cores that send as fast as they can: ``batch`` descriptors, one doorbell, next port.

Frames are ready in their buffers; the core writes descriptors only. Core c sends on the ports c, c + cores ... (with
more cores than ports, on port c mod ports), through a queue of its own. When a queue is full the core goes on to its
next one. No frame arrives, so there is no latency.
"""

from __future__ import annotations

from lab.simulation.caps import caps_pps
from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout
from lab.simulation.machine import Machine
from lab.simulation.memory import Memory
from lab.simulation.program import Assembler, Code, Op
from lab.simulation.scene import Agent
from lab.simulation.workload import nic_send
from lab.simulation.workload.board import Board
from lab.simulation.workload.built import Built, Numbers, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.nic import Nics
from lab.simulation.workload.nic_pace import pace
from lab.simulation.workload.queue_words import Words, place
from lab.simulation.workload.timing import cycle_ps, range_bytes
from lab.simulation.workload.transmit_queue import BATCH, Queues, give, publish, start

MAX_PORTS = 16
COUNT, PORT = 100, 101  # registers, besides those of transmit_queue.py


class TxBatch:
    """The workload ``tx-batch``."""

    name = "tx-batch"
    title = "cores send as fast as they can, one doorbell for each batch of frames"

    def build(self, machine: Machine, numbers: Numbers, case: Case, layout: Layout, window: Window) -> Built:
        """Build the scene of one draw. The layout's private words of a frame are not touched but for the queues' own.

        Raises:
            SimulationError: too many ports, an offered load, or a machine without NICs.
            UsageError: the machine has not so many cores, or a number is missing.

        """
        machine.needs(("doorbell", "card", "tx_work"), "workload 'tx-batch'")
        if case.ports > MAX_PORTS or case.batch > case.queue_length:
            raise SimulationError(
                f"tx-batch: {case.ports} ports, batch {case.batch}, queue length {case.queue_length}; there must be at "
                f"most {MAX_PORTS} ports and no larger batch than a queue holds"
            )
        if case.variant:
            raise SimulationError(f"tx-batch: there is no variant {case.variant!r}: leave it out")
        if case.offered_pps is not None:
            raise SimulationError("tx-batch: it sends as fast as it can: leave out the offered load")
        machine.needs_ports(case.ports, case.line_rate_gbps, "workload 'tx-batch'")
        memory = Memory()
        nics = Nics(memory, pace(numbers, case), case.ports, machine.ports_per_card, case.queue_length, case.cores)
        words = place(memory, layout, case.cores, case.ports * case.cores, 0)
        work_ps = int(numbers["tx_work"] * cycle_ps(numbers))
        cores = [Agent(_core(core, case, nics, words, work_ps)) for core in range(case.cores)]
        owners = [port % case.cores for port in range(case.ports)]
        lines = memory.lines(range_bytes(numbers))
        board = Board.of(machine, numbers, case)
        return Built(
            scene=board.scene(cores, [(nics.senders(stamped=False), owners)], lines, window),
            word_names=memory.names(),
            counting=tuple(range(case.cores, case.cores + case.ports)),
            done=nic_send.SENT,
            unit="packets",
            caps_pps=caps_pps(
                numbers,
                case.ports,
                machine.ports_per_card,
                case.line_rate_gbps,
                case.frame_size_bytes,
                "tx single" if case.batch == 1 else "tx batched",
            ),
            cpu_pps=case.cores * 1e12 / max(work_ps, nics.pace.doorbell_ps / case.batch, 1),
            meters=nics.meters(),
        )


def _core(me: int, case: Case, nics: Nics, words: Words, work_ps: int) -> Code:
    p = Assembler()
    queues = Queues(nics, words, me)
    start(p, nics.entries, case.batch)
    p.label("turn")
    for port in range(me, case.ports, case.cores) if me < case.ports else (me % case.ports,):
        frame, full = p.fresh("frame"), p.fresh("full")
        p.emit(Op.MOVI, PORT, port)
        p.emit(Op.MOVI, COUNT, 0)
        p.label(frame)
        give(p, queues, PORT, None, full)
        p.emit(Op.WORK, work_ps)
        p.emit(Op.ADDI, COUNT, COUNT, 1)
        p.emit(Op.BLT, COUNT, BATCH, frame)
        p.label(full)
        publish(p, queues, port)
    p.emit(Op.JMP, c="turn")
    return p.code()
