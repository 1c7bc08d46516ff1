"""The native probe for real: its rings carry every message in order, and what it prints is read."""

import os
import subprocess
from pathlib import Path

import pytest

from lab.simulation.calibration import capacity
from lab.simulation.calibration import measure as measuring
from lab.simulation.calibration.capacity import FILLERS
from lab.simulation.calibration.measure import measure, read
from lab.simulation.calibration.points import COUNTERS, FITTED, HELD_OUT, point
from lab.simulation.errors import SimulationError

HEAD = '{"tsc_hz": 2600000000, "fifo": true}\n'
LINE = '{"point": "clock", "round": 0, "rate": 1, "before_ns": 1, "after_ns": 1, "gap_us": 0, "wrong": 0}\n'
TWO = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="rings need two CPUs")


@pytest.fixture(autouse=True)
def _probe(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "PROBE", built / measuring.PROBE.name)
    monkeypatch.setattr(capacity, "PROBE", built / capacity.PROBE.name)
    monkeypatch.setattr(capacity, "ROUNDS", 1)
    monkeypatch.setattr(measuring, "LARGEST_BYTES", 16 * measuring.MIB)


@TWO
def test_every_point_passes_its_messages_in_order() -> None:
    points = (*FITTED, *HELD_OUT, *COUNTERS)
    found = measure(points, 0.2)  # one round of all points is measured in any case; a wrong message is an error
    assert {each.text for each in points} < {window.point for window in found.windows}
    assert all(window.rate > 0 for window in found.windows)
    assert {point(each.text) for each in points} == set(points)
    assert {curve.filler for curve in found.curves} == set(FILLERS)


@TWO
def test_without_the_probe_of_one_core_all_else_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "PROBE", tmp_path / "coreprobe")
    found = measure(FITTED[:1], 0.1)
    assert found.windows
    assert found.no_curves == "the probe coreprobe is not built; run: make native"


@TWO
def test_rounds_go_forwards_and_backwards() -> None:
    asked = (FITTED[0], FITTED[1])
    order = [window.point for window in measure(asked, 0.1, alone=False).windows]
    names = [each.text for each in asked]
    assert order[:4] == [*names, *reversed(names)] or len(order) == 2  # a busy host: one round only


@pytest.mark.parametrize("asked", ["spsc:lamprt:1:8", "spsc:cached:0:8", "spsc:cached:1:4", "counters:9", "nothing"])
def test_the_probe_refuses_what_it_does_not_know(asked: str) -> None:
    done = subprocess.run([str(measuring.PROBE), "1", "0", "0", asked], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == f"ringprobe: {asked}: no such point\n"


def test_a_message_out_of_order_is_an_error() -> None:
    with pytest.raises(SimulationError, match="clock took 3 messages out of order"):
        read(HEAD + LINE.replace('"wrong": 0', '"wrong": 3'), (0, 1))


@pytest.mark.parametrize("printed", ["", "nothing\n", HEAD + "{}\n", LINE, HEAD + LINE.replace("1,", "-1,")])
def test_what_no_probe_prints_is_an_error(printed: str) -> None:
    with pytest.raises(SimulationError, match="what it never should"):
        read(printed, (0, 1))


def test_cpus_that_cannot_be_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    for cpus in ((0, 0), (0, 999)):
        with pytest.raises(SimulationError, match="must be two of 0, 1"):
            measure(FITTED, 1, cpus)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    with pytest.raises(SimulationError, match="two CPUs"):
        measure(FITTED, 1)


def test_a_probe_that_is_not_built_is_named_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "PROBE", tmp_path / "ringprobe")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    with pytest.raises(SimulationError, match="make native"):
        measure(FITTED, 1)
