"""A device under test whose every deed is known: a process (lab/dut/model-dut) that behaves as it is told to.

Its ports are virtio-user devices, as those of dpdk-testpmd, and one core polls them. Generators and methods are judged
by what it says it did.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from lab import paths
from lab.dut.virtio_user import eal_options
from lab.errors import DutError, LabError
from lab.models import Model
from lab.process import dying_with_parent, on_core
from lab.testbed.behaviour import Behaviour
from lab.traffic.lines import LineReader

PROGRAM = paths.NATIVE / "model-dut"
_START_LIMIT_S = 30.0
_COMMAND_LIMIT_S = 10.0
_QUIT_LIMIT_S = 5.0
_MEMORY_MB = 512  # 82 thousand frames of 2.3 KiB, held or on a queue; with less DPDK finds no room for them
_WORKER = "rte-worker-"  # begin of the name of the thread of lcore 1


class Truth(Model):
    """What happened to the frames of one direction since the begin.

    ``received`` is what came in at ``in_port``, ``sent`` what went out at ``out_port``, copies included; once nothing
    is ``held``, ``sent = received - lost + duplicated``. Lost frames are told apart by what they met: ``lost_asked``
    the behaviour's ``lose``, ``lost_capacity`` a full queue, ``lost_dead`` a dead device. ``flushed`` frames were to go
    behind others, of which too few came. The ``_numbers`` are those of the frames; of more than 65536, the first.
    """

    in_port: int
    out_port: int
    received: int
    received_bytes: int
    sent: int
    sent_bytes: int
    lost_asked: int
    lost_capacity: int
    lost_dead: int
    duplicated: int
    moved: int
    flushed: int
    held: int
    lost_numbers: tuple[int, ...]
    duplicated_numbers: tuple[int, ...]
    moved_numbers: tuple[int, ...]

    @property
    def lost(self) -> int:
        """Frames that were lost, for whatever reason."""
        return self.lost_asked + self.lost_capacity + self.lost_dead


class ModelForwarder:
    """A model that is up and does not forward until ``start``; a context manager."""

    def __init__(
        self,
        sockets: Sequence[Path],
        macs: Sequence[str],
        peer_macs: Sequence[str],
        *,
        behaviour: Behaviour,
        core: int,
        housekeeping_core: int,
        queue_size: int,
        log: Path,
    ) -> None:
        """Start it.

        Args:
            sockets: of the vhost-user server of each port, an even number; they listen already.
            macs: of its ports.
            peer_macs: where frames that leave each port are sent to.
            behaviour: what it does to frames.
            core: host core that polls.
            housekeeping_core: host core of all else of it.
            queue_size: descriptors of a queue, a power of two.
            log: file for what it prints as errors.

        Raises:
            LabError: it is not built.
            DutError: it does not start.

        """
        if not PROGRAM.exists():
            raise LabError(f"{PROGRAM} is not built: run 'make native'")
        self._log = log
        self._runtime = tempfile.mkdtemp(prefix="pixlab-model-")  # DPDK leaves a lock and its configuration behind
        options = eal_options(
            sockets,
            macs,
            core=core,
            housekeeping_core=housekeeping_core,
            queue_size=queue_size,
            memory_mb=_MEMORY_MB,
        )
        command = [str(PROGRAM), *options, "--", str(queue_size), *peer_macs]
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                dying_with_parent(on_core(housekeeping_core, command)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, "RUNTIME_DIRECTORY": self._runtime},
                bufsize=0,
            )
        self._lines = LineReader(self._process.stdout)
        try:
            self._read("start", _START_LIMIT_S)
            self.behave(behaviour)
        except BaseException:
            self.close()
            raise

    def behave(self, behaviour: Behaviour) -> None:
        """Behave so from now on; frames are numbered and counted from 0, and those that it holds are gone."""
        self.behaviour = behaviour
        self._tell("clear")
        for name, value in values_of(behaviour):
            self._tell(f"set {name} {value}")
        self._tell("begin")

    def begin(self) -> None:
        """Number and count frames from 0, with the same behaviour."""
        self._tell("begin")

    def start(self) -> None:
        """Forward."""
        self._tell("start")

    def stop(self) -> None:
        """Leave frames where they are; its core then sleeps."""
        self._tell("stop")

    def die(self, duration_ms: float) -> None:
        """Lose what arrives from now on for so long, as a device that has been reset does; at once, it does not wait.

        What it holds already still goes out.
        """
        self._tell(f"dead {duration_ms * 1e6:.0f}")

    def truth(self) -> tuple[Truth, ...]:
        """Return what it did in each direction, by the port that frames came in by."""
        return tuple(Truth(**direction) for direction in json.loads(self._ask("truth")))

    @property
    def forwarding_tid(self) -> int:
        """Thread id of what polls."""
        for task in Path(f"/proc/{self._process.pid}/task").iterdir():
            if (task / "comm").read_text().startswith(_WORKER):
                return int(task.name)
        raise DutError(f"{PROGRAM.name} has no polling thread: see {self._log}")

    def close(self) -> None:
        """End it. May be called twice."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(_QUIT_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._runtime, ignore_errors=True)

    def __enter__(self) -> ModelForwarder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _tell(self, command: str) -> None:
        answer = self._ask(command)
        if answer != "ok":
            raise DutError(f"{PROGRAM.name} refused {command[:80]!r}: {answer}")

    def _ask(self, command: str) -> str:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # then it has ended, and reading says so
            self._process.stdin.write(command.encode() + b"\n")
        return self._read(command, _COMMAND_LIMIT_S)

    def _read(self, command: str, limit_s: float) -> str:
        line = self._lines.read(limit_s)
        if not line:
            last = (self._log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
            raise DutError(f"{PROGRAM.name} does not answer {command[:80]!r}: {last} (see {self._log})")
        return line


def values_of(behaviour: Behaviour) -> Iterator[tuple[str, str]]:
    """Yield every value under the name that the program has for it: ``delay_ns``, ``lose.frames``."""
    for name, value in behaviour.model_dump().items():
        parts = value.items() if isinstance(value, dict) else [("", value)]
        for part, one in parts:
            listed = ",".join(map(str, one)) if isinstance(one, tuple) else str(float(one))
            yield (f"{name}.{part}" if part else name), listed
