"""What is asked of a microbenchmark and what one of its windows answers."""

from __future__ import annotations

import json
from typing import Annotated, Literal, Protocol

from pydantic import Field, ValidationError

from lab.errors import LabError
from lab.models import Model

Bench = Literal["ring", "matrix", "forward", "tx"]
Layout = Literal["packed", "padded"]
DISTURBED_US = 1000
"""A turn of a core that takes longer was interrupted: it handles at most 64 messages from each other core."""

INTERRUPTED_NS = 1000.0
"""No machine takes as long to move a line: one of the two players was off its core."""


class Request(Model):
    """Which benchmark to run.

    ``ring``: core 1 to core 2; ``matrix``: each core to every other; ``forward``: routing between synthetic ports, one
    a core; ``tx``: a transmit queue from core 1 to a device on core 2. ``batch`` messages are published at once.
    """

    bench: Bench
    batch: Annotated[int, Field(ge=1, le=64)]
    queue_length: Annotated[int, Field(ge=2, le=1024)] = 256

    def command(self, windows: int) -> str:
        """Return the words of the command, for the host's program and behind ``bench`` for the image's shell."""
        return f"{self.bench} {self.batch} {self.queue_length} {windows}"


class Window(Model):
    """One window of some 20 ms.

    Attributes:
        bench: which benchmark.
        layout: of the words that cores write.
        batch: messages published at once.
        queue_length: slots of each ring or queue.
        cores: that took part.
        messages: received within the window, by all cores.
        cycles: of the time stamp counter that it lasted.
        tsc_hz: frequency of that counter.
        rate_mps: messages a second.
        c2c_before_ns: one-way latency by CAS ping-pong directly before, mean over the pairs of core 1; 0: none.
        c2c_after_ns: the same directly after.
        longest_turn_us: longest turn of any core's loop.
        sent: messages in all, those after the end of the window included.
        received: as many when nothing was lost.
        wrong: out of order, at the wrong core or with the wrong content.
        leaked: buffers that a core has more or less than before.

    """

    bench: Bench
    layout: Layout
    batch: int
    queue_length: int
    cores: int
    messages: int
    cycles: int
    tsc_hz: int
    rate_mps: int
    c2c_before_ns: float
    c2c_after_ns: float
    longest_turn_us: int
    sent: int
    received: int
    wrong: int
    leaked: int

    @property
    def verified(self) -> bool:
        """Whether every message arrived once, in order and unchanged at the right core, and no buffer was lost."""
        return self.sent == self.received and not self.wrong and not self.leaked

    @property
    def c2c_ns(self) -> tuple[float, float] | None:
        """Latency before and after; none for one core, or where a ping-pong was interrupted."""
        both = self.c2c_before_ns, self.c2c_after_ns
        return both if min(both) > 0 and max(both) < INTERRUPTED_NS else None

    @property
    def disturbed(self) -> bool:
        """Whether a core was taken away for a while."""
        return self.longest_turn_us > DISTURBED_US


class AccessLatency(Model):
    """Latency of a load from memory of a size, or of an access to a device register (16 bits)."""

    bench: Literal["memory", "register read", "register write"]
    size_bytes: int
    accesses: int
    cycles: int
    tsc_hz: int
    latency_cycles: float
    latency_ns: float


class Machine(Protocol):
    """A place where the microbenchmarks of one layout run."""

    def ask(self, command: str) -> list[str]:
        """Run a benchmark and return its lines of JSON; LabError when it refuses."""


def run(machine: Machine, request: Request, windows: int) -> tuple[Window, ...]:
    """Run some windows of a benchmark.

    Raises:
        LabError: the machine refuses, or answers what is no window.

    """
    return tuple(_window(line) for line in machine.ask(request.command(windows)))


def latencies(machine: Machine) -> tuple[AccessLatency, ...]:
    """Measure what loads from memory cost by size, and register accesses where there is a device; LabError as above."""
    try:
        return tuple(AccessLatency.model_validate_json(line) for line in machine.ask("memory"))
    except ValidationError as error:
        raise LabError(f"microbenchmark memory: unknown answer: {error.errors()[0]['msg']}") from error


def _window(line: str) -> Window:
    try:
        return Window.model_validate(json.loads(line))
    except (ValidationError, ValueError) as error:
        raise LabError(f"microbenchmark: not the result of a window: {line!r}") from error
