"""The probe of the host, and what is made of its windows."""

import os
from pathlib import Path

import pytest

from lab.simulation import host
from lab.simulation.errors import SimulationError


def test_interrupted_windows_are_left_out_and_counted() -> None:
    quiet = [{"cpus": [0, 1], "one_way_ns": 50.0 + i} for i in range(11)]
    facts = host.facts({"tsc_hz": 2e9, "windows": [*quiet, {"cpus": [0, 1], "one_way_ns": 4000.0}]})
    assert (facts.windows, facts.interrupted_windows) == (11, 1)
    assert (facts.c2c_latency_ns_low, facts.c2c_latency_ns_median, facts.c2c_latency_ns_high) == (51, 55, 59)


def test_no_window_is_an_error() -> None:
    with pytest.raises(SimulationError, match="too busy"):
        host.facts({"tsc_hz": 2e9, "windows": []})


def test_a_probe_that_is_not_built_is_named_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "PROBE", tmp_path / "hostprobe")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    with pytest.raises(SimulationError, match="make native"):
        host.measure()


def test_one_cpu_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    with pytest.raises(SimulationError, match="two CPUs"):
        host.measure()


def test_a_probe_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {9998, 9999})
    with pytest.raises(SimulationError, match="cannot run on CPU 9998"):
        host.measure()


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="core-to-core latency needs two CPUs")
def test_the_probe_measures_this_machine() -> None:
    facts = host.measure(0.3)
    assert facts.windows > 0
    assert facts.c2c_latency_ns_low <= facts.c2c_latency_ns_median <= facts.c2c_latency_ns_high
