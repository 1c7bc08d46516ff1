"""Baselines of what a suite measures besides the plain case: many cores between all ports."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from lab import baselines, images
from lab.baselines import Baselines
from lab.images import PixManifest
from lab.simulation.facts import HostFacts

FACTS = HostFacts(tsc_hz=2.6e9, c2c_latency_ns_low=58, c2c_latency_ns_median=60, c2c_latency_ns_high=64)


@pytest.fixture(scope="module")
def eight_ports() -> Baselines:
    """Return those of a machine like the talk's, but with this project's image."""
    images.build()
    image = cast(PixManifest, images.find("pix-padded"))
    return baselines.of_host(image, FACTS, ports=8, cores=2, speed_gbps=10.0)


def test_false_sharing_costs_cores_that_send_to_each_other(eight_ports: Baselines) -> None:
    near, far = (replace(eight_ports, ports=4).between_all_ports(2).ratio(64, c2c_ns) for c2c_ns in (None, 120.0))
    assert far.median < near.median < 1  # the farther the cores, the dearer a shared line
