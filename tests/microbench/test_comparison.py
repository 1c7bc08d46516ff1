"""Layouts compared: what is recorded is what was measured, and the states of the machine are kept apart."""

from __future__ import annotations

import math

import pytest

from lab import images
from lab.bench import sharing
from lab.errors import LabError
from lab.microbench import comparison
from lab.microbench.host import cpus
from lab.microbench.interleaved import observations
from lab.microbench.model import INTERRUPTED_NS, Layout, Machine, Request, Window
from lab.results.model import LayoutComparison
from lab.simulation.facts import HostFacts
from lab.simulation.layout import from_manifest
from lab.simulation.machine import host

FACTS = HostFacts(tsc_hz=2.6e9, c2c_latency_ns_low=58, c2c_latency_ns_median=60, c2c_latency_ns_high=64)


class Model:
    """A machine that answers with given rates and latencies, one window after the other."""

    def __init__(self, layout: Layout, rate_mps: int, wrong: int = 0) -> None:
        self.layout, self.rate_mps, self.wrong, self.asked = layout, rate_mps, wrong, 0

    def ask(self, command: str) -> list[str]:
        self.asked += 1
        bench, batch, length, _ = command.split()
        c2c_ns = 26.0 if self.asked % 2 else 106.0
        rate = self.rate_mps if c2c_ns < 60 else self.rate_mps // 2
        return [
            Window(
                bench="tx" if bench == "tx" else "ring", layout=self.layout, batch=int(batch), queue_length=int(length),
                cores=2, messages=rate // 50, cycles=52_000_000, tsc_hz=2_600_000_000, rate_mps=rate,
                c2c_before_ns=c2c_ns, c2c_after_ns=c2c_ns, longest_turn_us=3,
                sent=rate // 50, received=rate // 50, wrong=self.wrong, leaked=0,
            ).model_dump_json()
        ]  # fmt: skip


def comparer(record: list[LayoutComparison], blocks: int) -> comparison.LayoutComparer:
    images.build()
    folder = images.find("pix-padded").directory
    tables = {layout: from_manifest(folder / f"pix-{layout}.manifest.json") for layout in comparison.LAYOUTS}
    return comparison.LayoutComparer(model=host(FACTS), tables=tables, blocks=blocks, record=record.append)


def test_a_comparison_is_recorded_for_each_state() -> None:
    noted: list[LayoutComparison] = []
    machines: dict[Layout, Machine] = {"packed": Model("packed", 4_000_000), "padded": Model("padded", 16_000_000)}
    windows, found = comparer(noted, blocks=12).compare("a test", "host", machines, Request(bench="tx", batch=8))
    assert list(found) == noted
    assert len(windows) == 48
    assert [(one.state, one.c2c_ns, one.ratio) for one in noted] == [("near", 26.0, 0.25), ("far", 106.0, 0.25)]
    assert noted[0].packed_rate == 2 * noted[1].packed_rate == 4e6
    assert all(one.verified for one in noted)
    assert len({one.predicted_median for one in noted} - {None}) == 1


def test_what_arrived_wrong_is_not_verified() -> None:
    noted: list[LayoutComparison] = []
    machines: dict[Layout, Machine] = {
        "packed": Model("packed", 4_000_000, wrong=1),
        "padded": Model("padded", 4_000_000),
    }
    comparer(noted, blocks=12).compare("a test", "host", machines, Request(bench="ring", batch=1))
    assert [one.verified for one in noted] == [False, False]
    assert noted[0].predicted_median is not None


def test_an_interrupted_ping_pong_disturbs_its_window() -> None:
    window = Window.model_validate_json(Model("packed", 1_000_000).ask("ring 1 2 1")[0])
    hit = window.model_copy(update={"c2c_after_ns": INTERRUPTED_NS})
    (seen, unseen) = observations(((0, window), (0, hit)))
    assert (seen.c2c_ns, seen.disturbed) == ((26.0, 26.0), False)
    assert (unseen.c2c_ns, unseen.disturbed) == (None, True)


@pytest.mark.skipif(len(cpus()) < 2, reason="the benchmark takes two processors")
def test_the_benchmark_prints_a_ratio_with_its_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "BLOCKS", 6)
    monkeypatch.setattr(sharing, "BATCHES", (8,))
    try:
        lines = list(sharing.ring_packed_vs_padded())
    except LabError as error:
        pytest.skip(f"the host is too busy: {error}")
    for line in lines:
        assert line.bench == "ring-packed-vs-padded:batch-8"
        assert line.ratio_low is not None
        assert line.ratio_high is not None
        assert 0 < line.ratio_low <= line.ratio_high
        assert math.isfinite(line.ratio)
        assert line.runs >= 12
