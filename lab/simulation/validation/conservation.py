"""Check 5: every frame is accounted for, and none passes faster than line rate, PCIe slot and device let it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from lab.simulation import layout as layouts
from lab.simulation import machines, native
from lab.simulation.machine import Machine
from lab.simulation.scene import Outcome
from lab.simulation.validation.check import Check
from lab.simulation.workload import nic_receive, nic_send, qgm_plan, transmit_queue
from lab.simulation.workload.built import Built, Window, Workload
from lab.simulation.workload.case import Case
from lab.simulation.workload.direct_tx import DirectTx
from lab.simulation.workload.ipv4_routing import Ipv4Routing

DRAWS = 5
MACHINES = ("e5-2670x2", "xl710", "i7-4770k")
LAYOUTS = ("padded", "packed", "default-padded", "default-packed", "fe-2016", "what-if-two-counters")
FRAMES_A_PORT = 50
RUNNING_PS = 30_000_000
DRAINED_PS = 250_000_000
RECEIVED = 0  # statistic of a core: frames taken from a receive ring


@dataclass(frozen=True)
class Flow:
    """A workload that forwards frames between NICs.

    Attributes:
        workload: makes it, given how many frames arrive at each port (0 for no limit).
        dropped: statistics in which cores count frames that they drop.
        rings: entries that frames may wait in between receive and transmit queues, by case.

    """

    workload: Callable[[int], Workload]
    dropped: tuple[int, ...]
    rings: Callable[[Case], int]


FLOWS = (
    Flow(DirectTx, (transmit_queue.REFUSED,), lambda case: 0),
    Flow(Ipv4Routing, (qgm_plan.RING_FULL, qgm_plan.QUEUE_FULL), lambda case: case.cores**2 * case.queue_length),
)


def conservation(draws: int = DRAWS) -> Check:
    """Forward random destinations on random draws of machines with NICs, with traffic that ends and that does not.

    Args:
        draws: of machine and case, each in every layout and workload.

    """
    problems = []
    scenes = 0
    for seed in range(draws):
        random = Random(seed)
        machine = machines.load(random.choice(MACHINES))
        numbers, case = machine.draws(1, seed)[0], _case(random, machine)
        for flow in FLOWS:
            for name in LAYOUTS:
                layout = layouts.load(name, case.cores)
                for limit, end_ps in ((0, RUNNING_PS), (FRAMES_A_PORT, DRAINED_PS)):
                    workload = flow.workload(limit)
                    built = workload.build(machine, numbers, case, layout, Window(seed, end_ps // 3, end_ps))
                    tally = Tally.of(built, native.simulate(built.scene), case, flow)
                    found = tally.ended() if limit else tally.running(built, case, flow.rings(case))
                    problems += [f"{workload.name}, draw {seed}, {machine.name}, {name}: {each}" for each in found]
                    scenes += 1
    return Check.without_faults(
        5,
        "received = sent + dropped + in flight; never above line rate, PCIe or device",
        problems,
        f"{len(problems)} faults in {scenes} scenes",
    )


def _case(random: Random, machine: Machine) -> Case:
    assert machine.nics is not None
    ports = random.randint(1, machine.nics.cards * machine.nics.ports_per_card)
    return Case(
        ports=ports,
        cores=random.randint(-(-ports // 2), ports),
        line_rate_gbps=machine.nics.line_rate_gbps,
        frame_size_bytes=random.choice((64, 64, 128, 512)),
        queue_length=random.choice((64, 256)),
        batch=random.choice((1, 8, 32)),
    )


@dataclass(frozen=True)
class Tally:
    """What became of all frames until the end: counted by ports, by cores, and by ports again."""

    ports: int
    entries: int
    offered: int
    delivered: int
    lost: int
    received: int
    dropped: int
    sent: int
    early: int

    @classmethod
    def of(cls, built: Built, outcome: Outcome, case: Case, flow: Flow) -> Tally:
        """Add up what cores, then receiving, then sending halves of ports have counted."""
        bounds = (0, case.cores, case.cores + case.ports, len(built.scene.agents))
        cores, receivers, senders = (
            [sum(column) for column in zip(*outcome.stats[first:end], strict=True)] for first, end in pairwise(bounds)
        )
        return cls(
            ports=case.ports,
            entries=case.queue_length,
            offered=receivers[nic_receive.OFFERED],
            delivered=receivers[nic_receive.DELIVERED],
            lost=receivers[nic_receive.LOST],
            received=cores[RECEIVED],
            dropped=sum(cores[each] for each in flow.dropped),
            sent=senders[nic_send.SENT],
            early=senders[nic_send.EARLY],
        )

    def ended(self) -> list[str]:
        """All is exact once the ports have fallen silent; return what is not."""
        whole = self.ports * FRAMES_A_PORT
        if (whole, self.delivered) != (self.offered, self.offered - self.lost):
            return [f"{whole} frames came, {self.delivered} delivered, {self.lost} lost"]
        if self.received != self.delivered or self.sent + self.dropped != self.received or self.early:
            return [
                f"{self.delivered} delivered, {self.received} received, {self.dropped} dropped, {self.sent} sent, "
                f"{self.early} of them before they were there"
            ]
        return []

    def running(self, built: Built, case: Case, rings: int) -> list[str]:
        """Return what is neither sent nor dropped nor in flight, and caps that were exceeded.

        Args:
            built: the scene with its caps.
            case: of the scene.
            rings: frames that fit between receive and transmit queues.

        """
        arriving = self.offered - self.delivered - self.lost
        waiting = self.delivered - self.received
        inside = self.received - self.dropped - self.sent
        queues = case.ports * case.cores * self.entries
        # What has been done may be counted a step later, by each of those who do it.
        bounds = {
            "arriving": (arriving, 0, case.ports),
            "in receive rings": (waiting, -case.ports, case.ports * self.entries),
            "in rings and transmit queues": (inside, -case.cores, rings + queues + case.cores * case.batch),
            "sent before they were there": (self.early, 0, 0),
        }
        problems = [
            f"{count} frames {where}: must be {low} to {high}"
            for where, (count, low, high) in bounds.items()
            if not low <= count <= high
        ]
        ahead = case.ports * (nic_send.RUN_AHEAD + 1)
        for name, pps in built.caps_pps.items():
            most = int(pps * built.scene.end_ps * 1e-12) + ahead
            if self.sent > most:
                problems.append(f"{self.sent} frames sent, {name} allows {most}")
        return problems
