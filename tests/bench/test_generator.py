"""The benchmarks of the generator: what they compare sends, receives and counts; no rate is asserted."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lab import paths
from lab.bench import generator, generator_rate, sources
from lab.bench.contenders import forwarding
from lab.bench.remote import Remote
from lab.bench.sources import Source, handled_pps, source_of_testpmd, source_of_vtrex
from lab.bench.turns import in_turns
from lab.dut.testpmd_process import PROGRAM, TestpmdProcess
from lab.errors import GeneratorError, LabError
from lab.methods.repeat import TooDisturbed
from lab.methods.trial import Disturbance
from lab.traffic.disturbance import ThreadProbe

WINDOW_S = 0.1

pytestmark = pytest.mark.skipif(
    not (paths.NATIVE / "vtrex-engine").exists(), reason="vtrex-engine is not built: run 'make native'"
)


@pytest.fixture(scope="module")
def wire() -> Iterator[Remote]:
    with ExitStack() as stack:
        yield generator.wire(stack)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "WARM_UP_S", 0.0)
    monkeypatch.setattr(sources, "WINDOW_S", WINDOW_S)
    monkeypatch.setattr(sources, "AWAY_SHARE", 1e9)  # whatever else runs on this machine
    monkeypatch.setattr(generator_rate, "DURATION_S", WINDOW_S)


@pytest.mark.parametrize("options", [{}, {"statistics": True, "fields": True}, {"statistics": True, "verified": True}])
def test_vtrex_sends_from_both_ports_and_receives_it_all(wire: Remote, options: dict[str, Any]) -> None:
    source = source_of_vtrex("vtrex", wire, **options)
    sent_before, received_before = source.counters()
    with forwarding(source):
        assert handled_pps(source) > 0
    time.sleep(0.1)  # the last frames arrive after the end of the traffic
    sent, received = source.counters()
    assert sent - sent_before == received - received_before > 0
    report = wire.report()
    assert all(port["sent_packets"] > 0 for port in report["ports"])
    for direction in report["verification"]:
        assert direction["wrong"] == {}
    assert [direction["good"] > 0 for direction in report["verification"]] == [True] * 2 * options.get(
        "verified", False
    )
    if options.get("statistics"):
        flows = wire.call("get_pgid_stats", pgids=[1, 2])["flow_stats"]
        assert sum(flows[flow]["rp"][port] for flow, port in (("1", "1"), ("2", "0"))) == received - received_before


@pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"{PROGRAM} is not installed")
def test_testpmd_is_counted_alike_and_takes_turns(wire: Remote, tmp_path: Path) -> None:
    eal = sources.eal_of_testpmd(sources.rings(), core=0, housekeeping_core=0)
    options = sources.options_of_testpmd("flowgen")
    with TestpmdProcess(eal, options, housekeeping_core=0, log=tmp_path / "log") as testpmd:
        pair = [source_of_vtrex("vtrex", wire), source_of_testpmd("flowgen", testpmd, core=0)]
        rates, _ = in_turns(pair, handled_pps, rounds=2, words=str, probe_ns=lambda: 50.0)
        sent, received = testpmd.counters()
        assert 0 < received <= sent
        assert testpmd.counters() == (sent, received)  # it stands still
    assert [len(values) for values in rates.values()] == [2, 2]


def test_what_sends_nothing_has_no_rate() -> None:
    idle = Source("idle", lambda: None, lambda: None, lambda: (5, 7))
    with pytest.raises(LabError, match="idle sends nothing"):
        handled_pps(idle)


def test_a_source_that_did_not_have_its_core_has_none_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "AWAY_SHARE", 0.05)
    probe = ThreadProbe("far end", 1, 3)
    monkeypatch.setattr(probe, "begin", lambda: None)
    monkeypatch.setattr(probe, "end", lambda: Disturbance(who="far end", core=3, run_delay_ns=int(0.06e9 * WINDOW_S)))
    counts = iter([(1, 1), (2, 2)])
    with pytest.raises(TooDisturbed, match="busy: far end was off its core for 6 ms"):
        handled_pps(Source("busy", lambda: None, lambda: None, lambda: next(counts), (probe,)))


def test_both_ways_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter([(100, 50), (400, 250)])
    clock = iter([10.0, 12.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(time, "sleep", lambda _: None)
    assert handled_pps(Source("both", lambda: None, lambda: None, lambda: next(counts))) == 250.0


def test_the_rates_are_decades_and_one_near_the_ceiling() -> None:
    assert generator_rate.rates(25_000.0) == [100.0, 1_000.0, 10_000.0, 22_500.0]
    assert generator_rate.rates(10_500.0) == [100.0, 1_000.0, 9_450.0]


def test_a_line_of_a_rate_has_what_was_sent_and_how_evenly(wire: Remote) -> None:
    line = generator_rate.at_rate(wire, 2_000.0)
    assert 0 < line.ratio <= 1
    assert line.value == pytest.approx(2_000.0 * line.ratio)
    assert "jitter p50 " in line.note
    assert "lateness p50 " in line.note


def test_a_refusal_is_one_clear_line(wire: Remote) -> None:
    with pytest.raises(GeneratorError, match="vtrex refused 'get_port_stats': invalid port id"):
        wire.call("get_port_stats", port_id=9, handler="")
