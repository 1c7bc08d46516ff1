"""The model does to frames what it was told to, keeps the truth about it, and says in one line what it refuses."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from lab import paths
from lab.dut.model import ModelForwarder, Truth
from lab.errors import DutError
from lab.machines import cores
from lab.testbed.behaviour import Behaviour, Picks
from lab.traffic.models import SentFrame
from lab.traffic.trex import TrexGenerator
from tests.dut.reference_links import connected, vtrex

MACS = ("52:54:00:78:00:00", "52:54:00:78:00:01")
PEERS = ("02:00:00:78:00:00", "02:00:00:78:00:01")


def model(
    sockets: list[Path],
    folder: Path,
    behaviour: Behaviour,
    macs: Sequence[str] = MACS,
    peers: Sequence[str] = PEERS,
) -> ModelForwarder:
    plan = cores.plan(1)
    return ModelForwarder(
        sockets,
        macs,
        peers,
        behaviour=behaviour,
        core=plan.exclusive[0],
        housekeeping_core=plan.housekeeping,
        queue_size=1024,
        log=folder / "model.log",
    )


Link = tuple[ModelForwarder, TrexGenerator]


@pytest.fixture(scope="module")
def module_link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Link]:
    folder = tmp_path_factory.mktemp("model")
    sockets = [paths.runtime_dir() / f"{folder.name}-{number}" for number in range(2)]
    devices = [f"vhost:{socket}" for socket in sockets]
    with vtrex(folder, devices) as server, model(sockets, folder, Behaviour()) as forwarder:
        forwarder.start()
        with connected(server) as generator:
            yield forwarder, generator


@pytest.fixture
def behave(module_link: Link) -> Iterator[Callable[..., Link]]:
    """Let the model behave in some way, from frame 0 on."""

    def behave(**values: Any) -> Link:
        module_link[0].behave(Behaviour(**values))
        return module_link

    yield behave
    module_link[0].start()


def frame(number: int) -> bytes:
    packet = Ether(src=PEERS[0], dst=MACS[0]) / IP(src="198.18.0.2", dst="198.19.0.2", ttl=9) / UDP() / Raw(b"x" * 20)
    packet[IP].id = number
    return bytes(packet)


def send(link: Link, count: int, expect: int, port: int = 0) -> list[int]:
    """Send frames with the identifications 0, 1, ... and return those that come out, in their order."""
    sent = [SentFrame(port=port, frame=frame(number)) for number in range(count)]
    got = link[1].exchange(sent, [0, 1], wait_s=5.0 if expect else 0.3, expect=expect)
    assert {each.port for each in got} <= {1 - port}
    return [struct.unpack(">H", each.frame[18:20])[0] for each in got]


def truth(link: Link, port: int = 0) -> Truth:
    return link[0].truth()[port]


@pytest.mark.parametrize("hops", [0, 1])
def test_frames_leave_as_from_a_forwarder_or_a_router(behave: Callable[..., Link], hops: int) -> None:
    link = behave(hops=hops)
    (got,) = link[1].exchange([SentFrame(port=0, frame=frame(7))], [0, 1], wait_s=5.0, expect=1)
    wanted = Ether(frame(7))
    wanted.src, wanted.dst, wanted[IP].ttl = MACS[1], PEERS[1], 9 - hops
    del wanted[IP].chksum
    assert (got.port, got.frame) == (1, bytes(wanted))


def test_listed_and_every_nth_frames_are_lost_in_bursts(behave: Callable[..., Link]) -> None:
    link = behave(lose={"frames": [3, 8], "burst_frames": 2})
    assert send(link, 12, 8) == [0, 1, 2, 5, 6, 7, 10, 11]
    assert (truth(link).lost_asked, truth(link).lost_numbers) == (4, (3, 4, 8, 9))
    link = behave(lose={"every": 4})
    assert send(link, 12, 9) == [0, 1, 2, 4, 5, 6, 8, 9, 10]
    assert truth(link).lost_numbers == (3, 7, 11)


def test_what_chance_picks_is_the_same_for_the_same_seed_and_each_direction_has_its_own(
    behave: Callable[..., Link],
) -> None:
    def lost(seed: int, port: int = 0) -> tuple[int, ...]:
        link = behave(lose={"ratio": 0.3}, seed=seed)
        send(link, 60, 0, port)
        assert truth(link, port).received == 60
        return truth(link, port).lost_numbers

    first = lost(5)
    assert 0 < len(first) < 60
    assert lost(5) == first
    assert lost(6) != first
    assert lost(5, port=1) != first


def test_copies_go_out_behind_their_originals(behave: Callable[..., Link]) -> None:
    link = behave(duplicate={"frames": [0, 2]})
    assert send(link, 4, 6) == [0, 0, 1, 2, 2, 3]
    assert (truth(link).duplicated, truth(link).duplicated_numbers, truth(link).sent) == (2, (0, 2), 6)


def test_moved_frames_go_out_behind_as_many_others(behave: Callable[..., Link]) -> None:
    link = behave(move={"frames": [1, 2, 6]}, move_places=2)
    assert send(link, 10, 10) == [0, 3, 4, 1, 2, 5, 7, 8, 6, 9]
    assert (truth(link).moved_numbers, truth(link).flushed) == ((1, 2, 6), 0)


def test_a_moved_frame_with_too_few_behind_it_still_goes_out(behave: Callable[..., Link]) -> None:
    link = behave(move={"frames": [2]}, move_places=100)
    assert send(link, 5, 5) == [0, 1, 3, 4, 2]
    assert (truth(link).moved, truth(link).flushed) == (0, 1)


def test_a_frame_moved_by_time_is_passed_by_others(behave: Callable[..., Link]) -> None:
    link = behave(move={"frames": [1]}, move_ns=1_000_000_000)
    assert send(link, 5, 5) == [0, 2, 3, 4, 1]


def test_jitter_mixes_frames_unless_their_order_is_kept(behave: Callable[..., Link]) -> None:
    assert send(behave(jitter_ns=200_000_000, keeps_order=True), 30, 30) == list(range(30))
    mixed = send(behave(jitter_ns=200_000_000, keeps_order=False), 30, 30)
    assert sorted(mixed) == list(range(30))
    assert mixed != sorted(mixed)


def test_a_full_queue_drops_the_tail(behave: Callable[..., Link]) -> None:
    """The server takes a frame in 10 s: the first is served, three more wait, and the rest meets a full queue."""
    link = behave(capacity_pps=0.1, queue_frames=4)
    send(link, 10, 0)
    assert (truth(link).lost_capacity, truth(link).lost_numbers) == (6, (4, 5, 6, 7, 8, 9))
    assert truth(link).held == 4


def test_a_dead_device_loses_what_arrives(behave: Callable[..., Link]) -> None:
    link = behave()
    link[0].die(duration_ms=600_000)
    assert send(link, 5, 0) == []
    assert (truth(link).lost_dead, truth(link).lost_numbers) == (5, (0, 1, 2, 3, 4))
    link[0].die(duration_ms=0)
    assert send(link, 5, 5) == [0, 1, 2, 3, 4]


def test_while_it_is_stopped_nothing_goes_out_and_nothing_is_lost(behave: Callable[..., Link]) -> None:
    link = behave()
    link[0].stop()
    assert send(link, 3, 0) == []
    assert truth(link).received == 0
    link[0].start()
    assert send(link, 1, 1)[-1] == 0
    assert (truth(link).received, truth(link).sent) == (4, 4)


def test_of_four_ports_each_pair_is_a_model_of_its_own(tmp_path: Path) -> None:
    sockets = [paths.runtime_dir() / f"{tmp_path.name}-{number}" for number in range(4)]
    macs = [*MACS, *(f"{mac[:-1]}{number}" for number, mac in enumerate(MACS, start=2))]
    peers = [*PEERS, *(f"{mac[:-1]}{number}" for number, mac in enumerate(PEERS, start=2))]
    devices = [f"vhost:{socket}" for socket in sockets]
    behaviour = Behaviour(lose=Picks(frames=(1,)))
    with vtrex(tmp_path, devices) as server, model(sockets, tmp_path, behaviour, macs, peers) as forwarder:
        forwarder.start()
        with connected(server) as generator:
            for port in (2, 0, 3):
                sent = [SentFrame(port=port, frame=frame(number)) for number in range(3)]
                got = generator.exchange(sent, range(4), wait_s=5.0, expect=2)
                assert [(each.port, struct.unpack(">H", each.frame[18:20])[0]) for each in got] == [
                    (port ^ 1, 0),
                    (port ^ 1, 2),
                ]
        assert [direction.lost_numbers for direction in forwarder.truth()] == [(1,), (), (1,), (1,)]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"lose": {"frames": [3, 3]}}, "ascending order"),
        ({"move": {"every": 5}}, "move and one of move_places and move_ns"),
        ({"move_ns": 5}, "move and one of move_places and move_ns"),
        ({"slow_pps": 5, "slow_share": 0.5}, "need capacity_pps"),
        ({"capacity_pps": 10, "overloaded_pps": 5}, "needs recovery_pps"),
        ({"capacity_pps": 10, "slow_share": 0.5}, "needs slow_pps"),
        ({"loose": {}}, "did you mean 'lose'?"),
    ],
)
def test_a_behaviour_that_makes_no_sense_is_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says.replace("?", r"\?")):
        Behaviour(**values)


def test_without_a_generator_it_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DutError, match=r"model-dut does not answer 'start': .*model\.log") as refused:
        model([tmp_path / "v0", tmp_path / "v1"], tmp_path, Behaviour())
    assert len(str(refused.value).splitlines()) == 1
