"""An image that is not ours: a Debian kernel booted over PXE, proved, configured, and routing packets."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from lab import images, session
from lab.dut.protocol import Dut
from lab.errors import DutError, LabError
from lab.images import Manifest
from lab.methods.meanwhile import Once
from lab.methods.trial import TrialRequest
from lab.methods.validity import ValidityLimits, judge
from lab.session import Session
from lab.testbed import load

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace: needs root")


@pytest.fixture(scope="module")
def image() -> Manifest:
    try:
        images.build_named("linux-router")
    except LabError as error:
        pytest.skip(f"Debian's kernel cannot be had here: {error}")
    return images.find("linux-router")


@pytest.fixture(scope="module")
def used(image: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    run_dir = tmp_path_factory.mktemp("linux-run")
    with session.use(load("virtual"), image, run_dir, lambda step: None) as begun:
        yield begun


@pytest.fixture
def dut(used: Session) -> Dut:
    return used.deployed.dut


def packet(used: Session, **fields: object) -> Packet:
    first, second = used.router.ports
    return used.router.ipv4(first, second, **fields) / UDP() / Raw(bytes(range(64)))


def test_what_booted_is_what_was_served_and_tells_its_build(used: Session, image: Manifest) -> None:
    record = used.deployed.boot
    assert record is not None
    assert record.asked_sha256 == record.served_sha256 == image.digest
    assert [file.name for file in record.served.sent] == ["boot.ipxe", "vmlinuz", "initrd.gz"]
    assert (record.booted_sha256, record.booted_build_id) == (None, image.build_id)
    assert record.accelerator is not None
    assert record.accelerator.accelerator in image.accelerators, "ring 0 of a Linux is not handed over to a slow KVM"


def test_it_tells_what_it_is(used: Session, dut: Dut, image: Manifest) -> None:
    told = dut.version()
    assert (told["name"], told["version"], told["build_id"]) == (image.name, image.version, image.build_id)
    assert "Debian" in told["kernel"]
    ports = dut.ports()
    assert [port["mac"] for port in ports] == [port.mac for port in used.testbed.dut.ports]
    assert {(port["link"], port["state"]) for port in ports} == {("up", "started")}
    assert len(dut.cores()) == 1 + used.testbed.dut.machine.exclusive_cores


def test_packets_are_routed_and_counted(used: Session, dut: Dut) -> None:
    first, second = used.router.ports
    dut.clear_counters()
    sent = packet(used, ttl=9)
    out = used.router.send(first, sent).only_at(second)
    assert (out[Ether].src, out[Ether].dst, out[IP].ttl) == (second.dut_mac, second.tester_mac, 8)
    assert bytes(out[UDP].payload) == bytes(sent[UDP].payload)
    counted = dut.counters()
    assert [(port.rx_packets, port.tx_packets) for port in counted.ports] == [(1, 0), (0, 1)]
    assert counted.ports[0].rx_bytes == len(bytes(sent))
    assert dut.drops() == {}


def test_drops_are_told_as_far_as_linux_counts_them(used: Session, dut: Dut) -> None:
    first, _ = used.router.ports
    dut.clear_counters()
    used.router.send(first, packet(used, dst="203.0.113.9"))
    used.router.send(first, packet(used, chksum=1), packet(used, ttl=1), expect=1)
    assert dut.drops() == {"no_route": 1, "ip_checksum": 1, "linux_header": 1}
    assert {"no_route", "ip_checksum"} <= dut.drop_reasons()
    assert dut.conservation() is None


def test_a_stopped_router_is_silent_and_a_start_restores_its_routes(used: Session, dut: Dut) -> None:
    first, second = used.router.ports
    dut.stop()
    used.router.send(first, packet(used), expect=0).assert_nothing()
    dut.start()
    used.router.send(first, packet(used)).only_at(second)


def test_a_refused_command_is_an_error(dut: Dut) -> None:
    with pytest.raises(DutError, match=r"refused 'ip route add 10\.0\.0\.0/40 via .*': error: it ended with code"):
        dut.route_add("10.0.0.0/40", "198.18.0.2")
    with pytest.raises(DutError, match="deals its work to cores itself"):
        dut.use_cores(1)


def test_after_a_reset_under_traffic_it_is_proved_again_and_routes(used: Session, dut: Dut, image: Manifest) -> None:
    """The trial ends before it is back; what it counts is asked for afterwards, and the next trial is as any other."""
    before = used.deployed.boot
    request = TrialRequest(frame_size_bytes=64, rate_pps=1_000, duration_s=1.5, tagged=False)
    broken = Once(used.measurer, lambda: used.deployed.reset("software"), 0.2).measure(request)
    assert 0 < broken.lost_frames < broken.sent_frames
    assert broken.dut_restart.startswith("its boot was ")
    assert broken.dut_restart in " ".join(judge(broken, ValidityLimits()))
    whole = used.measurer.measure(request)
    assert whole.dut_restart == ""
    assert all(direction.received_frames > 0 for direction in whole.directions)
    after = used.deployed.boot
    assert after is not None
    assert after is not before
    assert after.booted_build_id == image.build_id
    assert {port["state"] for port in dut.ports()} == {"started"}
    first, second = used.router.ports
    used.router.send(first, packet(used)).only_at(second)
