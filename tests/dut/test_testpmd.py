"""dpdk-testpmd forwards what the generator sends it, counts its cycles, and says in one line when it cannot run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from lab import paths
from lab.dut.testpmd import Testpmd
from lab.errors import DutError
from lab.machines import cores
from lab.traffic.models import CapturedFrame, SentFrame
from lab.traffic.trex import TrexGenerator
from tests.dut.reference_links import connected, vtrex

MACS = ("52:54:00:77:00:00", "52:54:00:77:00:01")
PEERS = ("02:00:00:77:00:00", "02:00:00:77:00:01")


def testpmd(sockets: list[Path], folder: Path) -> Testpmd:
    plan = cores.plan(1)
    return Testpmd(
        sockets,
        MACS,
        PEERS,
        core=plan.exclusive[0],
        housekeeping_core=plan.housekeeping,
        queue_size=1024,
        log=folder / "testpmd.log",
    )


testpmd.__test__ = False  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Testpmd, TrexGenerator]]:
    folder = tmp_path_factory.mktemp("testpmd")
    sockets = [paths.runtime_dir() / f"{folder.name}-{number}" for number in range(2)]
    with vtrex(folder, [f"vhost:{socket}" for socket in sockets]) as server, testpmd(sockets, folder) as forwarder:
        forwarder.start()
        with connected(server) as generator:
            yield forwarder, generator


def frame(number: int) -> bytes:
    packet = Ether(src=PEERS[0], dst=MACS[0]) / IP(src="198.18.0.2", dst="198.19.0.2", ttl=9) / UDP() / Raw(b"x" * 20)
    packet[IP].id = number
    return bytes(packet)


def send(generator: TrexGenerator, port: int, *frames: bytes, expect: int = 1) -> tuple[CapturedFrame, ...]:
    sent = [SentFrame(port=port, frame=each) for each in frames]
    return generator.exchange(sent, [0, 1], wait_s=2.0, expect=expect)


def test_frames_leave_by_the_other_port_with_new_mac_addresses_and_nothing_else_changed(
    link: tuple[Testpmd, TrexGenerator],
) -> None:
    got = send(link[1], 0, *(frame(number) for number in range(5)), expect=5)
    assert [each.port for each in got] == [1] * 5
    heads = {(Ether(each.frame).dst, Ether(each.frame).src) for each in got}
    assert heads == {(PEERS[1], MACS[1])}
    assert [each.frame[12:] for each in got] == [frame(number)[12:] for number in range(5)]
    back = send(link[1], 1, frame(7))
    assert [(each.port, each.frame[12:]) for each in back] == [(0, frame(7)[12:])]


def test_its_cycles_are_those_of_the_frames_since_the_last_clearing(link: tuple[Testpmd, TrexGenerator]) -> None:
    link[0].clear_counters()
    assert link[0].cycles_and_packets() == (0, 0)
    send(link[1], 0, frame(1), frame(2), frame(3), expect=3)
    cycles, packets = link[0].cycles_and_packets()
    assert packets == 3
    assert cycles > 0


def test_it_forwards_nothing_while_it_is_stopped(link: tuple[Testpmd, TrexGenerator]) -> None:
    link[0].stop()
    sent = [SentFrame(port=0, frame=frame(1))]
    assert link[1].exchange(sent, [0, 1], wait_s=0.3) == ()
    link[0].start()
    assert send(link[1], 0, frame(2))[-1].frame[12:] == frame(2)[12:]


def test_its_forwarding_thread_is_alone_on_the_core_that_it_was_given(link: tuple[Testpmd, TrexGenerator]) -> None:
    status = Path(f"/proc/{link[0].forwarding_tid}/status").read_text()
    allowed = next(line.split()[1] for line in status.splitlines() if line.startswith("Cpus_allowed_list"))
    assert allowed == str(cores.plan(1).exclusive[0])


def test_without_a_generator_it_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DutError, match=r"port 52:54:00:77:00:00: .*No such file.*testpmd\.log") as refused:
        testpmd([tmp_path / "v0", tmp_path / "v1"], tmp_path)
    assert len(str(refused.value).splitlines()) == 1
