"""The NICs of a scene: their words in memory, their agents, and how a core talks to them.

Each port has one receive ring and as many transmit queues as the workload wants; queue q of port p is element p *
``queues`` + q of everything that belongs to transmit queues. A descriptor n is filled when its word says n + 1.

A core that receives LOADs ``rx_descriptor`` + p * ``entries`` + slot until it says n + 1; the frame's header is
``buffer`` + p * ``entries`` + slot; :meth:`Nics.doorbell` of ``rx_tail`` + p with the number of frames taken gives
the descriptors back. A core that sends STOREs n + 1 at ``tx_descriptor`` + queue * ``entries`` + slot and
rings the doorbell of ``tx_tail`` + queue with the number of frames given; a LOAD of ``tx_head`` + queue says how many
were sent.
"""

from __future__ import annotations

from lab.simulation.memory import Memory
from lab.simulation.program import Assembler, Op
from lab.simulation.scene import Agent
from lab.simulation.workload import nic_receive, nic_send
from lab.simulation.workload.built import Booked
from lab.simulation.workload.nic_meter import Meter, reserve
from lab.simulation.workload.nic_pace import Pace

DESCRIPTOR_BYTES = 16  # 82599 datasheet, 7.1.5 and 7.2.3.2
BUFFER_STRIDE_BYTES = 2240  # an odd multiple of 64, as the image uses: no two headers share a line
HEAD_STRIDE_BYTES = 64  # the driver gives each queue's head a line of its own
# Statistics of ports and cores: what they book of the slots, and ports of the way out of devices.
CARD_PS, DEVICE_PS = 8, 9
CLOCK, SCRATCH = 126, 127  # registers of a core that doorbell() overwrites


class Nics:
    """Ports on cards, as words and agents."""

    def __init__(self, memory: Memory, pace: Pace, ports: int, ports_per_card: int, entries: int, queues: int) -> None:
        """Place the words of all ports.

        Args:
            memory: where.
            pace: times of each port.
            ports: how many.
            ports_per_card: ports that share a PCIe slot and a device.
            entries: descriptors of every ring, a power of two.
            queues: transmit queues of each port.

        """
        self.pace, self.ports, self.queues, self.entries = pace, ports, queues, entries
        self._ports_per_card = ports_per_card
        self.rx_descriptor = memory.allocate(ports * entries, DESCRIPTOR_BYTES, "rx.descriptor")
        self.buffer = memory.allocate(ports * entries, BUFFER_STRIDE_BYTES, "buffer")
        self.tx_descriptor = memory.allocate(ports * queues * entries, DESCRIPTOR_BYTES, "tx.descriptor")
        self.tx_head = memory.allocate(ports * queues, HEAD_STRIDE_BYTES, "tx.head")
        # What follows is no memory of the machine: registers, and what only the simulation knows. They share one line,
        # which nobody ever asks for.
        unseen = memory.reserve(1)
        cards = -(-ports // ports_per_card)

        def hidden(count: int, name: str) -> int:
            return memory.place([unseen] * count, name)

        self.rx_tail = hidden(ports, "rx.tail")
        self.tx_tail = hidden(ports * queues, "tx.tail")
        self.rx_stamp = hidden(ports * entries, "stamp")
        self.tx_stamp = hidden(ports * queues * entries, "stamp")
        self._card = hidden(cards, "meter")
        self._device_in = hidden(cards, "meter")
        self._device_out = hidden(cards, "meter")

    def receivers(self, limit: int = 0) -> list[Agent]:
        """Return the receiving halves of the ports, in order; see :mod:`nic_receive` for what they count.

        Args:
            limit: frames that arrive at each port, then it falls silent; 0 for no limit.

        """
        agents = []
        for port in range(self.ports):
            first = port * self.entries
            half = nic_receive.Receiver(
                descriptor=self.rx_descriptor + first, buffer=self.buffer + first, tail=self.rx_tail + port,
                stamp=self.rx_stamp + first, entries=self.entries,
                meters=self._meters(port, self.pace.receive_card_ps, self._device_in, None),
                phase_ps=self.pace.arrival_ps * port // self.ports, spacing_ps=self.pace.arrival_ps,
                patience_ps=self.pace.patience_ps, limit=limit,
            )  # fmt: skip
            agents.append(Agent(nic_receive.program(half), device=True))
        return agents

    def senders(self, *, stamped: bool = True) -> list[Agent]:
        """Return the sending halves of the ports, in order; see :mod:`nic_send` for what they count.

        Args:
            stamped: whether cores copy arrival times from ``rx_stamp`` to ``tx_stamp``; then latency is sampled.

        """
        agents = []
        for port in range(self.ports):
            first = port * self.queues
            half = nic_send.Sender(
                descriptor=self.tx_descriptor + first * self.entries, tail=self.tx_tail + first,
                head=self.tx_head + first, stamp=self.tx_stamp + first * self.entries if stamped else None,
                queues=self.queues, entries=self.entries,
                meters=self._meters(port, self.pace.send_card_ps, self._device_out, DEVICE_PS),
                wire_ps=self.pace.wire_ps, fetch_ps=self.pace.fetch_ps,
            )  # fmt: skip
            agents.append(Agent(nic_send.program(half), device=True))
        return agents

    def meters(self) -> dict[str, Booked]:
        """Return what cards share, by the name of the cap, as ``Built.meters`` has it."""
        cards = -(-self.ports // self._ports_per_card)
        shared = ("pcie", self.pace.send_card_ps, CARD_PS), ("device", self.pace.device_ps, DEVICE_PS)
        return {name: Booked(statistic, cards) for name, cost_ps, statistic in shared if cost_ps}

    def doorbell(self, p: Assembler, port: int, register: int, value: int) -> None:
        """Append a core's posted write of a tail register, and what it costs the card's slot.

        Overwrites the registers CLOCK and SCRATCH.

        Args:
            p: program of the core.
            port: that the register belongs to.
            register: word of the tail register.
            value: register of the core with the new tail.

        """
        p.emit(Op.BELL, self.pace.doorbell_ps, register, value)
        if self.pace.bell_card_ps:
            p.emit(Op.NOW, CLOCK)
            card = Meter(self._card + port // self._ports_per_card, self.pace.bell_card_ps, CARD_PS)
            reserve(p, (card,), CLOCK, SCRATCH)

    def _meters(self, port: int, card_ps: int, device: int, device_statistic: int | None) -> tuple[Meter, ...]:
        card = port // self._ports_per_card
        meters = (
            Meter(self._card + card, card_ps, CARD_PS),
            Meter(device + card, self.pace.device_ps, device_statistic),
        )
        return tuple(meter for meter in meters if meter.cost_ps)
