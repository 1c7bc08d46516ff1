"""A real machine behind QEMU's own sockets: the boot ROM of an emulated e1000 takes an address and answers for it."""

from __future__ import annotations

import base64
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.process import dying_with_parent
from tests.vtrex import dhcp
from tests.vtrex.serving import Rpc, Server, connected
from tests.vtrex.test_devices import link_is_up
from tests.vtrex.unix_peers import wait

QEMU = "qemu-system-x86_64"
ROM = Path("/usr/lib/ipxe/qemu/pxe-e1000.rom")
LIMIT_S = 60.0

_MAC = bytes.fromhex("525400123456")
_ARP = b"\x08\x06\0\x01\x08\0\x06\x04\0"  # RFC 826
_CLIENT, _SERVER = socket.inet_aton(dhcp.CLIENT), socket.inet_aton(dhcp.SERVER)
ARP_QUESTION = b"\xff" * 6 + dhcp.SERVER_MAC + _ARP + b"\x01" + dhcp.SERVER_MAC + _SERVER + bytes(6) + _CLIENT
ARP_ANSWER = dhcp.SERVER_MAC + _MAC + _ARP + b"\x02" + _MAC + _CLIENT + dhcp.SERVER_MAC + _SERVER

pytestmark = pytest.mark.skipif(shutil.which(QEMU) is None or not ROM.exists(), reason="needs QEMU and its boot ROMs")


@contextmanager
def machine(netdev: str) -> Iterator[None]:
    """Run a machine with nothing but an e1000, which it boots from."""
    words = ["-accel", "tcg", "-m", "64", "-nodefaults", "-display", "none", "-boot", "n", "-no-reboot"]
    words += ["-netdev", f"{netdev},id=n0", "-device", f"e1000,netdev=n0,mac={_MAC.hex(':')}"]
    process = subprocess.Popen(dying_with_parent([QEMU, *words]), stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def boot(rpc: Rpc) -> set[str]:
    """Answer what the ROM asks, and ask for its address until it answers; returns all that was seen of it."""
    capture = rpc.call("capture", command="start", limit=1000, mode="cyclic", tx=[], rx=[0], filter="")["capture_id"]
    seen: set[str] = set()
    deadline = time.monotonic() + LIMIT_S
    while "answer" not in seen:
        assert time.monotonic() < deadline, f"it has got no further than {seen}"
        time.sleep(0.05)
        for packet in rpc.call("capture", command="fetch", capture_id=capture, pkt_limit=50)["pkts"]:
            frame = base64.b64decode(packet["binary"])
            asked = dhcp.asked(frame)
            if asked is not None and asked.kind == dhcp.DISCOVER:
                push(rpc, dhcp.answer(asked, dhcp.OFFER))
                seen.add("discover")
            elif asked is not None and asked.kind == dhcp.REQUEST and asked.requested == dhcp.CLIENT:
                push(rpc, dhcp.answer(asked, dhcp.ACK))
                seen.add("request")
            elif frame.startswith(ARP_ANSWER):
                seen.add("answer")
        if "request" in seen:
            push(rpc, ARP_QUESTION)
    rpc.call("capture", command="remove", capture_id=capture)
    return seen


def push(rpc: Rpc, frame: bytes) -> None:
    packet = {"binary": base64.b64encode(frame).decode()}
    assert rpc.call("push_pkts", port_id=0, pkts=[packet], ipg_usec=0, force=True)["sent"] == 1


@pytest.mark.parametrize("kind", ["stream", "dgram"])
def test_the_boot_rom_of_an_e1000_takes_an_address_and_answers_for_it(
    tmp_path_factory: pytest.TempPathFactory, start_server: Callable[..., Server], kind: str
) -> None:
    folder = tmp_path_factory.mktemp("q")
    port, netdev = {
        "stream": (f"stream:{folder}/s,server", f"stream,server=off,addr.type=unix,addr.path={folder}/s"),
        "dgram": (
            f"dgram:{folder}/a,{folder}/b",
            f"dgram,local.type=unix,local.path={folder}/b,remote.type=unix,remote.path={folder}/a",
        ),
    }[kind]
    server = start_server("--port", port)
    with connected(server) as rpc:
        rpc.acquire(0)
        with machine(netdev):
            wait(lambda: link_is_up(rpc, 0))
            assert boot(rpc) == {"discover", "request", "answer"}
        wait(lambda: not link_is_up(rpc, 0))
    assert server.stop() == (0, "")
