"""How the rate grows with the number of cores that forward."""

from __future__ import annotations

import pytest

from lab.dut.protocol import Dut
from lab.images import Manifest, PixManifest
from lab.measurements import Measurements
from lab.traffic.router import mesh


def test_pdr_on_any_number_of_cores(
    measure: Measurements, dut: Dut, image: Manifest, qgm_count: int, throughput_frame_size: int
) -> None:
    """Ports dealt to one core, to two, ... to all, every port sending to every other, as in the talk of 2015."""
    cores = measure.used.testbed.dut.machine.exclusive_cores
    if cores == 1:
        pytest.skip("the testbed's DUT has one exclusive core: test_rfc2544 measures it")
    if not isinstance(image, PixManifest):
        pytest.skip(f"cores that one deals ports to are a design of PIX: {image.name} has a scheduler")
    dut.use_cores(qgm_count)
    try:
        varied = measure.varied(f"between all ports, {qgm_count} QGMs", mesh(measure.used.router.ports))
        found = varied.ndr_and_pdr(throughput_frame_size)
        assert found["PDR"].lower_pps is not None, "no load at all was forwarded with at most 0.5 % loss"
    finally:
        dut.use_cores(cores)
