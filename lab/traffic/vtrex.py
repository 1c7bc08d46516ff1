"""Starts a vtrex server as a child of this run and stops it again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from lab.errors import GeneratorError
from lab.process import dying_with_parent, on_core
from lab.traffic.lines import LineReader
from lab.traffic.trex import TrexGenerator

START_LIMIT_S = 20.0
STOP_LIMIT_S = 5.0
GAP_LIMIT_US = 10_000
"""In pauses up to this no frame becomes too late to be sent (--late-us); lab/methods/validity.py weighs their cost."""
START_DELAY_MS = 50
"""The client asks for the events of a start right after it; on a core that polls that would be a gap in the trial."""

READY = re.compile(r"vtrex ready rpc=tcp://(?P<host>[^:]+):(?P<rpc>\d+) async=tcp://[^:]+:(?P<pub>\d+)")


class VtrexServer:
    """A ``pixlab vtrex serve`` process on free ports of 127.0.0.1; a context manager."""

    def __init__(
        self, options: Sequence[str], *, core: int, housekeeping_core: int, line_rate_gbps: float, log: Path
    ) -> None:
        """Start the server and wait until it serves.

        Args:
            options: what its ports are: ``--wire``, or ``--port vhost:PATH`` or ``--port af_packet:IFACE`` for each.
            core: host core of the polling thread.
            housekeeping_core: host core of everything else of it, and of its client.
            line_rate_gbps: speed that its ports report.
            log: file for what it prints as errors.

        Raises:
            GeneratorError: it did not come up; with its last line.

        """
        self._log = log
        self._housekeeping_core = housekeeping_core
        command = [sys.executable, "-m", "lab.vtrex", "serve", "--rpc-port", "0", "--async-port", "0"]
        command += ["--core", str(core), "--line-rate-gbps", f"{line_rate_gbps:g}"]
        command += ["--start-delay-ms", str(START_DELAY_MS), "--gap-limit-us", str(GAP_LIMIT_US), *options]
        self._command = dying_with_parent(on_core(housekeeping_core, command))
        self._start()

    def _start(self) -> None:
        with self._log.open("ab") as stderr:
            self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=stderr, bufsize=0)
        self._pidfd = os.pidfd_open(self._process.pid)
        ready = READY.search(LineReader(self._process.stdout).read(START_LIMIT_S))
        if ready is None:
            self.stop()
            raise GeneratorError(f"vtrex did not start: {self._last_line()}")
        self.host, self.rpc_port, self.async_port = ready["host"], int(ready["rpc"]), int(ready["pub"])

    def restart(self) -> None:
        """End the process, if it has not ended, and start it again; clients connect anew.

        Raises:
            GeneratorError: it did not come up.

        """
        self.stop()
        self._start()

    def connect(self) -> TrexGenerator:
        """Connect the lab's TRex driver to it."""
        return TrexGenerator(
            self.host,
            self.rpc_port,
            self.async_port,
            self._log,
            housekeeping_core=self._housekeeping_core,
            process=self,
        )

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the process has ended."""
        return self._pidfd

    def last_words(self) -> str:
        """Say how the process ended, with the last line that it printed."""
        return f"vtrex ended with exit code {self._process.wait(STOP_LIMIT_S)} ({self._last_line()})"

    def _last_line(self) -> str:
        return (self._log.read_text(errors="replace").strip().splitlines() or ["it printed nothing"])[-1]

    def stop(self) -> None:
        """End the process; it removes its sockets. May be called twice."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        if self._process.stdout is not None and not self._process.stdout.closed:
            self._process.stdout.close()
            os.close(self._pidfd)

    def __enter__(self) -> VtrexServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
