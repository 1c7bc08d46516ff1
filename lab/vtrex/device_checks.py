"""Whether a device can be made here: sockets, interfaces, the PCI bus. Each refusal says in one line what to do."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab.errors import UsageError

LONGEST_SOCKET_PATH_BYTES = 107  # sockaddr_un(7)
PCI_DEVICES = Path("/sys/bus/pci/devices")
DPDK_DRIVERS = ("vfio-pci", "igb_uio", "uio_pci_generic", "mlx4_core", "mlx5_core")
"""Kernel drivers below which DPDK can have a device (DPDK, "Linux Drivers"); the last two share it with the kernel."""


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


def check_interface(kind: str, name: str, netns: str | None) -> None:
    """Make sure that an interface is there and up.

    Raises:
        UsageError: it is not.

    """
    port = f"--port '{kind}:{name}'"
    if "," in name:
        raise UsageError(f"{port}: an interface's name has no comma")
    command = in_netns(netns, ["ip", "-json", "link", "show"])
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        raise UsageError(f"{port}: {' '.join(listed.stderr.split())}")
    flags = {link["ifname"]: link["flags"] for link in json.loads(listed.stdout)}
    where = "here" if netns is None else f"in namespace {netns}"
    if name not in flags:
        raise UsageError(f"{port}: no such interface {where}; there are: {', '.join(flags)}")
    if "UP" not in flags[name]:
        raise UsageError(f"{port}: the interface is down; set it up: ip link set {name} up")


def check_socket_path(path: str) -> None:
    """Make sure that a path can name a socket, whether it is there or not.

    Raises:
        UsageError: it cannot.

    """
    if len(path.encode()) > LONGEST_SOCKET_PATH_BYTES or "," in path:
        raise UsageError(f"socket path '{path}' must have at most {LONGEST_SOCKET_PATH_BYTES} bytes and no comma")
    place = Path(path)
    if not place.parent.is_dir():
        raise UsageError(f"socket path '{path}': the folder {place.parent} does not exist")
    if place.exists() and not stat.S_ISSOCK(place.stat().st_mode):
        raise UsageError(f"socket path '{path}': a file that is no socket is in the way")


def check_new_socket(path: str) -> None:
    """Make sure that a socket can be made; removes one that a dead process left behind.

    Raises:
        UsageError: the path cannot name a socket, or somebody uses it.

    """
    check_socket_path(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except FileNotFoundError:
            return
        except ConnectionRefusedError:
            Path(path).unlink()
            return
        except OSError:  # of another type, or its queue is full: it lives
            pass
    raise UsageError(f"socket path '{path}': another process listens there")


def check_pci(address: str) -> None:
    """Make sure that a device of the PCI bus is there and bound to a driver below which DPDK can have it.

    Raises:
        UsageError: it is not.

    """
    place = PCI_DEVICES / address
    if not place.exists():
        raise UsageError(f"--port 'dpdk:{address}': there is no such PCI device; `lspci -D` lists them")
    driver = (place / "driver").readlink().name if (place / "driver").is_symlink() else "none"
    if driver not in DPDK_DRIVERS:
        how = f"dpdk-devbind.py --bind=vfio-pci {address}"
        raise UsageError(f"--port 'dpdk:{address}': its driver is {driver}; take it from the kernel: {how}")
