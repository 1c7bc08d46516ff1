"""dpdk-testpmd as a device under test: the known fast forwarder that the image is compared with.

Its ports are virtio-user devices on the same kind of vhost-user sockets that the image's virtio-net cards are plugged
into, and one lcore forwards between ports 0 and 1, 2 and 3, ... in mac mode: it writes both Ethernet addresses and
looks at nothing else (DPDK, "Testpmd Application User Guide", forwarding modes).
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from lab.dut.virtio_user import eal_options
from lab.errors import DutError, LabError
from lab.machines.deadline import Deadline
from lab.process import dying_with_parent, on_core

PROGRAM = "dpdk-testpmd"
_PROMPT = "testpmd> "
_START_LIMIT_S = 30.0
_COMMAND_LIMIT_S = 10.0
_QUIT_LIMIT_S = 5.0
_MEMORY_MB = 256
_MBUFS = 32_768  # two ports of two full queues of 1024, eight times over
_WORKER = "rte-worker-"  # begin of the name of a forwarding lcore's thread

_CYCLES = re.compile(r"total cycles=(?P<cycles>\d+) / total \w+ packets=(?P<packets>\d+)")


class Testpmd:
    """A testpmd that is up and does not forward until ``start``; a context manager."""

    __test__ = False  # not a test class, whatever its name begins with

    def __init__(
        self,
        sockets: Sequence[Path],
        macs: Sequence[str],
        peer_macs: Sequence[str],
        *,
        core: int,
        housekeeping_core: int,
        queue_size: int,
        log: Path,
        queues: int = 1,
    ) -> None:
        """Start it and wait for its prompt.

        Args:
            sockets: of the vhost-user server of each port; they listen already.
            macs: of its ports.
            peer_macs: where frames that leave each port are sent to.
            core: host core of the lcore that forwards.
            housekeeping_core: host core of all else of it.
            queue_size: descriptors of a queue, a power of two.
            log: file for all that it says.
            queues: queue pairs of each port; the server of each has as many.

        Raises:
            LabError: it is not installed, or does not start.

        """
        if shutil.which(PROGRAM) is None:
            raise LabError(f"{PROGRAM} is not installed: run 'apt-get install dpdk-dev'")
        self.macs = tuple(macs)
        self._core = core
        self._log = log
        self._said = ""
        self._runtime = tempfile.mkdtemp(prefix="pixlab-testpmd-")  # DPDK leaves a lock and its configuration behind
        # Line by line: it writes prompts at once, and into a pipe all else only when a buffer is full.
        command = ["stdbuf", "--output=L", PROGRAM]
        command += eal_options(
            sockets,
            macs,
            core=core,
            housekeeping_core=housekeeping_core,
            queue_size=queue_size,
            memory_mb=_MEMORY_MB,
            queues=queues,
        )
        command += ["--", *_forwarding(peer_macs, queue_size, queues)]
        self._process = subprocess.Popen(
            dying_with_parent(on_core(housekeeping_core, command)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "RUNTIME_DIRECTORY": self._runtime},
            bufsize=0,
        )
        try:
            self._require_ports(self._read_prompt(_START_LIMIT_S))
        except BaseException:
            self.close()
            raise

    def start(self) -> None:
        """Start forwarding."""
        self.command("start")

    def stop(self) -> None:
        """Stop forwarding; its lcore then sleeps."""
        self.command("stop")

    def clear_counters(self) -> None:
        """Set its counters to zero."""
        self.command("clear fwd stats all")

    def cycles_and_packets(self) -> tuple[int, int]:
        """Return cycles of the bursts that forwarded frames and the number of these frames, since the last clearing.

        Only bursts that received something count (``--record-core-cycles``, read at the begin and the end of each), as
        a QGM counts the turns that handled frames.

        (0, 0) before the first frame, when it says nothing of them.
        """
        counted = _CYCLES.search(self.command("show fwd stats all"))
        return (int(counted["cycles"]), int(counted["packets"])) if counted else (0, 0)

    @property
    def forwarding_tid(self) -> int:
        """Thread id of the lcore that forwards."""
        for task in Path(f"/proc/{self._process.pid}/task").iterdir():
            name = (task / "comm").read_text()
            if name.startswith(_WORKER):
                return int(task.name)
        raise DutError(f"{PROGRAM} has no forwarding thread: see {self._log}")

    def command(self, text: str) -> str:
        """Run one line on its prompt and return what it says, up to the next prompt.

        Raises:
            DutError: no prompt comes back in time, or it ended.

        """
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # then it has ended, and reading says so
            self._process.stdin.write(text.encode() + b"\n")
        return self._read_prompt(_COMMAND_LIMIT_S)

    def close(self) -> None:
        """End it. May be called twice."""
        if self._process.poll() is None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(b"quit\n")
            self._drain(_QUIT_LIMIT_S)
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        shutil.rmtree(self._runtime, ignore_errors=True)

    def __enter__(self) -> Testpmd:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _require_ports(self, said: str) -> None:
        """It starts without the ports that it could not make: refuse that, with the first thing it said of them."""
        missing = [mac for number, mac in enumerate(self.macs) if f"PORT {number}: {mac.upper()}" not in said.upper()]
        if missing:
            why = next((line for line in said.splitlines() if "error" in line.lower()), "it did not say why")
            raise DutError(f"{PROGRAM} did not make its port {missing[0]}: {why} (see {self._log})")

    def _read_prompt(self, limit_s: float) -> str:
        """Return what it says up to its prompt."""
        deadline = Deadline(limit_s)
        while _PROMPT not in self._said:
            if not self._more(deadline.remaining_s):
                end = f"ended with code {self._process.wait(1.0)}" if deadline.remaining_s > 0 else "does not answer"
                last = (self._said.strip().splitlines() or ["it said nothing"])[-1]
                raise DutError(f"{PROGRAM} {end}: {last} (see {self._log})")
        said, _, self._said = self._said.partition(_PROMPT)
        return said

    def _more(self, wait_s: float) -> bool:
        """Take what it has said; False when nothing came in time or it closed its output."""
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], max(0.0, wait_s))[0]:
            return False
        piece = os.read(self._process.stdout.fileno(), 1 << 16)
        with self._log.open("ab") as log:
            log.write(piece)
        self._said += piece.decode(errors="replace")
        return bool(piece)

    def _drain(self, limit_s: float) -> None:
        """Read until it closes its output, which it does at its end."""
        end_s = time.monotonic() + limit_s
        while self._more(end_s - time.monotonic()):
            pass


def _forwarding(peer_macs: Sequence[str], queue_size: int, queues: int) -> list[str]:
    """Write the options of testpmd: one forwarding lcore, mac mode, cycles counted, bursts as long as a QGM's."""
    words = ["--interactive", "--nb-cores=1", "--forward-mode=mac", "--record-core-cycles", "--no-numa", "--burst=64"]
    words += [f"--rxd={queue_size}", f"--txd={queue_size}", f"--total-num-mbufs={_MBUFS}"]
    if queues > 1:  # not always: with the option it complains of a missing device in words that nobody understands
        words += [f"--rxq={queues}", f"--txq={queues}"]
    return words + [f"--eth-peer={number},{mac}" for number, mac in enumerate(peer_macs)]
