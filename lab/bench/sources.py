"""What sends frames in a benchmark of generators, and how much of it: vtrex and dpdk-testpmd, counted alike."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from lab.bench.remote import Remote
from lab.bench.remote import stream as stream_of
from lab.dut.testpmd_process import TestpmdProcess
from lab.errors import LabError
from lab.methods.repeat import TooDisturbed
from lab.traffic.disturbance import ThreadProbe

FRAME_SIZE_BYTES = 64
FCS_BYTES = 4
PORTS = 2
HIGHEST_PRIORITY = -20
FLOOD_PPS = 1e8
"""Of each port: more than any of them can send."""
WARM_UP_S = 0.2
WINDOW_S = 1.0
AWAY_SHARE = 0.05
"""Of the window that a polling thread may be off its core; stolen time is told in ticks of 10 ms."""
MBUFS = 32_768

MACS = ("02:00:00:00:00:0a", "02:00:00:00:00:0b")
HOSTS = ("198.18.0.1", "198.19.0.1")


@dataclass(frozen=True)
class Source:
    """A generator that stands still until ``start``.

    ``counters`` returns (sent, received) frames of all its ports, ``probes`` watch its polling thread and others
    that its rate depends on.
    """

    name: str
    start: Callable[[], None]
    stop: Callable[[], None]
    counters: Callable[[], tuple[int, int]]
    probes: tuple[ThreadProbe, ...] = ()


def frame_of(port: int) -> bytes:
    """Return the smallest frame from a port to the other, without FCS."""
    head = (
        Ether(src=MACS[port], dst=MACS[1 - port]) / IP(src=HOSTS[port], dst=HOSTS[1 - port]) / UDP(sport=1025, dport=9)
    )
    head[UDP].chksum = 0
    return bytes(head / bytes(FRAME_SIZE_BYTES - FCS_BYTES - len(head)))


def source_of_vtrex(
    name: str,
    remote: Remote,
    *,
    statistics: bool = False,
    fields: bool = False,
    verified: bool = False,
    others: Sequence[ThreadProbe] = (),
) -> Source:
    """Return vtrex with one stream a port as a source.

    Args:
        name: of the source.
        remote: owns its ports.
        statistics: let each stream have flow statistics of its own.
        fields: let addresses change from frame to frame.
        verified: let the receiving port compare each frame with what was sent; frames come back unchanged.
        others: threads that must have their cores, too.

    """

    def start() -> None:
        streams: Mapping[int, Any] = {
            port: stream_of(frame_of(port), FLOOD_PPS, pg_id=port + 1 if statistics else None, fields=fields)
            for port in range(PORTS)
        }
        remote.define(streams)
        if verified:
            arrivals = [
                {"pg_id": port + 1, "rx_port": 1 - port, "src_mac": MACS[port], "dst_mac": MACS[1 - port], "hops": 0}
                for port in range(PORTS)
            ]
            remote.call("pixlab_verify", streams=arrivals)
        remote.start()

    polling = [ThreadProbe(name, core["tid"], core["id"]) for core in remote.report()["cores"]]
    return Source(name, start, remote.stop, remote.counters, (*polling, *others))


def options_of_testpmd(mode: str) -> list[str]:
    """Return testpmd's options to generate frames of the same size in bursts as long as vtrex's, on one lcore."""
    words = [
        "--nb-cores=1",
        f"--forward-mode={mode}",
        "--no-numa",
        "--burst=32",
        f"--txpkts={FRAME_SIZE_BYTES - FCS_BYTES}",
    ]
    return [*words, "--rxd=1024", "--txd=1024", f"--total-num-mbufs={MBUFS}"]


def eal_of_testpmd(devices: Sequence[str], *, core: int, housekeeping_core: int) -> list[str]:
    """Return DPDK's options: its lcore on ``core``, no huge pages, as vtrex has none."""
    words = ["--lcores", f"0@{housekeeping_core},1@{core}", "--main-lcore", "0", "--no-huge", "-m", "256"]
    words += ["--iova-mode=va", "--no-pci", "--no-shconf", "--no-telemetry", f"--file-prefix=bench-{os.getpid()}"]
    return words + [word for device in devices for word in ("--vdev", device)]


def rings() -> list[str]:
    """Return two ring ports, each of which receives what it sends: the same two rings as those of a vtrex wire."""
    return [f"net_ring{port}" for port in range(PORTS)]


def vhosts(sockets: Sequence[Path]) -> list[str]:
    """Return vhost-user ports, which are the servers of these sockets."""
    return [f"net_vhost{port},iface={path},queues=1" for port, path in enumerate(sockets)]


def polling_of(testpmd: TestpmdProcess, core: int) -> ThreadProbe:
    """Give testpmd's forwarding thread the priority of vtrex's, and return what watches it."""
    os.setpriority(os.PRIO_PROCESS, testpmd.forwarding_tid, HIGHEST_PRIORITY)
    return ThreadProbe("testpmd", testpmd.forwarding_tid, core)


def source_of_testpmd(mode: str, testpmd: TestpmdProcess, core: int, others: Sequence[ThreadProbe] = ()) -> Source:
    """Return testpmd, polling on a core, in a mode that sends (flowgen, txonly) as a source.

    ``others`` are threads that must have their cores, too.
    """

    def start() -> None:
        testpmd.command(f"set fwd {mode}")
        testpmd.start()

    return Source(f"testpmd {mode}", start, testpmd.stop, testpmd.counters, (polling_of(testpmd, core), *others))


def handled_pps(source: Source) -> float:
    """Return the frames that a running source sends and receives in a second, by its ports' own counters.

    Raises:
        TooDisturbed: a polling thread did not have its core.
        LabError: it sends nothing.

    """
    time.sleep(WARM_UP_S)
    for probe in source.probes:
        probe.begin()
    (sent, received), began_s = source.counters(), time.monotonic()
    time.sleep(WINDOW_S)
    (sent_then, received_then), ended_s = source.counters(), time.monotonic()
    for disturbance in [probe.end() for probe in source.probes]:
        away_ns = max(disturbance.run_delay_ns or 0, disturbance.steal_ns or 0)
        if away_ns > AWAY_SHARE * WINDOW_S * 1e9:
            raise TooDisturbed(f"{source.name}: {disturbance.who} was off its core for {away_ns / 1e6:.0f} ms")
    if sent_then == sent:
        raise LabError(f"{source.name} sends nothing: is something at the other end of its ports?")
    return (sent_then - sent + received_then - received) / (ended_s - began_s)
