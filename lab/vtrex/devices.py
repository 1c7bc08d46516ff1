"""What a port is made of: ``--port vhost:PATH`` or ``--port af_packet:IFACE``, checked before the engine starts."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import UsageError

LONGEST_SOCKET_PATH_BYTES = 107  # sockaddr_un(7)
MOST_QUEUES = 16  # engine/queues.h
KINDS = {
    "vhost": "vhost:PATH[,queues=N] (vhost-user server socket)",
    "af_packet": "af_packet:IFACE (network interface)",
}


@dataclass(frozen=True)
class Device:
    """One port's device.

    ``where`` is the path of a vhost-user socket or the name of a network interface; ``queues`` the queue pairs of a
    vhost-user device, all of which the guest must use, as frames are spread over all of them.
    """

    kind: str
    where: str
    queues: int = 1

    def vdev(self, index: int) -> str:
        """Return the value of DPDK's ``--vdev`` that makes it port ``index``."""
        if self.kind == "vhost":
            return f"net_vhost{index},iface={self.where},queues={self.queues}"
        return f"net_af_packet{index},iface={self.where},blocksz=65536,framesz=2048,framecnt=1024"

    def check(self, netns: str | None) -> None:
        """Make sure that the device can be made; removes a socket that a dead server left behind.

        Args:
            netns: file of the network namespace of interfaces, None for this process's own.

        Raises:
            UsageError: it cannot, and why.

        """
        if self.kind == "vhost":
            _check_socket_path(self.where)
        else:
            _check_interface(self.where, netns)

    def remove(self) -> None:
        """Remove what the device leaves in the file system."""
        if self.kind == "vhost":
            Path(self.where).unlink(missing_ok=True)


def parse(port: str) -> Device:
    """Return the device that a ``--port`` option names.

    Raises:
        UsageError: it names none.

    """
    kind, _, where = port.partition(":")
    where, comma, queues = where.partition(",queues=") if kind == "vhost" else (where, "", "")
    if kind not in KINDS or not where:
        raise UsageError(f"--port '{port}' is not of the form {' or '.join(KINDS.values())}")
    if comma and (not queues.isdecimal() or not 1 <= int(queues) <= MOST_QUEUES):
        raise UsageError(f"--port '{port}': queues is not a number from 1 to {MOST_QUEUES}")
    return Device(kind, where, int(queues) if comma else 1)


def netns_file(name: str) -> str:
    """Return the file of a network namespace: ``name`` itself when it is a path, else where ``ip netns`` keeps it.

    Raises:
        UsageError: there is no such file.

    """
    path = name if "/" in name else f"/run/netns/{name}"
    if not Path(path).exists():
        raise UsageError(f"--netns '{name}': there is no {path}; make it with `ip netns add`, or give another path")
    return path


def in_netns(netns: str | None, command: Sequence[str]) -> list[str]:
    """Return the command that runs ``command`` in a network namespace (a file); it stays the same process."""
    return list(command) if netns is None else ["nsenter", f"--net={netns}", "--", *command]


def _check_interface(name: str, netns: str | None) -> None:
    if "," in name:
        raise UsageError(f"--port 'af_packet:{name}': an interface's name has no comma")
    command = in_netns(netns, ["ip", "-json", "link", "show"])
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        raise UsageError(f"--port 'af_packet:{name}': {' '.join(listed.stderr.split())}")
    flags = {link["ifname"]: link["flags"] for link in json.loads(listed.stdout)}
    where = "here" if netns is None else f"in namespace {netns}"
    if name not in flags:
        raise UsageError(f"--port 'af_packet:{name}': no such interface {where}; there are: {', '.join(flags)}")
    if "UP" not in flags[name]:
        raise UsageError(f"--port 'af_packet:{name}': the interface is down; set it up: ip link set {name} up")


def _check_socket_path(path: str) -> None:
    if len(path.encode()) > LONGEST_SOCKET_PATH_BYTES or "," in path:
        raise UsageError(f"socket path '{path}' must have at most {LONGEST_SOCKET_PATH_BYTES} bytes and no comma")
    place = Path(path)
    if not place.parent.is_dir():
        raise UsageError(f"socket path '{path}': the folder {place.parent} does not exist")
    if not place.exists():
        return
    if not place.is_socket():
        raise UsageError(f"socket path '{path}': a file that is no socket is in the way")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except OSError:
            place.unlink()
            return
    raise UsageError(f"socket path '{path}': another process listens there")
