"""How often a vCPU leaves its guest, counted by the host kernel's tracepoints of KVM."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lab.errors import LabError

TRACING = Path("/sys/kernel/tracing")
EVENTS = ("kvm_exit", "kvm_pio", "kvm_mmio", "kvm_userspace_exit")
"""An exit for any reason, those for ports and device registers, returns to QEMU. A nested KVM tells some."""


class ExitCount:
    """Exits of one vCPU by event, filled when the time of counting is over."""

    def __init__(self) -> None:
        """Begin with no count."""
        self.by_event: dict[str, int] = {}

    @property
    def total(self) -> int:
        """Exits, by the event that tells most of them."""
        return max(self.by_event.values(), default=0)


def can_count() -> str:
    """Return why exits cannot be counted on this host; empty when they can."""
    if not (TRACING / "instances").is_dir():
        return f"{TRACING} is not mounted, or not readable by this user"
    if not any((TRACING / "events" / "kvm" / event).is_dir() for event in EVENTS):
        return "the host kernel has no tracepoints of KVM"
    return ""


@contextmanager
def counting(tid: int) -> Iterator[ExitCount]:
    """Count the exits of a vCPU while the context lasts, in a trace of its own that disturbs no other.

    Args:
        tid: thread id of the vCPU.

    Raises:
        LabError: the host does not let them be counted (see ``can_count``).

    """
    reason = can_count()
    if reason:
        raise LabError(f"exits of a vCPU cannot be counted: {reason}")
    counts, instances = ExitCount(), []
    try:
        for event in EVENTS:
            if (TRACING / "events" / "kvm" / event).is_dir():
                instances.append((event, _begin(event, tid)))
        yield counts
        for event, instance in instances:
            (instance / "events" / "kvm" / event / "enable").write_text("0", encoding="ascii")
            counts.by_event[event] = _entries(instance)
    except OSError as error:
        raise LabError(f"exits of a vCPU cannot be counted: {error.filename}: {error.strerror or error}") from error
    finally:
        for _, instance in instances:
            with suppress(OSError):
                instance.rmdir()


def _begin(event: str, tid: int) -> Path:
    """Make a trace instance that records one event of one thread."""
    instance = TRACING / "instances" / f"pixlab-{os.getpid()}-{tid}-{event}"
    instance.mkdir()
    (instance / "set_event_pid").write_text(str(tid), encoding="ascii")
    (instance / "events" / "kvm" / event / "enable").write_text("1", encoding="ascii")
    return instance


def _entries(instance: Path) -> int:
    """Return how many events an instance has recorded, those that its buffer had no room to keep included."""
    total = 0
    for stats in instance.glob("per_cpu/cpu*/stats"):
        fields = dict(line.split(": ", 1) for line in stats.read_text(encoding="ascii").splitlines())
        total += sum(int(fields[name]) for name in ("entries", "overrun", "dropped events"))
    return total
