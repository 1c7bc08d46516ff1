"""At the end of the suite: every frame is accounted for."""

from __future__ import annotations

from lab.dut.protocol import Dut


def test_no_packet_is_unaccounted_for(dut: Dut) -> None:
    """Whatever came in went out, was dropped for a reason, was consumed or is held: the counters add up."""
    totals = dut.conservation()
    assert totals.taken_in == totals.accounted_for, str(totals)
