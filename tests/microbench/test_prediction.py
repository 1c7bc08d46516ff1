"""What is predicted of the microbenchmarks, from the real image's layouts."""

from __future__ import annotations

import pytest

from lab import images
from lab.microbench.model import Bench, Layout, Request
from lab.microbench.prediction import WORKLOADS, predict
from lab.simulation.facts import HostFacts
from lab.simulation.layout import Layout as Table
from lab.simulation.layout import from_manifest
from lab.simulation.machine import host

FACTS = HostFacts(tsc_hz=2.6e9, c2c_latency_ns_low=58, c2c_latency_ns_median=60, c2c_latency_ns_high=64)


@pytest.fixture(scope="module")
def tables() -> dict[Layout, Table]:
    images.build()
    folder = images.find("pix-padded").directory
    layouts: tuple[Layout, ...] = ("padded", "packed")
    return {layout: from_manifest(folder / f"pix-{layout}.manifest.json") for layout in layouts}


def test_false_sharing_costs_most_where_every_message_is_published(tables: dict[Layout, Table]) -> None:
    found = [predict(host(FACTS), tables, Request(bench="ring", batch=batch), 2, 45.0) for batch in (1, 64)]
    assert 0 < found[0].low <= found[0].median <= found[0].high < found[1].median


@pytest.mark.parametrize("bench", WORKLOADS)
def test_equal_layouts_are_predicted_equal(tables: dict[Layout, Table], bench: Bench) -> None:
    same: dict[Layout, Table] = {"padded": tables["padded"], "packed": tables["padded"]}
    found = predict(host(FACTS), same, Request(bench=bench, batch=8), 3, 45.0)
    assert (found.low, found.high) == (1.0, 1.0)


@pytest.mark.parametrize("bench", ["matrix", "tx"])
def test_packed_words_are_fought_over(tables: dict[Layout, Table], bench: Bench) -> None:
    assert predict(host(FACTS), tables, Request(bench=bench, batch=1), 2, 45.0).median < 0.95
