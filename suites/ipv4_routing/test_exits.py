"""An exclusive core forwards without leaving its guest: no exit per packet, whatever the packet."""

from __future__ import annotations

import pytest

from lab.dut.bring_up import Deployed
from lab.machines import exits
from lab.measurements import Measurements
from lab.testbed import Testbed
from lab.testbed.resources import Qemu

FRAME_SIZE_BYTES = 64
EXITS_PER_1000_FRAMES = 1
"""Timer ticks of the host and the like leave a few hundred a second; one a frame would be a thousand."""


def test_no_exit_per_packet(measure: Measurements, deployed: Deployed, testbed: Testbed) -> None:
    """Exits of the exclusive vCPUs while frames are forwarded, counted by the host, are those of an idle second."""
    if deployed.boot is None or deployed.boot.accelerator is None:
        pytest.skip("no virtual machine: there is no guest to leave")
    if deployed.boot.accelerator.accelerator == "tcg":
        pytest.skip("the guest is emulated: there are no exits")
    machine = testbed.dut.machine
    if isinstance(machine, Qemu) and machine.links == "tap":
        pytest.skip("its ports are on taps: QEMU has to be told of frames, and telling it is an exit")
    if reason := exits.can_count():
        pytest.skip(f"exits cannot be counted: {reason}")
    counted = measure.exits(FRAME_SIZE_BYTES)
    assert counted.frames > 0, "nothing was forwarded"
    assert counted.exits * 1000 <= counted.frames * EXITS_PER_1000_FRAMES, str(counted)
