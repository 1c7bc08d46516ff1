"""suites/false_sharing, run as a user runs it, as far as it needs no quiet host."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.microbench.host import cpus
from lab.results.writer import read_results
from tests.commands import run_suites

pytestmark = pytest.mark.skipif(len(cpus()) < 2, reason="false sharing takes two processors")


def test_comparisons_are_recorded_and_shown(tmp_path: Path) -> None:
    module = "suites/false_sharing/test_microbenchmarks.py"
    tests = [f"{module}::test_two_cores_of_this_host", f"{module}::test_two_exclusive_cores_of_the_image"]
    done = run_suites([*tests, "--accelerator=tcg", "-k", "not tx"], tmp_path)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    folder = tmp_path / "reports" / "latest"
    results = read_results(folder / "results.json")
    assert results.complete
    assert {one.batch for one in results.comparisons} == {1, 8, 32, 64}
    for one in results.comparisons:
        assert (one.bench, one.where, one.cores, one.verified) == ("ring", "host", 2, True)
        assert 0 < one.low <= one.high
        assert one.predicted_median is not None
    skipped = [test for test in results.tests if test.outcome == "skipped"]
    assert len(skipped) == 8  # in the image: ring and forward at each batch
    assert all("emulated" in test.message for test in skipped)
    assert "<h2>False sharing</h2>" in (folder / "index.html").read_text()


def test_packets_are_not_sent_in_profile_quick_unless_asked_for(tmp_path: Path) -> None:
    done = run_suites(["suites/false_sharing", "-k", "pdr", "-rs"], tmp_path)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "1 skipped" in done.stdout
    assert "--profile=standard" in done.stdout
