"""Rings and forwarding between cores, with words of different cores in one line and apart, in turns.

No test says which layout has to be faster: on cores that are near each other packed may win.
"""

from __future__ import annotations

import pytest

from lab.microbench.comparison import LAYOUTS, LayoutComparer, Where
from lab.microbench.host import cpus
from lab.microbench.model import Bench, Layout, Machine, Request

CORES_MAX = 8
MANY = [count for count in (2, 4, CORES_MAX) if count <= len(cpus())] or [2]


def compare(
    sharing: LayoutComparer, test: str, where: Where, machines: dict[Layout, Machine], bench: Bench, batch: int
) -> None:
    """Measure both layouts; everything has arrived, and the ratio has an interval."""
    windows, found = sharing.compare(test, where, machines, Request(bench=bench, batch=batch))
    assert {window.layout for window in windows} == set(LAYOUTS)
    assert [window for window in windows if not window.verified] == []
    assert found, "the machine never stayed in one state for long enough: no interval"
    for one in found:
        assert 0 < one.low <= one.high


@pytest.mark.parametrize("on_host", [2], indirect=True, ids=["2 cores"])
@pytest.mark.parametrize("bench", ["ring", "tx"])
def test_two_cores_of_this_host(
    sharing: LayoutComparer, on_host: dict[Layout, Machine], bench: Bench, batch: int
) -> None:
    """Messages over one ring, and frames over one transmit queue: all arrive, in order."""
    compare(sharing, f"{bench} of two cores", "host", on_host, bench, batch)


@pytest.mark.parametrize("on_host", MANY, indirect=True, ids=[f"{count} cores" for count in MANY])
@pytest.mark.parametrize("bench", ["matrix", "forward"])
def test_many_cores_of_this_host(
    sharing: LayoutComparer, on_host: dict[Layout, Machine], bench: Bench, batch: int
) -> None:
    """Every core sends to every other; frames to random destinations leave by the right port, in order."""
    compare(sharing, f"{bench} of many cores", "host", on_host, bench, batch)


@pytest.mark.parametrize("bench", ["ring", "forward"])
def test_two_exclusive_cores_of_the_image(
    sharing: LayoutComparer, in_image: dict[Layout, Machine], bench: Bench, batch: int
) -> None:
    """The same sources in ring 3 of the booted image, both layouts up at once."""
    compare(sharing, f"{bench} in the image", "image", in_image, bench, batch)
