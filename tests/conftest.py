"""What may run side by side with other tests, on all cores (``make pytest``), and what needs the machine for itself.

Tests that start a machine or a generator keep cores busy, and some set a time within which an answer has to come: they
run one after another, and so does everything that is not named here.
"""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest

SIDE_BY_SIDE = (
    "bench/test_methods.py",
    "bench/test_reordering.py",
    "bench/test_search.py",
    "bench/test_simulator.py",
    "bench/test_versus.py",
    "dut/test_computed.py",
    "dut/test_computed_server.py",
    "dut/test_counted.py",
    "dut/test_model_capacity.py",
    "image/test_build.py",
    "image/test_efi.py",
    "image/test_efi_host.py",
    "image/test_fuzz.py",
    "image/test_hosted_router.py",
    "image/test_hosted_routes.py",
    "image/test_hosted_threads.py",
    "image/test_neighbours_hosted.py",
    "image/test_qgm_host.py",
    "image/test_ring_host.py",
    "image/test_routes_host.py",
    "image/test_sanitizers.py",
    "images",
    "machines/consoles",
    "machines/power",
    "measurements",
    "methods",
    "metrics",
    "microbench",
    "nightly",
    "report",
    "results",
    "routing",
    "simulation",
    "test_bad_input.py",
    "test_bad_simulation_input.py",
    "test_baselines.py",
    "test_dry_run.py",
    "test_duration.py",
    "test_resumed_run.py",
    "testbed/test_health.py",
    "testbed/test_lease_command.py",
    "testbed/test_lease_far.py",
    "testbed/test_loader.py",
    "testbed/test_secrets.py",
    "traffic/test_load.py",
    "traffic/test_measurer.py",
    "traffic/test_streams.py",
    "vtrex/test_chains.py",
    "vtrex/test_events.py",
    "vtrex/test_frames.py",
    "vtrex/test_port_examples.py",
    "vtrex/test_rates.py",
    "vtrex/test_trex_config.py",
    "vtrex/test_trex_options.py",
)
"""Files and folders of tests/ that burn no more than the core they run on and trust no clock."""

HERE = Path(__file__).parent

# How long an example takes is a figure of this machine, and never a verdict.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what may run side by side; a benchmark never does."""
    places = [HERE / place for place in SIDE_BY_SIDE]
    for item in items:
        beside = any(place == item.path or place in item.path.parents for place in places)
        if beside and "benchmark" not in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.side_by_side)
