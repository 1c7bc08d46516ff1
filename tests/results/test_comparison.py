"""What the commands say of runs in a store: listed, compared, exported."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lab import paths
from lab.errors import UsageError
from lab.methods.repeat import TrialEvent
from lab.methods.trial import DirectionCount, TrialRequest, TrialResult
from lab.report.comparison import lines
from lab.results import events as ev
from lab.results.comparison import RunComparison, compare
from lab.results.export import export
from lab.results.journal import FILE_NAME, Journal, read
from lab.results.model import Dut, Environment, Image, Measurement
from lab.results.store import Database, put, runs, store_url, tables
from tests.commands import assert_one_line, environment

from .recorded_run import record_run

LINE_RATE_PPS = 29.76e6


def record(folder: Path, build: str, at_s: float, values: dict[str, float | None], *, high: bool = True) -> Path:
    """Write the journal of a run that measured just these values at 64 bytes, with ends or without ``high``.

    A rate at line rate has no upper end.
    """
    host = Environment(host="h", cpu="c", cores=2, memory_gib=1.0, kernel="k", versions={})
    image = Image(name="pix", layout="padded", version="1", build_id=build, asked_sha256=build)
    with Journal(folder / FILE_NAME) as journal:
        journal.append(
            ev.RunStarted(at_s=at_s, run_id=folder.name, suite="s", testbed="t", profile="quick", environment=host)
        )
        journal.append(ev.Booted(at_s=at_s, image=image, boot=None, dut=Dut(name="pix", version="1", cores=1, ports=2)))
        for metric, value in values.items():
            top = None if value is None or value >= LINE_RATE_PPS else 1.01 * value
            measured = Measurement(
                test="t", frame_size_bytes=64, metric=metric, value=value, unit="pps",
                low=value if high else None, high=top if high else None,
                line_rate_pps=LINE_RATE_PPS, error=None if value is not None else "too disturbed",
            )  # fmt: skip
            journal.append(ev.Measured(at_s=at_s, measurement=measured))
        journal.append(ev.RunEnded(at_s=at_s + 1, exit_code=0))
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a store with six runs of an old image and six of a new one that has lost 5 % of PDR."""
    folder = tmp_path_factory.mktemp("reports")
    path = str(folder / "s.sqlite")
    random = np.random.default_rng(5)
    for number in range(6):
        for image, factor in (("old", 1.0), ("new", 0.95)):
            noise = 1 + 0.004 * random.standard_normal()
            values = {"PDR": 9e6 * factor * noise, "NDR": LINE_RATE_PPS, f"only {image}": 1.0, "broken": None}
            put(record(folder / f"{image}-{number}", image, 1000.0 + number, values), path)
    return path


@pytest.fixture
def database(store: str) -> Iterator[Database]:
    database = Database(store_url(store))
    yield database
    database.close()


def compared(database: Database, first: str, second: str) -> RunComparison:
    with database.reading() as session:
        return compare(session, runs.find(session, first), runs.find(session, second))


def test_a_regression_is_told_by_all_runs_like_the_two(database: Database) -> None:
    found = compared(database, "old-5", "new-5")
    pdr, ndr, broken = found.measurements
    assert pdr.difference is not None
    assert pdr.difference.verdict == "regression"
    assert pdr.difference.low is not None
    assert pdr.difference.high is not None
    assert pdr.difference.low <= 0.95 <= pdr.difference.high
    assert (len(pdr.first.values), len(pdr.second.values), pdr.difference.effect) == (6, 6, -1.0)
    assert ndr.difference is not None
    assert (ndr.difference.verdict, ndr.first.at_limit) == ("no difference", True)
    assert broken.difference is None
    assert (found.only_first, found.only_second) == (("only old at 64 bytes",), ("only new at 64 bytes",))
    back = compared(database, "new-5", "old-5").measurements[0].difference
    assert back is not None
    assert back.verdict == "better"


def test_two_runs_of_one_image_are_compared_alone(database: Database) -> None:
    pdr = compared(database, "old-0", "old-1").measurements[0]
    assert (len(pdr.first.values), len(pdr.second.values)) == (1, 1)
    assert pdr.difference is not None
    assert "spread" in pdr.difference.basis
    assert pdr.difference.verdict in ("no difference", "cannot tell")


def test_one_run_of_each_is_not_enough(tmp_path: Path) -> None:
    for name, value in (("a", 9e6), ("b", 8e6)):
        put(record(tmp_path / name, name, 1.0, {"PDR": value}), str(tmp_path / "s.sqlite"))
    database = Database(store_url(str(tmp_path / "s.sqlite")))
    text = lines(compared(database, "a", "b"))
    database.close()
    assert (
        text[3]
        == "cannot tell    PDR at 64 bytes: A 9.000 Mpps, B 8.000 Mpps; B/A 0.8889; 3 more runs of each would tell"
    )


def test_trials_that_repeat_each_other_are_a_sample_where_there_is_one_run_of_each(tmp_path: Path) -> None:
    """MRR: ten trials of one load; one of them did not count."""
    random = np.random.default_rng(7)
    for name, mean_pps in (("a", 9e6), ("b", 8.5e6)):
        folder = record(tmp_path / name, name, 1.0, {"MRR": mean_pps}, high=False)
        ended = (folder / FILE_NAME).read_text().splitlines()
        trials = [mrr_trial(number, mean_pps * (1 + 0.003 * random.standard_normal())) for number in range(1, 11)]
        trials.append(mrr_trial(11, 1e6, ("too late",)))
        (folder / FILE_NAME).write_text("\n".join((*ended[:-1], *(t.model_dump_json() for t in trials), ended[-1], "")))
        put(folder, str(tmp_path / "s.sqlite"))
    database = Database(store_url(str(tmp_path / "s.sqlite")))
    (found,) = compared(database, "a", "b").measurements
    text = lines(compared(database, "a", "b"))
    database.close()
    assert found.difference is not None
    assert (found.difference.verdict, len(found.first.values), len(found.second.values)) == ("regression", 10, 10)
    assert not found.first.at_limit
    assert "in 10 trials of one run each" in text[3]


def mrr_trial(number: int, received_pps: float, invalid: tuple[str, ...] = ()) -> ev.TrialEnded:
    request = TrialRequest(frame_size_bytes=64, rate_pps=20e6, duration_s=1.0, tagged=False)
    way = DirectionCount(
        tx_port=0, rx_port=1, intended_frames=20_000_000, sent_frames=20_000_000, received_frames=int(received_pps)
    )
    result = TrialResult(request=request, started_at_s=1.0, duration_s=1.0, directions=(way,), invalid=invalid)
    event = TrialEvent(search="MRR", number=number, result=result, remaining_s=None)
    return ev.TrialEnded(at_s=1.0, test="t", trial=event)


def test_two_modes_are_named(tmp_path: Path) -> None:
    random = np.random.default_rng(6)
    for number in range(24):
        for image, low, high in (("a", 9e6, 9e6), ("b", 6e6, 9e6)):
            value = (low if number % 2 else high) * (1 + 0.002 * random.standard_normal())
            put(record(tmp_path / f"{image}{number}", image, float(number), {"PDR": value}), str(tmp_path / "s.sqlite"))
    database = Database(store_url(str(tmp_path / "s.sqlite")))
    (found,) = compared(database, "a1", "b1").measurements
    text = lines(compared(database, "a23", "b23"))
    database.close()
    assert found.first.modes is None
    assert found.second.modes is not None
    assert [found.second.modes.low, found.second.modes.high] == pytest.approx([6e6, 9e6], rel=0.01)
    assert "B has two modes" in text[3]


def test_line_rate_reads_as_line_rate_or_more(database: Database) -> None:
    text = "\n".join(lines(compared(database, "old-0", "new-0")))
    assert "A 29.760 Mpps (line rate or more)" in text
    assert "none (too disturbed)" in text
    assert "only in A: only old at 64 bytes" in text


def read_back(path: Path) -> pd.DataFrame:
    if path.suffix == ".json":
        return pd.DataFrame(json.loads(path.read_text()))
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)


@pytest.mark.parametrize("form", ["csv", "parquet", "json"])
def test_an_export_has_every_row_and_value(form: str, tmp_path: Path) -> None:
    record_run(tmp_path / "run-1", sizes=(64,))
    path = str(tmp_path / "s.sqlite")
    put(tmp_path / "run-1", path)
    database = Database(store_url(path))
    with database.reading() as session:
        written = export(session, runs.find(session, "latest"), form, tmp_path / "out" / "deep")
    database.close()
    assert {path.name for path in written} == {
        f"{name}.{form}" for name in tables.Table.metadata.tables if name != "store"
    }
    trials = read_back(tmp_path / "out" / "deep" / f"trials.{form}")
    events = [e for e in read(tmp_path / "run-1" / FILE_NAME).events if isinstance(e, ev.TrialEnded)]
    assert list(trials["sent_frames"]) == [e.trial.result.sent_frames for e in events]
    assert list(trials["loss_ratio"]) == [e.trial.result.loss_ratio for e in events]
    assert list(trials["valid"]) == [not e.trial.result.invalid for e in events]
    reasons = [value if form == "json" else json.loads(value) for value in trials["reasons"]]
    assert reasons == [list(e.trial.result.invalid) for e in events]


def pixlab(arguments: Sequence[str], folder: Path, store: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lab.cli", *arguments], cwd=paths.ROOT, env=environment(folder, PIXLAB_STORE=store),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_commands_read_the_store_that_the_environment_names(store: str, tmp_path: Path) -> None:
    listed = pixlab(["runs", "--image", "pix", "--last", "2", "--json"], tmp_path, store)
    assert [run["run_id"] for run in json.loads(listed.stdout)] == ["new-5", "old-5"]
    shown = pixlab(["compare", "latest~1", "latest", "--json"], tmp_path, store)
    assert RunComparison.model_validate_json(shown.stdout).second == "old-5"


def test_runs_of_before_are_imported_and_damaged_ones_are_told(tmp_path: Path) -> None:
    record(tmp_path / "reports" / "good", "b", 1.0, {"PDR": 9e6})
    record(tmp_path / "reports" / "bad", "b", 1.0, {"PDR": 9e6})
    journal = tmp_path / "reports" / "bad" / FILE_NAME
    journal.write_text(journal.read_text().replace('"run-started"', '"run-begun"'))
    done = pixlab(["store", "import"], tmp_path, str(tmp_path / "s.sqlite"))
    assert (done.returncode, done.stdout) == (UsageError.exit_code, "good\n")
    left_out, summary = done.stderr.strip().splitlines()
    assert "left out" in left_out
    assert "bad" in left_out
    assert "1 of the runs" in summary


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("compare", "old-5", "new-6"), "did you mean 'new-5'"),
        (("compare", "latest", "old-5"), "the same run"),
        (("export", "latest", "--format", "cvs", "--out", "x"), "did you mean 'csv'"),
        (("export", "latest", "--out", "/proc/x"), "/proc/x: cannot be written"),
        (("store", "import", "nothing"), "no run 'nothing'"),
    ],
)
def test_what_a_user_gets_wrong_is_one_line(arguments: Sequence[str], said: str, store: str, tmp_path: Path) -> None:
    assert said in assert_one_line(pixlab(arguments, tmp_path, store), UsageError.exit_code)
