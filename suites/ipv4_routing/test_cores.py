"""How the rate grows with the number of cores that forward."""

from __future__ import annotations

import pytest

from lab.dut.subject import Subject
from lab.images import PixManifest
from lab.measurements import Measurements


def test_pdr_on_any_number_of_cores(
    measure: Measurements, image: Subject, qgm_count: int, throughput_frame_size: int
) -> None:
    """Ports dealt to one core, to two, ... to all, every port sending to every other, as in the talk of 2015."""
    cores = measure.used.testbed.dut.machine.exclusive_cores
    if cores == 1:
        pytest.skip("the testbed's DUT has one exclusive core: test_rfc2544 measures it")
    if not isinstance(image, PixManifest):
        pytest.skip(f"cores that one deals ports to are a design of PIX: {image.name} has a scheduler")
    with measure.on_cores(qgm_count) as dealt:
        found = dealt.ndr_and_pdr(throughput_frame_size)
    assert found["PDR"].lower_pps is not None, "no load at all was forwarded with at most 0.5 % loss"
