"""What the tests of a boot share."""

from __future__ import annotations

import pytest

from lab.dut.bring_up import Deployed
from lab.dut.record import BootRecord


@pytest.fixture(autouse=True)
def boot(deployed: Deployed) -> BootRecord:
    """Return the record of the last boot; skip where nothing is booted."""
    if deployed.boot is None:
        pytest.skip("the testbed has a reference, of which nothing is booted")
    return deployed.boot
