"""At the end of the suite: every frame is accounted for."""

from __future__ import annotations

import pytest

from lab.dut.protocol import Dut


def test_no_packet_is_unaccounted_for(dut: Dut) -> None:
    """Whatever came in went out, was dropped for a reason, was consumed or is held: the counters add up."""
    totals = dut.conservation()
    if totals is None:
        pytest.skip("this router does not count all that it takes in, makes and drops")
    assert totals.taken_in == totals.accounted_for, str(totals)
