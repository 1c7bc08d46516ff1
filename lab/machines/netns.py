"""A network namespace without a name: it lives as long as a process is in it, and needs no cleaning up."""

from __future__ import annotations

import ctypes
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from lab.errors import LabError
from lab.machines.deadline import Deadline
from lab.process import dying_with_parent

_START_LIMIT_S = 5.0
_CLONE_NEWNET = 0x40000000  # <linux/sched.h>


class NetworkNamespace:
    """A namespace that a sleeping process holds, which dies with the thread that made it; a context manager."""

    def __init__(self, purpose: str) -> None:
        """Make the namespace, with nothing in it but an unconfigured loopback interface.

        Args:
            purpose: what needs it, for the error: "a virtual testbed makes its own boot network".

        Raises:
            LabError: not root, or this kernel makes none.

        """
        if os.geteuid() != 0:
            raise LabError(f"{purpose}, which needs root: run as root, or with sudo")
        self._holder = subprocess.Popen(dying_with_parent(["unshare", "--net", "sleep", "infinity"]))
        try:
            self._wait_separate()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Process id of the sleeping process."""
        return self._holder.pid

    @property
    def file(self) -> str:
        """The file that stands for it (nsenter(1) takes it) while it is open."""
        return f"/proc/{self._holder.pid}/ns/net"

    def enter(self, command: Sequence[str]) -> list[str]:
        """Return the command that runs ``command`` inside; it stays the same process."""
        return ["nsenter", f"--net={self.file}", "--", *command]

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Move the calling thread inside, with all that it starts: children and threads; and back at the end.

        Raises:
            LabError: the kernel refuses it.

        """
        # /proc/self is the process's first thread, which may be in another namespace than this one.
        with Path("/proc/thread-self/ns/net").open("rb") as before, Path(self.file).open("rb") as wanted:
            _set_namespace(wanted.fileno())
            try:
                yield
            finally:
                _set_namespace(before.fileno())

    def configure(self, commands: Sequence[str], what: str) -> None:
        """Run commands of ip(8) inside, without the word ip, all or none.

        Raises:
            LabError: one of them failed; the message begins with ``what``.

        """
        batch = "\n".join(commands)
        done = subprocess.run(
            self.enter(["ip", "-batch", "-"]), input=batch, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise LabError(f"{what} cannot be set up: {' '.join(done.stderr.split())}")

    def close(self) -> None:
        """Let go of the namespace; it disappears with the last process in it. May be called twice."""
        self._holder.kill()
        self._holder.wait()

    def __enter__(self) -> NetworkNamespace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _wait_separate(self) -> None:
        """Wait until unshare has done its work: until then the holder is in the host's own namespace."""
        deadline = Deadline(_START_LIMIT_S)
        ours = Path("/proc/self/ns/net").readlink()
        while Path(self.file).readlink() == ours:
            if deadline.passed or self._holder.poll() is not None:
                raise LabError("no network namespace can be made here: run as root on a kernel with network namespaces")
            time.sleep(0.005)


def _set_namespace(descriptor: int) -> None:
    """Call setns(2) for the calling thread, which Python has from 3.12 on."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET) != 0:
        raise LabError(f"a thread cannot be moved to a network namespace: {os.strerror(ctypes.get_errno())}")
