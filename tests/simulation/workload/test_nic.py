"""The two halves of a NIC's port, each alone with a core that does as little as can be."""

from dataclasses import replace

from lab.simulation import buckets, native, reference
from lab.simulation.memory import Memory
from lab.simulation.program import Assembler, Code, Op
from lab.simulation.scene import Agent, Outcome, Scene
from lab.simulation.workload import nic_receive, nic_send
from lab.simulation.workload.nic import Nics
from lab.simulation.workload.nic_pace import Pace
from tests.simulation.scenes import TIMING

ENTRIES = 16
PACE = Pace(
    arrival_ps=100_000, wire_ps=67_200, receive_card_ps=20_000, send_card_ps=30_000, bell_card_ps=15_000, device_ps=0,
    doorbell_ps=70_000, fetch_ps=1_000_000, patience_ps=10_000_000,
)  # fmt: skip
TAIL, ONE = 0, 1


def scene(memory: Memory, agents: list[Agent], end_ps: int = 20_000_000) -> Scene:
    many = len(agents)
    return Scene(
        agents=tuple(agents),
        timing=TIMING,
        transfer_ps=((12_000,) * many,) * many,
        word_lines=memory.lines(64),
        seed=1,
        warm_ps=0,
        end_ps=end_ps,
    )


def run(built: Scene) -> Outcome:
    outcome = native.simulate(built)
    assert outcome == reference.simulate(built)
    return outcome


def giver(nics: Nics, frames: int, ports: int = 1) -> Code:
    """A core that gives so many frames to queue 0 of each port, with a doorbell each."""
    p = Assembler()
    p.emit(Op.MOVI, ONE, 1)
    for _ in range(frames):
        p.emit(Op.ADDI, 3, TAIL, 0)
        p.emit(Op.ADDI, TAIL, TAIL, 1)
        for port in range(ports):
            p.access(Op.STORE, TAIL, nics.tx_descriptor + port * nics.queues * nics.entries, 3)
            nics.doorbell(p, port, nics.tx_tail + port * nics.queues, TAIL)
    p.emit(Op.HALT)
    return p.code()


def test_a_port_without_a_core_delivers_what_its_ring_holds_and_loses_the_rest() -> None:
    memory = Memory()
    nics = Nics(memory, PACE, 1, 1, ENTRIES, 1)
    outcome = run(scene(memory, nics.receivers(limit=50)))
    counts = [outcome.stats[0][i] for i in (nic_receive.OFFERED, nic_receive.DELIVERED, nic_receive.LOST)]
    assert counts == [50, ENTRIES, 50 - ENTRIES]
    assert [outcome.memory[nics.rx_descriptor + i] for i in range(ENTRIES)] == list(range(1, ENTRIES + 1))


def test_descriptors_of_waiting_frames_are_written_back_a_line_at_a_time() -> None:
    def transactions(pace: Pace) -> int:
        memory = Memory()
        nics = Nics(memory, pace, 1, 1, 64, 1)
        outcome = run(scene(memory, nics.receivers(limit=64)))
        assert [outcome.memory[nics.rx_descriptor + i] for i in range(64)] == list(range(1, 65))
        return outcome.transactions[0]

    assert transactions(PACE) == 2 * 64  # the header and the descriptor of each frame
    assert 64 + 16 <= transactions(replace(PACE, arrival_ps=1000)) <= 64 + 20


def test_a_frame_that_waits_longer_than_the_packet_buffer_holds_out_is_lost() -> None:
    memory = Memory()
    slow = replace(PACE, arrival_ps=10_000, receive_card_ps=40_000, patience_ps=200_000)
    nics = Nics(memory, slow, 1, 1, 1024, 1)
    outcome = run(scene(memory, nics.receivers(limit=400), end_ps=100_000_000))
    delivered = outcome.stats[0][nic_receive.DELIVERED]
    assert delivered + outcome.stats[0][nic_receive.LOST] == 400
    assert 0.9 < delivered / (400 * 10 / 40) < 1.3  # a frame in four, and what the buffer holds


def test_frames_leave_in_order_once_each_no_closer_than_the_wire_allows() -> None:
    memory = Memory()
    nics = Nics(memory, PACE, 1, 1, 64, 1)
    outcome = run(scene(memory, [Agent(giver(nics, 40)), *nics.senders(stamped=False)]))
    assert outcome.stats[1][nic_send.SENT] == 40
    assert outcome.stats[1][nic_send.EARLY] == 0
    assert outcome.memory[nics.tx_head] == 40
    early = scene(memory, [Agent(giver(nics, 40)), *nics.senders(stamped=False)], end_ps=PACE.fetch_ps + 70_000)
    assert run(early).stats[1][nic_send.SENT] <= 1  # the first one has to be fetched


def test_ports_of_a_card_share_its_slot_and_cards_do_not() -> None:
    def sent(ports_per_card: int) -> int:
        memory = Memory()
        slow = replace(PACE, send_card_ps=200_000, fetch_ps=0, doorbell_ps=1000)
        nics = Nics(memory, slow, 2, ports_per_card, 64, 1)
        agents = [Agent(giver(nics, 60, ports=2)), *nics.senders(stamped=False)]
        outcome = run(scene(memory, agents, end_ps=8_000_000))
        return sum(outcome.stats[agent][nic_send.SENT] for agent in (1, 2))

    # The 120 doorbells, early on, cost a shared slot 1.8 of the 8 us, and slots of their own half of it each.
    assert 28 <= sent(2) <= 34
    assert 68 <= sent(1) <= 74


def test_a_doorbell_that_overtook_its_descriptor_would_be_noticed() -> None:
    memory = Memory()
    nics = Nics(memory, PACE, 1, 1, ENTRIES, 1)
    p = Assembler()
    p.emit(Op.MOVI, TAIL, 1)
    nics.doorbell(p, 0, nics.tx_tail, TAIL)
    p.emit(Op.HALT)
    outcome = run(scene(memory, [Agent(p.code()), *nics.senders(stamped=False)]))
    assert (outcome.stats[1][nic_send.SENT], outcome.stats[1][nic_send.EARLY]) == (1, 1)


def test_latency_is_counted_from_the_arrival_to_the_first_bit_on_the_wire() -> None:
    memory = Memory()
    nics = Nics(memory, PACE, 1, 1, ENTRIES, 1)
    p = Assembler()
    p.emit(Op.MOVI, TAIL, 1)
    p.emit(Op.NOW, 2)
    p.access(Op.POKE, 2, nics.tx_stamp)
    p.access(Op.STORE, TAIL, nics.tx_descriptor)
    nics.doorbell(p, 0, nics.tx_tail, TAIL)
    p.emit(Op.HALT)
    outcome = run(scene(memory, [Agent(p.code()), *nics.senders()]))
    assert sum(outcome.latency_counts) == 1
    latency_ps = buckets.percentile(outcome.latency_counts, 0.5)
    assert latency_ps is not None
    least = PACE.doorbell_ps + PACE.fetch_ps
    assert least * 0.98 <= latency_ps <= least + PACE.wire_ps + 20_000  # an idle port looks once a frame's time
