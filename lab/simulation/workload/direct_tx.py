"""Cores that route between NICs with a transmit queue of their own on every port: no rings between cores.

Each core polls its receive rings; a frame goes to a port chosen at random, into the core's own queue there. Tail
registers are written once a turn for each queue that got frames. How many frames a queue has sent is looked up in the
head that the NIC writes back, and only when the core's own count says that the queue is full.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lab.simulation import native
from lab.simulation.caps import caps_pps
from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout, default
from lab.simulation.machine import Machine
from lab.simulation.memory import Memory
from lab.simulation.program import Assembler, Code, Op
from lab.simulation.scene import Agent, Scene
from lab.simulation.workload import nic_send
from lab.simulation.workload.board import Board
from lab.simulation.workload.built import Built, Numbers, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.nic import Nics
from lab.simulation.workload.nic_pace import pace
from lab.simulation.workload.queue_words import Words, place
from lab.simulation.workload.timing import cycle_ps, range_bytes
from lab.simulation.workload.transmit_queue import BATCH, ONE, ZERO, Queues, give, publish, start

MAX_PORTS = 16
ALL_WORDS = 64
PROBE_PORTS = 4
PROBE_PS = 40_000_000
PROBE_RATE_GBPS = 100.0  # faster than any core
SLOW = ("card", "card_tx", "card_tx_single", "device", "nic_port")  # numbers that may hold up a core
# Statistics of a core; those of a transmit queue are in transmit_queue.py.
RECEIVED = 0  # frames taken from receive rings
# Registers of a core, besides those of transmit_queue.py; from NEXT on one for each of its ports.
COUNT, SLOT, EXPECTED, VALUE, STAMP, TARGET = range(100, 106)
NEXT = 64


@dataclass(frozen=True)
class Load:
    """What a scene does, besides the case.

    Attributes:
        work_ps: private work of a frame.
        touched: words of a core that a frame touches at most.
        limit: frames that arrive at each port, then it falls silent; 0 for no limit.

    """

    work_ps: int
    touched: int = ALL_WORDS
    limit: int = 0


@dataclass(frozen=True)
class Plan:
    """What the programs are made from."""

    nics: Nics
    words: Words
    cores: int
    batch: int
    work_ps: int


@dataclass(frozen=True)
class DirectTx:
    """The workload ``direct-tx``.

    Attributes:
        limit: frames that arrive at each port, then it falls silent; 0 for no limit.

    """

    limit: int = 0

    name: str = field(default="direct-tx", init=False)
    title: str = field(default="n cores route between NICs, each with a queue of its own on every port", init=False)

    def build(self, machine: Machine, numbers: Numbers, case: Case, layout: Layout, window: Window) -> Built:
        """Build the scene of one draw; the private work is what one core without sharing needs less its accesses.

        Raises:
            SimulationError: more cores than ports, too many ports or queues, or a machine without NICs.
            UsageError: the machine has not so many cores, or a number is missing.

        """
        _check(machine, case)
        packet_words = len(layout.private_words("packet"))
        # How many words of an assumed layout a frame touches is as unknown as the layout: 1 to all, by the draw.
        touched = 1 + window.seed % max(packet_words, 1) if layout.assumed else ALL_WORDS
        load = Load(private_work_ps(machine, numbers, case), touched, self.limit)
        made, memory, nics = scene(machine, numbers, case, layout, window, load)
        return Built(
            scene=made,
            word_names=memory.names(),
            counting=tuple(range(case.cores + case.ports, case.cores + 2 * case.ports)),
            done=nic_send.SENT,
            unit="packets",
            caps_pps=caps_pps(numbers, case.ports, machine.ports_per_card, case.line_rate_gbps, case.frame_size_bytes),
            cpu_pps=case.cores * numbers["clock"] * 1e9 / numbers["work"],
            meters=nics.meters(),
        )


def _check(machine: Machine, case: Case) -> None:
    machine.needs(("doorbell", "card"), "workload 'direct-tx'")
    if not case.cores <= case.ports <= MAX_PORTS or case.cores > nic_send.MAX_QUEUES:
        raise SimulationError(
            f"direct-tx: {case.cores} cores for {case.ports} ports; there must be a port for each core and at most "
            f"{MAX_PORTS} ports"
        )
    if case.variant:
        raise SimulationError(f"direct-tx: there is no variant {case.variant!r}: leave it out")
    machine.needs_ports(case.ports, case.line_rate_gbps, "workload 'direct-tx'")


def private_work_ps(machine: Machine, numbers: Numbers, case: Case) -> int:
    """Return the work with which one core without sharing takes the drawn cycles a frame, accesses included."""
    work_ps = int(numbers["work"] * cycle_ps(numbers))
    alone = Case(
        cores=1, ports=PROBE_PORTS, line_rate_gbps=PROBE_RATE_GBPS, queue_length=case.queue_length, batch=case.batch
    )
    window = Window(seed=1, warm_ps=PROBE_PS // 4, end_ps=PROBE_PS)
    fast = {name: value for name, value in numbers.items() if name not in SLOW}
    probe, *_ = scene(machine, fast, alone, default("padded", 1), window, Load(work_ps, ALL_WORDS))
    outcome = native.simulate(probe)
    frames = outcome.window(0, RECEIVED)
    spent_ps = (window.end_ps - window.warm_ps) / max(frames, 1)
    return max(2 * work_ps - int(spent_ps), 1)


def scene(
    machine: Machine, numbers: Numbers, case: Case, layout: Layout, window: Window, load: Load
) -> tuple[Scene, Memory, Nics]:
    """Return the scene (cores, then receiving, then sending halves of the ports), its memory and its NICs.

    Raises:
        SimulationError: the layout is for fewer cores.
        UsageError: the machine has not so many cores.

    """
    memory = Memory()
    nics = Nics(memory, pace(numbers, case), case.ports, machine.ports_per_card, case.queue_length, case.cores)
    words = place(memory, layout, case.cores, case.ports * case.cores, load.touched)
    board = Board.of(machine, numbers, case)
    plan = Plan(nics, words, case.cores, case.batch, load.work_ps)
    cores = [Agent(_core(core, plan)) for core in range(case.cores)]
    devices = [port % case.cores for port in range(case.ports)]
    groups = [(nics.receivers(load.limit), devices), (nics.senders(), devices)]
    return board.scene(cores, groups, memory.lines(range_bytes(numbers)), window), memory, nics


def _core(me: int, plan: Plan) -> Code:
    p = Assembler()
    queues = Queues(plan.nics, plan.words, me)
    start(p, plan.nics.entries, plan.batch)
    p.label("turn")
    for position, port in enumerate(range(me, plan.nics.ports, plan.cores)):
        _receive(p, port, NEXT + position, queues, plan)
    for port in range(plan.nics.ports):
        publish(p, queues, port)
    p.emit(Op.JMP, c="turn")
    return p.code()


def _receive(p: Assembler, port: int, next_: int, queues: Queues, plan: Plan) -> None:
    """Take up to a batch of frames from a receive ring, and give each to a queue."""
    nics, me = plan.nics, queues.core
    frame, end, skip = p.fresh("frame"), p.fresh("end"), p.fresh("skip")
    first = port * nics.entries
    p.emit(Op.MOVI, COUNT, 0)
    p.label(frame)
    p.emit(Op.ANDI, SLOT, next_, nics.entries - 1)
    p.emit(Op.ADDI, EXPECTED, next_, 1)
    p.access(Op.LOAD, VALUE, nics.rx_descriptor + first, SLOT)
    p.emit(Op.BNE, VALUE, EXPECTED, end)
    p.access(Op.PREF, 0, nics.buffer + first, SLOT)
    p.emit(Op.WORK, plan.work_ps)
    p.access(Op.STORE, VALUE, nics.buffer + first, SLOT)
    p.access(Op.PEEK, STAMP, nics.rx_stamp + first, SLOT)
    for word in plan.words.packet[me]:
        p.access(Op.INC, 1, word)
    p.emit(Op.COUNT, RECEIVED, ONE)
    p.emit(Op.RAND, TARGET, nics.ports)
    give(p, queues, TARGET, STAMP)
    p.emit(Op.ADDI, next_, EXPECTED, 0)
    p.emit(Op.ADDI, COUNT, COUNT, 1)
    p.emit(Op.BLT, COUNT, BATCH, frame)
    p.label(end)
    p.emit(Op.BEQ, COUNT, ZERO, skip)
    for word in plan.words.batch[me] + plan.words.receive[port * nics.queues + me]:
        p.access(Op.INC, 1, word)
    nics.doorbell(p, port, nics.rx_tail + port, next_)
    p.label(skip)
