"""The description of a turn's accesses is what the compiled code does, and nothing in it can change unnoticed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from lab.errors import UsageError
from lab.simulation import accesses
from lab.simulation.accesses import QGM_ACCESSES, Description
from tests.image import hostlib
from tests.image.frames import Link
from tests.image.hosted import HostedMachine
from tests.simulation.turns.form import canonical, difference, of_trace
from tests.simulation.turns.mutation import matches, unnoticed, with_more, without
from tests.simulation.turns.programs import excess, of_code
from tests.simulation.turns.qgm import Qgm
from tests.simulation.turns.qgm_program import QgmPrograms
from tests.simulation.turns.walk import Frame, Ring, Transmit, Turn

LINKS = [Link(port) for port in range(4)]
OWNERS = {0: 1, 1: 1, 2: 2, 3: 2}
LENGTH, BATCH = 32, 40  # queues and rings are as long as each other where they are simulated


class TracedMachine(HostedMachine):
    """A hosted machine that tells what a turn of a QGM touched."""

    def trace(self, core: int) -> list[str]:
        """Let a QGM have a turn and return its accesses, line by line."""
        size = int.from_bytes(self._ask(b"W" + bytes([core]), 4), "little")
        return self._ask(b"", size).decode().splitlines()


def address(frame: Frame) -> str:
    """Return the destination that a frame must have to go that way."""
    if frame.connected:
        return LINKS[frame.port].tester
    return f"172.{16 + frame.port}.{1 if frame.split else 2}.5"


class Recorder:
    """Feeds frames and traces turns; the QGMs' state is carried on by the description's own walk."""

    def __init__(self, machine: TracedMachine) -> None:
        self._machine = machine
        self._description = accesses.load()
        self._number = 0
        self.turns: list[Turn] = []
        for link in LINKS:
            machine.ok(f"qgm add {OWNERS[link.port]} {link.port}")
            machine.ok(f"addr add {link.port} {link.router}/24")
            machine.ok(f"neigh add {link.port} {link.tester} {link.tester_mac}")
            machine.ok(f"route add {link.far_network} via {link.tester}")
            machine.ok(f"route add 172.{16 + link.port}.1.0/25 via {link.tester}")
        machine.ok(f"set ring_length {LENGTH}")
        machine.ok(f"set batch {BATCH}")
        machine.ok("start")
        for _ in range(4):  # the addresses are announced
            machine.advance(1.0)
            machine.settle()
        sent = [len(frames) for frames in machine.left()]
        self._qgms = {
            core: Qgm(
                core=core,
                ports=[port for port, owner in OWNERS.items() if owner == core],
                owners=OWNERS,
                ring_length=LENGTH,
                queue_length=LENGTH,
                transmit={port: Transmit(posted=sent[port]) for port, owner in OWNERS.items() if owner == core},
                to={3 - core: Ring()},
                origin={3 - core: Ring()},
            )
            for core in (1, 2)
        }

    def frames(self, *ports: int, split: bool = False, connected: bool = True) -> list[Frame]:
        """Return a frame to each of these ports."""
        first = self._number
        self._number += len(ports)
        return [Frame(first + i, port, split, connected) for i, port in enumerate(ports)]

    def turn(self, name: str, core: int, received: dict[int, list[Frame]] | None = None) -> None:
        """Have frames arrive and trace the turn that finds them, and what has crossed a ring to it before."""
        for port, frames in (received or {}).items():
            for frame in frames:
                packet = IP(src=LINKS[port].tester, dst=address(frame), ttl=9) / UDP(sport=1, dport=2)
                head = Ether(dst=LINKS[port].router_mac, src=LINKS[port].tester_mac)
                assert self._machine.send(port, bytes(head / packet).ljust(60, b"\0"))
        qgm, peer = self._qgms[core], self._qgms[3 - core]
        waiting = {peer.core: list(peer.crossed.get(core, ()))}
        peer.crossed = {}
        qgm.taken_by_peer = {peer.core: peer.origin[core].next}
        qgm.find(received or {}, waiting)
        trace = self._machine.trace(core)
        self._machine.turn([])  # what was sent leaves
        self.turns.append(Turn(name, deepcopy(qgm), canonical(self._description, of_trace(trace))))
        qgm.expect(self._description.turn)


def record(machine: TracedMachine) -> list[Turn]:
    """Trace turns of every kind that the description tells apart."""
    recorder = Recorder(machine)
    turn, frames = recorder.turn, recorder.frames
    turn("empty", 1)
    turn("one to another own port", 1, {0: frames(1)})
    turn("32 to another own port", 1, {0: frames(*[1] * 32)})
    turn("from and to both own ports", 1, {0: frames(1, 0, 1), 1: frames(0, 0)})
    turn("by a gateway", 1, {0: frames(1, connected=False)})
    turn("by a route longer than /24", 1, {1: frames(0, split=True, connected=False)})
    turn("one across", 1, {0: frames(2)})
    turn("one taken", 2)
    turn("across and own", 1, {0: frames(2, 1, 3), 1: frames(3, 0)})
    turn("taken and received", 2, {2: frames(3, 0), 3: frames(2)})
    turn("taken by the first", 1)
    for i in range(4):
        turn(f"half full {i}", 1, {0: frames(*[1] * 20)})
    turn("across until the ring is full", 1, {0: frames(*[3] * 32), 1: frames(*[2] * 8)})
    turn("a full ring taken", 2)
    turn("across again", 1, {0: frames(3, 3)})
    turn("the rest taken", 2)
    return recorder.turns


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return hostlib.programs(tmp_path_factory.mktemp("traced"), "router-traced")


@pytest.fixture(scope="module", params=["padded", "packed"])
def turns(request: pytest.FixtureRequest, programs: dict[str, Path]) -> Iterator[list[Turn]]:
    with TracedMachine(programs[request.param], cores=3, ports=4, queue_length=LENGTH) as machine:
        yield record(machine)


@pytest.fixture(scope="module")
def description() -> Description:
    return accesses.load()


def test_the_compiled_code_does_what_the_description_says(turns: list[Turn], description: Description) -> None:
    for turn in turns:
        assert difference(turn.expected(description), turn.traced) == "", turn.name


def test_every_access_that_is_removed_is_noticed(turns: list[Turn], description: Description) -> None:
    assert matches(turns, description)
    assert unnoticed(turns, description, without(description.turn)) == []


def test_an_access_too_many_is_noticed_wherever_it_stands(turns: list[Turn], description: Description) -> None:
    assert matches(turns, description)
    assert unnoticed(turns, description, with_more(description.turn)) == []


def _qgm(turn: Turn) -> Qgm:
    assert isinstance(turn.before, Qgm)
    return turn.before


def test_the_simulated_program_gives_loops_and_conditions_their_meaning(
    turns: list[Turn], description: Description
) -> None:
    """With frames that leave by any port: no workload has virtio ports and rings."""
    posted = {port: queue.posted for turn in reversed(turns) for port, queue in _qgm(turn).transmit.items()}
    simulated = QgmPrograms(description, OWNERS, BATCH, LENGTH, posted)
    for turn in turns:
        assert excess(simulated.turn(_qgm(turn)), of_code(turn.traced, description)) == {}, turn.name


def test_words_are_written_as_often_as_the_code_says(description: Description) -> None:
    found = accesses.touches(description)
    assert {name for name, touch in found.items() if touch == "packet"} == {"core.pool_head", "core.ring_out"}
    assert found["core.drops"] == "rare"
    assert found["queue.rx_taken"] == found["core.polls"] == found["ring_head"] == "batch"


@pytest.mark.parametrize(
    ("wrong", "right", "complaint"),
    [
        ("- add core.polls", "- ad core.polls", r"line \d+: 'ad' is no access: did you mean 'add'"),
        ("- add core.polls", "- add core.pols", r"line \d+: structure 'core.pols' is not listed above: did you mean"),
        ("- for: message ring", "- for: mesage ring", r"line \d+: for 'mesage ring' is not known: did you mean"),
        ("  - core.polls\n", "  - core.polls\n  - core.polls\n", r"line \d+: 'core.polls' stands here twice"),
        ("- add core.polls\n", "", r"line \d+: no step touches 'core.polls'"),
        ("turn:\n", "turns:\n", r"line \d+: here must stand structures and turn"),
    ],
)
def test_a_wrong_description_is_refused_with_its_line(wrong: str, right: str, complaint: str, tmp_path: Path) -> None:
    text = QGM_ACCESSES.read_text()
    assert wrong in text
    path = tmp_path / "accesses.yaml"
    path.write_text(text.replace(wrong, right))
    with pytest.raises(UsageError) as refused:
        accesses.load(path)
    assert re.search(rf"^accesses.yaml {complaint}", str(refused.value))
