"""Resets of a device under test: the ways that it has, and the record of one (RFC 6201 section 4)."""

from __future__ import annotations

from collections.abc import Iterable

from lab.dut.record import BootRecord
from lab.errors import UsageError, near_misses
from lab.models import Model


class ResetRecord(Model):
    """One reset of a device, from its begin until it forwarded again.

    ``kind`` is ``power`` (off and on again), ``software`` (its own command), ``hardware`` (its reset line) or ``model``
    (it forwards nothing for a known time). ``phases_s`` are the durations of its phases in seconds, in their order; a
    device that keeps no configuration is configured by the lab, which is the phase ``configuration``. ``boot`` is the
    record of the boot, None where nothing is booted.
    """

    kind: str
    began_at_s: float
    phases_s: dict[str, float]
    boot: BootRecord | None = None

    @property
    def duration_s(self) -> float:
        """All phases together."""
        return sum(self.phases_s.values())


def require_kind(kind: str, kinds: Iterable[str], name: str) -> None:
    """Raise UsageError unless a device of that name can be reset in that way."""
    if kind not in kinds:
        raise UsageError(f"{name} cannot be reset by {kind!r}: {near_misses(kind, kinds)}")
