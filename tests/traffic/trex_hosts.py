"""A TRex host for tests: a namespace with cabled ports and a real sshd, and a release in which vtrex is TRex."""

from __future__ import annotations

import hashlib
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import paths
from lab.machines.netns import NetworkNamespace
from lab.testbed import Testbed
from lab.testbed.access import SshAccess
from tests.machines.sshd import Sshd

PROGRAM = f"""#!/bin/sh
PYTHONPATH='{paths.ROOT}' exec '{sys.executable}' -m lab.vtrex.t_rex_64 --core 0 "$@"
"""


@contextmanager
def cabled_host(folder: Path) -> Iterator[Sshd]:
    """Put the calling thread into a namespace with two pairs of joined interfaces (a0-a1, b0-b1) and an sshd."""
    with NetworkNamespace("a TRex host of a test") as namespace:
        commands = ["link set lo up"]
        for pair in "ab":
            commands.append(f"link add {pair}0 type veth peer name {pair}1")
            commands += [f"link set {pair}{end} up" for end in (0, 1)]
        with namespace.inside():
            Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")
            namespace.configure(commands, "a TRex host")
            with Sshd(folder) as sshd:
                yield sshd


def release(folder: Path, program: str = PROGRAM, padding: bytes = b"") -> dict[str, Any]:
    """Make a tarball as TRex's are, with t-rex-64 in its folder; returns what a testbed says of it."""
    source = folder / "v3.08"
    source.mkdir()
    (source / "t-rex-64").write_text(program)
    (source / "t-rex-64").chmod(0o755)
    (source / "padding").write_bytes(padding)
    tarball = folder / "v3.08.tar.gz"
    with tarfile.open(tarball, "w:gz") as archive:
        archive.add(source, "v3.08")
    digest = hashlib.sha256(tarball.read_bytes()).hexdigest()
    return {"version": "v3.08", "tarball": str(tarball), "sha256": digest}


def rack(ssh: SshAccess, trex: dict[str, Any], hosts: int = 1, **machine: Any) -> Testbed:
    """Describe a rack with so many TRex hosts, which are all the same machine; pairs of ports are joined there."""
    nodes: dict[str, Any] = {}
    links, dut_ports = [], []
    for host, pair in zip(range(hosts), "ab", strict=False):
        ports = []
        for end in (0, 1):
            number = 2 * host + end
            port = {
                "speed_gbps": 10,
                "nic": "veth",
                "address": f"198.18.{number}.2/24",
                "mac": f"02:00:00:00:00:0{number}",
            }
            ports.append({**port, "name": f"g{end}", "interface": f"{pair}{end}"})
            far = {"address": f"198.18.{number}.1/24", "mac": f"02:00:00:00:01:0{number}", "name": f"p{number}"}
            dut_ports.append({**port, **far})
            links.append({"ends": [f"dut.p{number}", f"trex-{pair}.g{end}"]})
        trex_host = {
            "driver": "trex-host",
            "address": "127.0.0.1",
            "ssh": ssh.model_dump(),
            "rpc_port": 4501 + 10 * host,
            "async_port": 4500 + 10 * host,
            "release": trex,
            **machine,
        }
        nodes[f"trex-{pair}"] = {"role": "generator", "driver": "trex", "machine": trex_host, "ports": ports}
    address = "198.51.100.1"
    server = {
        "driver": "server",
        "exclusive_cores": 1,
        "power": {"driver": "ipmi", "address": address, "credentials": {"environment": "NONE"}},
        "console": {"driver": "sol", "address": address, "credentials": {"environment": "NONE"}},
        "boot": {"driver": "pxe", "interface": "boot", "mac": "02:00:00:00:00:ff", "address": address},
    }
    nodes["dut"] = {"role": "dut", "machine": server, "ports": dut_ports}
    return Testbed.model_validate(
        {"name": "cabled", "kind": "rack", "description": "a test's", "nodes": nodes, "links": links}
    )
