"""What is predicted of the microbenchmarks, from the real image's layouts."""

from __future__ import annotations

import pytest

from lab import images
from lab.microbench.model import Layout, Request
from lab.microbench.prediction import predict
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
    assert found[0] is not None
    assert found[1] is not None
    assert 0 < found[0].low <= found[0].median <= found[0].high < found[1].median


def test_equal_layouts_are_predicted_equal(tables: dict[Layout, Table]) -> None:
    same = {"padded": tables["padded"], "packed": tables["padded"]}
    for bench in ("ring", "forward"):
        found = predict(host(FACTS), same, Request.model_validate({"bench": bench, "batch": 8}), 2, 45.0)  # type: ignore[arg-type]
        assert found is not None
        assert (found.low, found.high) == (1.0, 1.0)


def test_there_is_no_prediction_without_a_workload(tables: dict[Layout, Table]) -> None:
    assert predict(host(FACTS), tables, Request(bench="tx", batch=8), 2, 45.0) is None
