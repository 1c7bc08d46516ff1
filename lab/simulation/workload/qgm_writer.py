"""Writes the program of a simulated QGM from the description of the image's accesses.

Which accesses a turn makes, in which order and when, is the description's (firmware-images/pix/qgm/accesses.yaml). What
its loops and conditions mean for a simulated QGM is in qgm_receive.py, qgm_rings.py and qgm_transmit.py.

Tables are left out, as their lines stay in every cache. The time of accesses that hit is part of the work a packet as
it is measured, so it is taken off that. Loads wait only where the turn depends on a value that cannot be guessed (an
index of a queue or ring, the header of a frame), or that is the address of what comes next; the others run ahead as far
as the window of the core lets them. Where a buffer or descriptor lies stands in what was loaded before: its address
has the register WHERE in it, which is always 0 but depends on those loads, so that no core asks for it before.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping

from lab.simulation.accesses import Access, Block, Step, Verb
from lab.simulation.program import Assembler, Code, Op
from lab.simulation.workload import qgm_state as r
from lab.simulation.workload.qgm_plan import BUSY_PS, Device, Plan, Target
from lab.simulation.workload.qgm_state import Private, Registers

WAITED_FOR = frozenset({"buffer.header", "ring.slot", "rx.used.entry", "rx.descriptor", "tx.used.entry"})
UNHURRIED = frozenset({"ring has room"})  # the empty buffer that lay in the slot only goes to the pool
SELDOM = frozenset({"half full"})  # what a frame's way leads to for one frame of many
OF_TABLES = frozenset({"split", "connected"})  # conditions for accesses to tables only
CROSSING = frozenset({"peer", "port of a peer", "peer with frames"})

BlockWriter = Callable[["Writer", Block], None]


class Writer:
    """The program of one QGM while it is written.

    Attributes:
        plan: of the scene.
        core: number of the core.
        ports: that it owns, one queue pair each.
        device: what the queues are.
        private: memory of its own.
        p: the program so far.
        at: registers of its arrays.
        peers: the other cores.
        queue: index of the queue that is written about.
        peer: the same of the other core.

    """

    def __init__(
        self,
        plan: Plan,
        core: int,
        ports: list[int],
        device: Device,
        private: Private,
        blocks: Mapping[str, BlockWriter],
    ) -> None:
        """Prepare; ``blocks`` are the meanings of the description's loops and conditions."""
        self.plan, self.core, self.ports, self.device, self.private = plan, core, ports, device, private
        self.p = Assembler()
        self.at: Registers = r.registers(len(ports), plan.cores)
        self.peers = [peer for peer in range(plan.cores) if peer != core]
        self.queue = 0
        self.peer = core
        self.work_ps = 1
        self._blocks = blocks
        self._within: list[str] = []
        self._hit_ps = 0.0

    def code(self) -> Code:
        """Return the program. It is written twice: the accesses of the first time tell how much work is left."""
        self._write()
        self.work_ps = max(int(self.plan.work_ps - self._hit_ps), 1)
        return self._write()

    def _write(self) -> Code:
        self.p, self._hit_ps, plan = Assembler(), 0.0, self.plan
        constants = ((r.ONE, 1), (r.BATCH, plan.batch), (r.ENTRIES, plan.entries), (r.HALF, plan.entries // 2))
        for register, value in (*constants, (r.ME, self.core)):
            self.p.emit(Op.MOVI, register, value)
        self.device.start(self)
        self.p.label("turn")
        self.p.emit(Op.NOW, r.BEGAN)
        self.p.emit(Op.MOVI, r.HANDLED, 0)
        self.p.emit(Op.MOVI, r.TAKEN_OVER, 0)
        self.steps(plan.description.turn)
        self.p.emit(Op.BEQ, r.HANDLED, r.ZERO, "idle")
        self.p.emit(Op.NOW, r.SCRATCH)
        self.p.emit(Op.SUB, r.SCRATCH, r.SCRATCH, r.BEGAN)
        self.p.emit(Op.COUNT, BUSY_PS, r.SCRATCH)
        self.p.emit(Op.JMP, c="turn")
        self.p.label("idle")
        self.p.emit(Op.WORK, plan.pause_ps)
        self.p.emit(Op.JMP, c="turn")
        return self.p.code()

    def steps(self, steps: tuple[Step, ...]) -> None:
        """Append steps of the description."""
        for step in steps:
            if isinstance(step, Access):
                self._access(step)
            elif step.name not in OF_TABLES:
                self._within.append(step.name)
                self._blocks[step.name](self, step)
                self._within.pop()

    def each_queue(self) -> Iterator[None]:
        """Write about one queue after the other."""
        for queue in range(len(self.ports)):
            self.queue = queue
            yield
        self.queue = 0

    def each_peer(self) -> Iterator[None]:
        """Write about one other core after the other."""
        for peer in self.peers:
            self.peer = peer
            yield

    def loop(self, end: int, body: Callable[[], None]) -> None:
        """Append: body for FRAME up to the register ``end``, at least once."""
        again = self.p.fresh("again")
        self.p.label(again)
        body()
        self.p.emit(Op.ADDI, r.FRAME, r.FRAME, 1)
        self.p.emit(Op.BLT, r.FRAME, end, again)

    def unless(self, op: Op, a: int, b: int, block: Block) -> None:
        """Append the steps of a block, skipped if the comparison of two registers holds."""
        skip = self.p.fresh(f"not {block.name}")
        self.p.emit(op, a, b, skip)
        self.steps(block.do)
        self.p.label(skip)

    def _access(self, access: Access) -> None:
        group = self.plan.description.group(access.structure)
        if group == "tables":
            return
        if access.verb is Verb.RELEASE and group == "device":
            self.device.release(self, access.structure)
            return
        target = self._target(access.structure, group)
        if target is None:
            return
        if access.verb is Verb.ADD:
            self._emit(Op.INC, 1, target)
        elif access.verb in (Verb.STORE, Verb.RELEASE):
            self._emit(Op.STORE, r.ZERO if target.value is None else target.value, target)
        elif access.verb is Verb.ACQUIRE and target.value is not None:
            self._emit(Op.LOAD, target.value, target)
        elif access.verb is Verb.LOAD and access.structure in WAITED_FOR and self._within[-1] not in UNHURRIED:
            self._emit(Op.LOAD, r.SCRATCH, target)
            if access.structure == "ring.slot" or access.structure in self.device.telling:
                self.p.emit(Op.ANDI, r.SCRATCH, r.SCRATCH, 0)
                self.p.emit(Op.ADD, r.WHERE, r.WHERE, r.SCRATCH)
        else:
            self._emit(Op.PREF, int(access.verb is Verb.PREFETCH_TO_WRITE), target)

    def _emit(self, op: Op, a: int, target: Target) -> None:
        """Append an access; count the time that those on a frame's straight way take when they hit."""
        self.p.access(op, a, target.word, target.index)
        if self.queue == 0 and not CROSSING & set(self._within):
            cost = self.plan.timing.l1_ps if op is Op.LOAD else self.plan.timing.issue_ps
            innermost_first = itertools.takewhile(lambda name: name not in SELDOM, reversed(self._within))
            is_of_frame = any(name.endswith(" frame") for name in innermost_first)
            self._hit_ps += cost if is_of_frame else cost / self.plan.batch

    def _target(self, structure: str, group: str) -> Target | None:
        words = self.plan.words
        if group == "device":
            return self.device.target(self, structure)
        if structure == "buffer.header":
            self.p.emit(Op.ADD, r.BUFFER, r.BUFFER, r.WHERE)
            return Target(0, r.BUFFER, r.BUFFER)
        if structure == "ring.slot":
            return Target(self.plan.rings.slot, r.SLOT, r.BUFFER)
        if structure in ("ring_head", "ring_tail"):
            return self._ring_word(structure)
        if structure in words.of_core:
            return Target(words.of_core[structure][self.core])
        if structure in words.of_queue:
            return Target(words.of_queue[structure][self.ports[self.queue]])
        return None

    def _ring_word(self, structure: str) -> Target | None:
        """Return an index of a ring: which ring is meant follows from the block that the access stands in."""
        words, within = self.plan.words, self._within[-1]
        if within == "message ring":
            return Target(words.messages[self.core][structure == "ring_tail"]) if words.messages else None
        if within == "ring seems full":  # STEP is the position of TARGET among the peers
            return Target(words.tail[self.core, self.peers[0]], r.STEP, r.VALUE)
        table = words.head if structure == "ring_head" else words.tail
        if within == "peer with frames":
            return Target(table[self.core, self.peer], value=self.at.to_next + self.peer)
        value = (self.at.from_seen if structure == "ring_head" else self.at.from_next) + self.peer
        return Target(table[self.peer, self.core], value=value)
