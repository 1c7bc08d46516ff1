"""A run goes into the store when it ends; where that fails it keeps its results, and says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import paths
from lab.dut.subject import Known
from lab.methods.profiles import QUICK
from lab.results.store import Database, StoreError, runs, store_url
from lab.results.writer import RESULTS_NAME, read_results
from lab.run import Run
from lab.testbed import load


@pytest.fixture
def ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(paths, "REPORTS", tmp_path / "reports")
    monkeypatch.delenv("PIXLAB_STORE", raising=False)
    subject = Known(name="model", version="1", build_id="b")
    run = Run.begin(suite="s", testbed=load("reference-model"), subject=subject, profile=QUICK)
    run.record_value(test="t", metric="boot time", value=1.5, unit="s")
    run.end(0)
    return run


def test_a_run_that_ended_is_in_the_store_beside_it(ended: Run) -> None:
    assert ended.keep(None) is None
    assert not any(line.startswith("not stored") for line in ended.summary())
    database = Database(store_url(str(paths.REPORTS / "store.sqlite")))
    with database.reading() as session:
        run = runs.find(session, "latest")
        assert (run.run_id, run.subject, run.complete) == (ended.name, "model", True)
    database.close()


def test_a_run_whose_store_fails_keeps_its_results_and_says_so(ended: Run, tmp_path: Path) -> None:
    (tmp_path / "damaged").write_bytes(b"no database" * 100)
    error = ended.keep(str(tmp_path / "damaged"))
    assert isinstance(error, StoreError)
    assert read_results(ended.folder / RESULTS_NAME).measurements[0].value == 1.5
    (said,) = [line for line in ended.summary() if line.startswith("not stored")]
    assert "file is not a database" in said
    assert f"pixlab store import {ended.name}" in said
