"""Devices of DPDK: on interfaces by af_xdp and tap, and memory of huge pages."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.vtrex import huge_pages
from tests.vtrex.namespace import VETH_PAIR, namespace
from tests.vtrex.serving import PATIENT, Server, connected
from tests.vtrex.test_devices import link_is_up, received, send_burst
from tests.vtrex.test_lifecycle import serve
from tests.vtrex.unix_peers import wait

root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
NR_HUGEPAGES = Path("/proc/sys/vm/nr_hugepages")


@pytest.fixture
def netns() -> Iterator[str]:
    with namespace(*VETH_PAIR) as file:
        yield file


@root
def test_af_xdp_carries_frames_or_says_why_it_cannot(netns: str, start_server: Callable[..., Server]) -> None:
    options = ["--port", "af_xdp:far0", "--port", "af_xdp:far1", "--netns", netns, *PATIENT]
    try:
        server = start_server(*options)
    except AssertionError:  # a kernel without XDP sockets
        refused = serve(*options)
        assert refused.returncode == 14
        assert re.fullmatch(r"vtrex: port 0: DPDK cannot make net_af_xdp0,iface=far0: .+\n", refused.stderr)
        return
    with connected(server) as rpc:
        wait(lambda: link_is_up(rpc, 0) and link_is_up(rpc, 1))
        for sender, receiver in ((0, 1), (1, 0)):
            before = received(rpc, receiver)
            send_burst(rpc, sender, 500, rate_pps=2000)
            wait(lambda receiver=receiver, before=before: received(rpc, receiver) >= before + 500)
            assert received(rpc, receiver) == before + 500
    assert server.stop() == (0, "")


@root
@pytest.mark.skipif(not Path("/dev/net/tun").exists(), reason="needs /dev/net/tun")
def test_a_tap_of_dpdk_in_a_namespace_gets_what_is_sent(netns: str, start_server: Callable[..., Server]) -> None:
    server = start_server("--port", "dpdk:net_tap0,iface=dtap0", "--netns", netns, *PATIENT)
    with connected(server) as rpc:
        wait(lambda: link_is_up(rpc, 0))
        send_burst(rpc, 0, 50)
        assert rpc.call("get_port_stats", port_id=0)["opackets"] == 50
        assert rpc.call("get_system_info")["ports"][0]["driver"] == "net_tap"
    assert server.stop() == (0, "")


def test_memif_joins_two_servers(tmp_path_factory: pytest.TempPathFactory, start_server: Callable[..., Server]) -> None:
    socket = tmp_path_factory.mktemp("m") / "s"
    options = f"socket={socket},socket-abstract=no"
    one = start_server("--port", f"dpdk:net_memif0,role=server,{options}", "--core", "0", *PATIENT)
    other = start_server("--port", f"dpdk:net_memif0,role=client,{options}", "--core", "1", *PATIENT)
    with connected(one) as sender, connected(other) as receiver:
        wait(lambda: link_is_up(sender, 0) and link_is_up(receiver, 0))
        send_burst(sender, 0, 1000, rate_pps=5000)
        wait(lambda: received(receiver, 0) >= 1000)
        assert received(receiver, 0) == 1000
    assert (other.stop(), one.stop()) == ((0, ""), (0, ""))


def test_huge_pages_are_used_when_enough_of_a_size_are_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huge_pages, "HUGE_PAGES", tmp_path)
    assert not huge_pages.use_huge_pages("auto", 256)
    for name, free, reserved in (("hugepages-2048kB", 130, 3), ("hugepages-1048576kB", 0, 0)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "free_hugepages").write_text(f"{free}\n")
        (tmp_path / name / "resv_hugepages").write_text(f"{reserved}\n")
    assert huge_pages.use_huge_pages("auto", 254)
    assert not huge_pages.use_huge_pages("auto", 256)
    assert not huge_pages.use_huge_pages("off", 2)
    with pytest.raises(UsageError, match=r"256 MB of free huge pages are needed, and there are 254; sysctl vm\.nr"):
        huge_pages.use_huge_pages("on", 256)
    with pytest.raises(UsageError, match="auto, on, off"):
        huge_pages.use_huge_pages("yes", 1)


@pytest.fixture
def many_huge_pages() -> Iterator[None]:
    before = NR_HUGEPAGES.read_text()
    try:
        NR_HUGEPAGES.write_text(str(int(before) + 200))
        if huge_pages.free_mb(huge_pages.HUGE_PAGES / "hugepages-2048kB") < 300:
            pytest.skip("the kernel has no 400 MB for huge pages")
        yield
    except OSError as error:
        pytest.skip(f"huge pages cannot be set aside here: {error}")
    finally:
        if NR_HUGEPAGES.read_text() != before:
            NR_HUGEPAGES.write_text(before)


@root
@pytest.mark.parametrize("huge", ["on", "off"])
def test_the_engine_runs_with_and_without_huge_pages(
    many_huge_pages: None, start_server: Callable[..., Server], huge: str
) -> None:
    server = start_server("--wire", "--huge", huge, *PATIENT)
    maps = Path(f"/proc/{server.engine_pid()}/smaps").read_text()
    assert ("KernelPageSize:     2048 kB" in maps) == (huge == "on")
    with connected(server) as rpc:
        send_burst(rpc, 0, 1000)
        wait(lambda: received(rpc, 1) == 1000)
    assert server.stop() == (0, "")
