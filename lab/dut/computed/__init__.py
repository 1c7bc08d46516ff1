"""The model DUT computed: its truth about a trial, without a frame sent and without time passing."""

from lab.dut.computed.dut import ComputedDut
from lab.dut.computed.traffic import Pauses

__all__ = ["ComputedDut", "Pauses"]
