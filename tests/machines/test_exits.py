"""Exits are counted where the host has KVM, and refused in one line where it has not."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import LabError
from lab.machines import exits


def test_a_host_without_tracing_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(exits, "TRACING", tmp_path)
    with pytest.raises(LabError, match="is not mounted") as caught, exits.counting(1):
        pass
    assert "\n" not in str(caught.value)
    (tmp_path / "instances").mkdir()
    assert "no tracepoints of KVM" in exits.can_count()


@pytest.mark.skipif(bool(exits.can_count()), reason=f"exits cannot be counted: {exits.can_count()}")
def test_a_thread_that_is_no_vcpu_never_exits() -> None:
    """And nothing is left of the traces afterwards."""
    before = set((exits.TRACING / "instances").iterdir())
    with exits.counting(1) as count:
        pass
    assert set(count.by_event) <= set(exits.EVENTS)
    assert count.total == 0
    assert set((exits.TRACING / "instances").iterdir()) == before
