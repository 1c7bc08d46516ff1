"""A network namespace with one tap, for the boot NIC of a virtual machine.

The namespace has no name and no link to the outside. It lives as long as a process is in it, and all of those die with
the lab, so it never needs to be cleaned up.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from lab.errors import LabError
from lab.machines.deadline import Deadline
from lab.process import dying_with_parent

TAP = "boot0"
SERVER = "192.0.2.1"
CLIENT = "192.0.2.10"
PREFIX_BITS = 24
SERVER_IPV6 = "fd00:c000:200::1"
IPV6_NETWORK = "fd00:c000:200::"

_START_LIMIT_S = 5.0


class BootNetwork:
    """The namespace, with the lab's end of the tap configured; a context manager."""

    def __init__(self) -> None:
        """Create the namespace.

        Raises:
            LabError: not root, or a tool is missing or refused.

        """
        if os.geteuid() != 0:
            raise LabError("a virtual testbed makes its own boot network, which needs root: run as root, or with sudo")
        self.ipv6 = Path("/proc/net/if_inet6").exists()
        """Whether this kernel has IPv6, so that a router can be told of on the boot network."""
        self._holder = subprocess.Popen(dying_with_parent(["unshare", "--net", "sleep", "infinity"]))
        try:
            self._wait_separate()
            self._configure()
        except BaseException:
            self.close()
            raise

    def enter(self, command: Sequence[str]) -> list[str]:
        """Return the command that runs ``command`` inside; it stays the same process."""
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net", "--", *command]

    def close(self) -> None:
        """Let go of the namespace; it disappears with the last process in it."""
        self._holder.kill()
        self._holder.wait()

    def __enter__(self) -> BootNetwork:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _wait_separate(self) -> None:
        """Wait until unshare has done its work: until then the holder is in the host's own namespace."""
        deadline = Deadline(_START_LIMIT_S)
        ours = Path("/proc/self/ns/net").readlink()
        while Path(f"/proc/{self._holder.pid}/ns/net").readlink() == ours:
            if deadline.passed or self._holder.poll() is not None:
                raise LabError("no network namespace can be made here: run as root on a kernel with network namespaces")
            time.sleep(0.005)

    def _configure(self) -> None:
        commands = ["link set lo up", f"tuntap add {TAP} mode tap", f"addr add {SERVER}/{PREFIX_BITS} dev {TAP}"]
        if self.ipv6:
            commands.append(f"addr add {SERVER_IPV6}/64 dev {TAP} nodad")
        commands.append(f"link set {TAP} up")
        done = subprocess.run(
            self.enter(["ip", "-batch", "-"]), input="\n".join(commands), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise LabError(f"the boot network cannot be set up: {' '.join(done.stderr.split())}")
