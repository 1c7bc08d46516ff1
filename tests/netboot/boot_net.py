"""A boot network as a rack has it, in namespaces: a bridge with the lab's address, plugs for machines and others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from lab.machines.netns import NetworkNamespace
from lab.netboot import place
from lab.netboot.place import Place
from lab.netboot.protocol import BootSource
from lab.process import dying_with_parent

LAB = "192.0.2.1"
OTHER = "192.0.2.2"
CLIENT = "192.0.2.10"
MAC = "52:54:00:78:00:ff"
STRANGER = "52:54:00:78:00:01"
BRIDGE, TAP = "br0", "t0"


class BootNet:
    """The lab's side has the bridge and a tap for a machine in QEMU; ``far`` has an address and plays machines."""

    def __init__(self, near: NetworkNamespace, far: NetworkNamespace) -> None:
        self.near, self._far = near, far

    def place(self, client: str | None = CLIENT) -> Place:
        """Return where the lab serves; without a client as a proxy."""
        return place.find(BRIDGE, None if client is None else IPv4Address(client), self.near.enter)

    def dnsmasq(self) -> int:
        """Return the process id of the lab's dnsmasq."""
        for status in Path("/proc").glob("[0-9]*/comm"):
            folder = status.parent
            try:
                here = (folder / "ns" / "net").readlink() == Path(self.near.file).readlink()
                if here and status.read_text() == "dnsmasq\n":
                    return int(folder.name)
            except OSError:
                continue  # it has ended
        raise AssertionError("no dnsmasq runs")

    def play(self, *steps: Sequence[Any]) -> list[Any]:
        """Carry out steps of client.py on the far side, and return what each said."""
        script = str(Path(__file__).with_name("client.py"))
        command = self._far.enter([sys.executable, "-I", script, json.dumps(steps)])
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        answers: list[Any] = json.loads(done.stdout)
        return answers

    @contextmanager
    def existing_dhcp(self, *options: str, log: Path = Path(os.devnull)) -> Iterator[None]:
        """Run somebody else's dnsmasq at ``OTHER``, which gives addresses from 192.0.2.100 on."""
        command = ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--no-resolv", "--no-hosts"]
        command += ["--interface=o0", "--bind-interfaces", f"--listen-address={OTHER}", "--dhcp-leasefile=/dev/null"]
        command += ["--leasefile-ro", "--no-ping", "--dhcp-range=192.0.2.100,192.0.2.110,255.255.255.0", *options]
        if Path("/proc/net/if_inet6").exists():  # else iPXE waits for a router
            command += ["--dhcp-range=fd00:c000:201::,ra-only", "--enable-ra"]
        with log.open("a") as said:
            server = subprocess.Popen(
                dying_with_parent(self.near.enter(command)), stderr=said, stdin=subprocess.DEVNULL
            )
        try:
            yield  # a machine takes longer to begin than dnsmasq
        finally:
            server.kill()
            server.wait()

    @contextmanager
    def machine(self, folder: Path, mac: str = MAC) -> Iterator[Path]:
        """Start a machine in QEMU whose PXE ROM is iPXE; yields the log of its serial port."""
        serial = folder / "serial.log"
        command = ["qemu-system-x86_64", "-nodefaults", "-display", "none", "-accel", "tcg", "-m", "256", "-no-reboot"]
        command += ["-machine", "pc,graphics=off", "-serial", f"file:{serial}"]
        command += ["-netdev", f"tap,id=n,ifname={TAP},script=no,downscript=no"]
        command += ["-device", f"e1000,netdev=n,mac={mac},bootindex=0"]
        machine = subprocess.Popen(dying_with_parent(self.near.enter(command)), stdin=subprocess.DEVNULL)
        try:
            yield serial
        finally:
            machine.kill()
            machine.wait()


@contextmanager
def boot_net() -> Iterator[BootNet]:
    """Make the network; it disappears afterwards."""
    with NetworkNamespace("a test") as near, NetworkNamespace("a test") as far:
        pid = far.file.split("/")[2]
        near.configure(
            [
                "link set lo up",
                f"link add {BRIDGE} type bridge",
                f"addr add {LAB}/24 dev {BRIDGE}",
                f"link set {BRIDGE} up",
                f"tuntap add {TAP} mode tap",
                "link add o0 type veth peer name o1",
                "link add c0 type veth peer name c1",
                f"link set c0 netns {pid}",
                *(f"link set {name} master {BRIDGE} up" for name in (TAP, "o1", "c1")),
                f"addr add {OTHER}/24 dev o0",
                "addr add fd00:c000:201::1/64 dev o0 nodad",
                "link set o0 up",
            ],
            "the test's boot network",
        )
        far.configure([f"addr add {CLIENT}/24 dev c0", "link set c0 up"], "the test's machine")
        yield BootNet(near, far)


def says(source: BootSource, text: str, limit_s: float = 2.0) -> None:
    """Wait until the diagnosis has a text: lines are read by a thread, and machines take their time."""
    end_s = time.monotonic() + limit_s
    while text not in source.diagnosis():
        assert time.monotonic() < end_s, f"{text!r} is not in: {source.diagnosis()}"
        time.sleep(0.02)
