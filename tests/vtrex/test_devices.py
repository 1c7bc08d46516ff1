"""What ports can be made of: what is refused and how, and ports of several kinds in one server."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.vtrex import device_checks
from lab.vtrex.port_options import parse_port, parse_ports
from tests.vtrex.serving import PATIENT, Rpc, Server, connected
from tests.vtrex.test_fields import FRAME, stream
from tests.vtrex.test_honesty import RAW
from tests.vtrex.test_lifecycle import serve
from tests.vtrex.unix_peers import wait

"""No frame is given up for being late, whatever else this machine does: exact counts are compared."""


@pytest.mark.parametrize(
    ("port", "description"),
    [
        ("vhost:/t/v", "dpdk:1,net_vhost3,iface=/t/v,queues=1"),
        ("vhost:/t/v,client,queues=2", "dpdk:2,net_vhost3,iface=/t/v,queues=2,client=1"),
        ("dgram:/t/a,/t/b", "dgram:/t/a,/t/b"),
        ("stream:/t/s", "stream:/t/s,client"),
        ("stream:/t/s,server", "stream:/t/s,server"),
        ("af_xdp:eth0", "dpdk:1,net_af_xdp3,iface=eth0"),
        ("dpdk:3b:00.1", "dpdk:1,0000:3b:00.1"),
        ("dpdk:0001:3B:00.0,rx_burst=1", "dpdk:1,0001:3b:00.0,rx_burst=1"),
        ("dpdk:net_memif0,socket=/t/m", "dpdk:1,net_memif0,socket=/t/m"),
        ("ring", "ring"),
    ],
)
def test_each_form_has_its_description(port: str, description: str) -> None:
    assert parse_port(port, 3).described(3) == description


@pytest.mark.parametrize(
    ("port", "says"),
    [
        ("dgrams:/t/a", "did you mean 'dgram'"),
        ("dgram:/t/a", "dgram:LOCAL,PEER"),
        ("dgram:/t/a,/t/a", "the same"),
        ("stream:/t/a,serve", "stream:PATH[,server]"),
        ("stream:", "stream:PATH[,server]"),
        ("vhost:/t/a,clients", "vhost:PATH[,queues=N][,client]"),
        ("dpdk:eth0", "dpdk:PCI-ADDRESS"),
        ("dpdk:", "dpdk:PCI-ADDRESS"),
        ("ring:1", "form ring"),
    ],
)
def test_a_form_that_is_none_is_refused(port: str, says: str) -> None:
    with pytest.raises(UsageError, match=says.replace("[", r"\[")):
        parse_port(port, 0)


def test_two_ports_cannot_share_a_socket() -> None:
    with pytest.raises(UsageError, match="/t/a is given twice"):
        parse_ports(["vhost:/t/a", "dgram:/t/a,/t/b"], None)


@pytest.mark.parametrize(("driver", "says"), [("ixgbe", "--bind=vfio-pci 0000:3b:00.0"), (None, "driver is none")])
def test_a_pci_device_that_the_kernel_has_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver: str | None, says: str
) -> None:
    monkeypatch.setattr(device_checks, "PCI_DEVICES", tmp_path)
    (tmp_path / "0000:3b:00.0").mkdir()
    if driver is not None:
        (tmp_path / "0000:3b:00.0" / "driver").symlink_to(f"/drivers/{driver}")
    with pytest.raises(UsageError, match=says):
        parse_port("dpdk:3b:00.0", 0).check(None)


def test_a_pci_device_that_dpdk_may_have_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_checks, "PCI_DEVICES", tmp_path)
    (tmp_path / "0000:3b:00.0").mkdir()
    (tmp_path / "0000:3b:00.0" / "driver").symlink_to("/drivers/vfio-pci")
    parse_port("dpdk:3b:00.0", 0).check(None)
    with pytest.raises(UsageError, match="no such PCI device"):
        parse_port("dpdk:3b:00.1", 0).check(None)


@pytest.mark.parametrize("options", [["dpdk:net_nosuch0"], ["ring", "dpdk:net_af_packet0,iface=nowhere"]])
def test_a_device_that_dpdk_cannot_make_is_one_clear_line(options: list[str]) -> None:
    done = serve(*(word for port in options for word in ("--port", port)))
    assert done.returncode == 14
    assert f"port {len(options) - 1}" in done.stderr
    assert options[-1].removeprefix("dpdk:") in done.stderr
    assert len(done.stderr.splitlines()) == 1


def send_burst(rpc: Rpc, port: int, frames: int, rate_pps: float = 20_000, frame: bytes = FRAME) -> None:
    """Send so many frames from a port, and wait until it has."""
    packet = {"binary": base64.b64encode(frame).decode(), "meta": ""}
    mode = {"type": "single_burst", "total_pkts": frames, "rate": {"type": "pps", "value": rate_pps}}
    rpc.reset(port)
    rpc.call("add_stream", port_id=port, stream_id=1, stream=stream([], mode=mode, packet=packet))
    rpc.call("start_traffic", port_id=port, mul=RAW, duration=-1, force=True)
    rpc.wait_idle(port)


def received(rpc: Rpc, port: int) -> int:
    return int(rpc.call("get_port_stats", port_id=port)["ipackets"])


def link_is_up(rpc: Rpc, port: int) -> bool:
    return bool(rpc.call("get_port_status", port_id=port)["attr"]["link"]["up"])


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("d")  # a short path: a socket's name has 107 bytes at most


@pytest.fixture(params=["dgram", "stream"])
def joined(request: pytest.FixtureRequest, folder: Path, start_server: Callable[..., Server]) -> Iterator[list[Rpc]]:
    """Two servers whose only ports are joined to each other."""
    ends = {
        "dgram": (f"dgram:{folder}/a,{folder}/b", f"dgram:{folder}/b,{folder}/a"),
        "stream": (f"stream:{folder}/s,server", f"stream:{folder}/s"),
    }[request.param]
    servers = [start_server("--port", end, "--core", str(core), *PATIENT) for core, end in enumerate(ends)]
    with connected(servers[0]) as one, connected(servers[1]) as other:
        wait(lambda: link_is_up(one, 0) and link_is_up(other, 0))
        yield [one, other]
    assert [server.stop() for server in servers] == [(0, ""), (0, "")]
    assert list(folder.iterdir()) == []


def test_servers_joined_by_sockets_lose_nothing(joined: list[Rpc]) -> None:
    for sender, receiver in (joined, joined[::-1]):
        before = received(receiver, 0)
        send_burst(sender, 0, 600, rate_pps=1000)  # a datagram socket holds ten frames, and here others use the cores
        wait(lambda receiver=receiver, before=before: received(receiver, 0) - before >= 600)
        assert received(receiver, 0) - before == 600


def test_eight_ports_of_several_kinds(folder: Path, start_server: Callable[..., Server]) -> None:
    ports = [f"vhost:{folder}/v", "ring", f"dgram:{folder}/a,{folder}/b", f"dgram:{folder}/b,{folder}/a"]
    ports += [f"stream:{folder}/s", f"stream:{folder}/s,server", "dpdk:net_null0,size=60", "ring"]
    server = start_server(*(word for port in ports for word in ("--port", port)), *PATIENT)
    with connected(server) as rpc:
        wait(lambda: all(link_is_up(rpc, port) for port in range(1, 8)))
        assert not link_is_up(rpc, 0)
        drivers = [port["driver"] for port in sorted(rpc.call("get_system_info")["ports"], key=lambda p: p["index"])]
        assert drivers == ["net_vhost", "net_ring", "dgram", "dgram", "stream", "stream", "net_null", "net_ring"]
        for sender, receiver in ((1, 1), (2, 3), (5, 4), (7, 7)):
            send_burst(rpc, sender, 500)
            wait(lambda receiver=receiver: received(rpc, receiver) == 500)
    assert server.stop() == (0, "")
    assert list(folder.iterdir()) == []
