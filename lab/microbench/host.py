"""The microbenchmarks as pinned threads of this host, compiled from the image's sources (make native)."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from lab import paths
from lab.errors import LabError, UsageError
from lab.machines.deadline import Deadline
from lab.microbench.model import Layout
from lab.process import dying_with_parent

ANSWER_LIMIT_S = 60.0


def cpus() -> tuple[int, ...]:
    """Return the processors that this process may use."""
    return tuple(sorted(os.sched_getaffinity(0)))


class HostBench:
    """One layout's program, waiting for commands without using a processor. A context manager."""

    def __init__(self, layout: Layout, on: Sequence[int]) -> None:
        """Start it.

        Args:
            layout: packed or padded.
            on: the processor of each core, from core 1 on.

        Raises:
            UsageError: a processor is not to be had.
            LabError: the program is not built.

        """
        missing = sorted(set(on) - set(cpus()))
        if missing:
            raise UsageError(f"microbenchmark: no processor {missing[0]} for this process: there are {cpus()}")
        program = paths.NATIVE / f"pix-bench-{layout}"
        if not program.exists():
            raise LabError(f"microbenchmark: the program {program} is not built: run 'make native'")
        self.layout = layout
        self._process = subprocess.Popen(
            dying_with_parent([str(program), *map(str, on)]), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def ask(self, command: str) -> list[str]:
        """Run a benchmark and return its lines.

        Raises:
            LabError: it refuses, ends or does not answer.

        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{command}\n".encode())
            self._process.stdin.flush()
            lines = self._answer(command)
        except BrokenPipeError as error:
            raise LabError(f"microbenchmark {command!r}: its program has ended") from error
        if lines[-1].startswith("error: "):
            raise LabError(f"microbenchmark {command!r}: {lines[-1].removeprefix('error: ')}")
        return lines[:-1]

    def _answer(self, command: str) -> list[str]:
        """Read up to the line that ends an answer."""
        assert self._process.stdout is not None
        said, deadline = b"", Deadline(ANSWER_LIMIT_S)
        while not said.endswith(b"\n") or not said.splitlines()[-1].startswith((b"ok", b"error: ")):
            if not select.select([self._process.stdout], [], [], deadline.remaining_s)[0]:
                raise LabError(f"microbenchmark {command!r}: no answer within {ANSWER_LIMIT_S:g} s")
            part = os.read(self._process.stdout.fileno(), 65536)
            if not part:
                raise LabError(f"microbenchmark {command!r}: its program has ended")
            said += part
        return said.decode().splitlines()
