"""A QGM's side of the queues of NICs: a receive ring and a transmit queue of each port that it owns.

A NIC says by the descriptor itself that it is filled, and by a word of each transmit queue how far it has sent, so the
used rings of virtio have no counterpart; its available index is a register, written by a doorbell.
"""

from __future__ import annotations

from collections.abc import Callable

from lab.simulation.program import Op
from lab.simulation.workload import qgm_state as r
from lab.simulation.workload.nic import Nics
from lab.simulation.workload.qgm_plan import Target
from lab.simulation.workload.qgm_writer import Writer


class NicPorts:
    """The queues of one QGM. Frames leave by a random port of a random core."""

    telling: frozenset[str] = frozenset()  # a driver knows which buffer it gave to each descriptor

    def __init__(self, nics: Nics, ports: list[int]) -> None:
        """Take the ports that the QGM owns."""
        self._nics, self._ports = nics, ports

    def _port(self, writer: Writer) -> int:
        return self._ports[writer.queue]

    def start(self, writer: Writer) -> None:
        """All descriptors are the NIC's at the start."""

    def target(self, writer: Writer, structure: str) -> Target | None:
        """Return the word that plays the part of a virtqueue's."""
        nics, port = self._nics, self._port(writer)
        received, sent = nics.rx_descriptor + port * nics.entries, nics.tx_descriptor + port * nics.entries
        if structure == "rx.used.index":
            writer.p.emit(Op.ANDI, r.SLOT, writer.at.taken + writer.queue, nics.entries - 1)
            return Target(received, r.SLOT, r.VALUE)
        if structure == "tx.used.index":
            return Target(nics.tx_head + port, value=r.VALUE)
        if structure == "rx.descriptor":
            return Target(received, r.SLOT, r.ZERO)
        if structure == "tx.descriptor":
            return Target(sent, r.SLOT, writer.at.posted + writer.queue)
        return None

    def route(self, writer: Writer) -> None:
        """Every core is as likely, and every port of the own core."""
        writer.p.emit(Op.RAND, r.TARGET, writer.plan.cores)
        writer.p.emit(Op.RAND, r.QUEUE, len(self._ports))

    def unless_received(self, writer: Writer, nothing: str) -> None:
        """VALUE is what the next descriptor says."""
        writer.p.emit(Op.ADDI, r.SCRATCH, writer.at.taken + writer.queue, 1)
        writer.p.emit(Op.BNE, r.VALUE, r.SCRATCH, nothing)

    def each_received(self, writer: Writer, body: Callable[[], None]) -> None:
        """Look at one descriptor after the other."""
        p, nics = writer.p, self._nics
        again, end = p.fresh("received"), p.fresh("received end")
        p.emit(Op.ADDI, r.FRAME, r.FIRST, 0)
        p.emit(Op.ADD, r.LAST, r.FIRST, r.BATCH)
        p.label(again)
        body()
        p.emit(Op.ADDI, r.FRAME, r.FRAME, 1)
        p.emit(Op.BGE, r.FRAME, r.LAST, end)
        p.emit(Op.ANDI, r.SLOT, r.FRAME, nics.entries - 1)
        p.access(Op.LOAD, r.VALUE, nics.rx_descriptor + self._port(writer) * nics.entries, r.SLOT)
        p.emit(Op.ADDI, r.SCRATCH, r.FRAME, 1)
        p.emit(Op.BEQ, r.VALUE, r.SCRATCH, again)
        p.label(end)

    def find_buffer(self, writer: Writer) -> None:
        """Slot i of a ring has buffer i."""
        first = self._port(writer) * self._nics.entries
        writer.p.emit(Op.ANDI, r.SLOT, r.FRAME, self._nics.entries - 1)
        writer.p.emit(Op.ADDI, r.BUFFER, r.SLOT, self._nics.buffer + first)
        writer.p.access(Op.PEEK, r.STAMP, self._nics.rx_stamp + first, r.SLOT)

    def release(self, writer: Writer, structure: str) -> None:
        """Ring the doorbell; that of the receive ring only if descriptors were given back."""
        p, nics, port = writer.p, self._nics, self._port(writer)
        if structure == "tx.available.index":
            nics.doorbell(p, port, nics.tx_tail + port, writer.at.posted + writer.queue)
            return
        none = p.fresh("nothing given back")
        p.emit(Op.BEQ, writer.at.given_back + writer.queue, r.FIRST, none)
        nics.doorbell(p, port, nics.rx_tail + port, writer.at.given_back + writer.queue)
        p.label(none)

    def give(self, writer: Writer) -> None:
        """The port samples the latency when it sends."""
        first = self._port(writer) * self._nics.entries
        writer.p.access(Op.POKE, r.STAMP, self._nics.tx_stamp + first, r.SLOT)
