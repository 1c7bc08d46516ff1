"""The store holds what the journal says, all of it, once, whoever writes beside it."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from lab import paths
from lab.errors import UsageError
from lab.methods.loss_rate import LossCurve
from lab.methods.trial import TrialResult
from lab.results import events as ev
from lab.results import model
from lab.results.finding import Finding
from lab.results.journal import FILE_NAME, read
from lab.results.store import Database, StoreError, put, runs, store_url, tables
from lab.results.store.rows import whole
from lab.results.writer import summarise

from .recorded_run import record_run

WRITER = """
import sys
from pathlib import Path
from lab.results.store import put
store, *folders = sys.argv[1:]
for folder in folders:
    put(Path(folder), store)
"""


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("reports") / "run-1"
    record_run(run_dir, sizes=(64,))
    return run_dir


@pytest.fixture(scope="module")
def filled(run_dir: Path) -> Iterator[Database]:
    path = str(run_dir.parent / "store.sqlite")
    put(run_dir, path)
    put(run_dir, path)  # once more: it replaces itself
    database = Database(store_url(path))
    yield database
    database.close()


def copies(run_dir: Path, folder: Path, names: list[str]) -> list[Path]:
    """Make runs of other names from one, a second apart."""
    text = (run_dir / FILE_NAME).read_text()
    made = []
    for number, name in enumerate(names):
        (folder / name).mkdir()
        own = text.replace('"run_id":"run-1"', f'"run_id":"{name}"').replace("1800000001.0", f"18000001{number:02}.0")
        (folder / name / FILE_NAME).write_text(own)
        made.append(folder / name)
    return made


def test_every_trial_is_there_as_it_was(run_dir: Path, filled: Database) -> None:
    trials = [event for event in read(run_dir / FILE_NAME).events if isinstance(event, ev.TrialEnded)]
    with filled.reading() as session:
        rows = session.scalars(select(tables.Trial).order_by(tables.Trial.number)).all()
        assert len(rows) == len(trials) > 20
        for row, event in zip(rows, trials, strict=True):
            result = event.trial.result
            assert TrialResult.model_validate(row.record) == result
            assert (row.at_s, row.test, row.search, row.search_number) == (
                event.at_s, event.test, event.trial.search, event.trial.number
            )  # fmt: skip
            assert (row.frame_size_bytes, row.rate_pps) == (result.request.frame_size_bytes, result.request.rate_pps)
            assert row.sent_frames == sum(way.sent_frames for way in result.directions)
            assert row.received_frames == sum(way.received_frames for way in result.directions)
            assert row.intended_frames == sum(way.intended_frames for way in result.directions)
            assert (row.lost_frames, row.loss_ratio) == (result.lost_frames, result.loss_ratio)
            assert (row.valid, row.reasons) == (not result.invalid, list(result.invalid))
            assert row.disturbed == list(event.disturbed)
        assert {row.valid for row in rows} == {True, False}


def test_every_other_table_is_what_the_results_say(run_dir: Path, filled: Database) -> None:
    results = summarise(run_dir / FILE_NAME)
    with filled.reading() as session:
        measured = session.scalars(select(tables.Measurement).order_by(tables.Measurement.number)).all()
        assert [model.Measurement.model_validate(row.record) for row in measured] == list(results.measurements)
        assert [(r.metric, r.frame_size_bytes, r.value, r.low, r.high, r.unit, r.verdict) for r in measured] == [
            (m.metric, m.frame_size_bytes, m.value, m.low, m.high, m.unit, m.verdict) for m in results.measurements
        ]
        latency = session.scalars(select(tables.Latency).order_by(tables.Latency.number)).all()
        assert [(r.load, r.tx_port, r.samples, r.p50_us, r.p99_9_us, r.max_us) for r in latency] == [
            (a.load, a.tx_port, a.samples, a.percentiles_us["50"], a.percentiles_us["99.9"], a.max_us)
            for a in results.latency
        ]
        assert [row.record for row in latency] == [whole(one) for one in results.latency]
        order = session.scalars(select(tables.Reordering).order_by(tables.Reordering.number)).all()
        ways = [(one, way) for one in results.reordering for way in one.records]
        assert [(r.load, r.tx_port, r.received, r.reordered, r.ratio) for r in order] == [
            (one.load, way.tx_port, way.received, way.reordered, way.ratio) for one, way in ways
        ]
        (compared,) = session.scalars(select(tables.Comparison)).all()
        assert model.LayoutComparison.model_validate(compared.record) == results.comparisons[0]
        assert (compared.place, compared.ratio) == (results.comparisons[0].where, results.comparisons[0].ratio)
        tests = session.scalars(select(tables.Test).order_by(tables.Test.number)).all()
        assert [(t.test, t.outcome, t.message) for t in tests] == [
            (t.test, t.outcome, t.message) for t in results.tests
        ]


def test_searches_and_findings_are_the_journal_s(run_dir: Path, filled: Database) -> None:
    events = read(run_dir / FILE_NAME).events
    ends = [event for event in events if isinstance(event, ev.SearchEnded)]
    kinds = ev.Booted | ev.Calibrated | ev.PathMeasured | ev.PublishedChecked
    others = [event for event in events if isinstance(event, kinds)]
    with filled.reading() as session:
        searches = session.scalars(select(tables.Search).order_by(tables.Search.number)).all()
        assert [(s.at_s, s.kind, s.bounds) for s in searches] == [
            (end.at_s, end.kind, [whole(one) for one in end.bounds]) for end in ends
        ]
        findings = session.scalars(select(tables.Finding).order_by(tables.Finding.number)).all()
        assert [ev.EVENT.validate_python(finding.record) for finding in findings] == others
        (run,) = session.scalars(select(tables.Run)).all()
        results = summarise(run_dir / FILE_NAME)
        kept = {name: getattr(results, name) for name in run.record}
        assert model.Results.model_validate(
            {**run.record, "measurements": (), "searches": (), "latency": (), "reordering": (), "tests": ()}
        ).model_dump(include=set(kept)) == results.model_dump(include=set(kept))
        assert (run.run_id, run.subject, run.passed, run.failed, run.skipped) == ("run-1", "pix-padded", 1, 1, 1)
        assert (run.started_at_s, run.ended_at_s) == (events[0].at_s, events[-1].at_s)


def test_every_event_has_a_table_or_is_a_finding(run_dir: Path, filled: Database) -> None:
    """No row is lost: events and rows are counted against each other."""
    events = read(run_dir / FILE_NAME).events
    unlisted = (ev.RunStarted, ev.RunEnded, ev.SearchStarted)
    more_of_reordering = sum(len(e.reordering.records) - 1 for e in events if isinstance(e, ev.ReorderingMeasured))
    expected = sum(not isinstance(event, unlisted) for event in events) + more_of_reordering
    with filled.reading() as session:
        rows = sum(session.scalar(select(func.count()).select_from(table)) or 0 for table in tables.OF_RUN)
    assert rows == expected


def test_the_result_of_a_method_is_a_finding_under_its_name(run_dir: Path, tmp_path: Path) -> None:
    curve = LossCurve(
        frame_size_bytes=512, max_rate_pps=1e6, limited_by="line rate", trial_duration_s=1.0, points=(), complete=False,
        trials=3, invalid_trials=1,
    )  # fmt: skip
    found = ev.Found(at_s=5.0, finding=Finding(test="t", loss_curve=curve))
    lines = (run_dir / FILE_NAME).read_text().splitlines()
    (tmp_path / FILE_NAME).write_text("\n".join((*lines[:-1], found.model_dump_json(), lines[-1], "")))
    put(tmp_path, str(tmp_path / "s.sqlite"))
    database = Database(store_url(str(tmp_path / "s.sqlite")))
    with database.reading() as session:
        (row,) = session.scalars(select(tables.Finding).where(tables.Finding.kind == "loss_curve")).all()
    database.close()
    assert (row.at_s, row.test, row.frame_size_bytes) == (5.0, "t", 512)
    assert ev.EVENT.validate_python(row.record) == found


def test_a_killed_run_goes_in_and_is_replaced_when_it_was_finished(run_dir: Path, tmp_path: Path) -> None:
    store = str(tmp_path / "s.sqlite")
    whole_journal = (run_dir / FILE_NAME).read_bytes()
    (tmp_path / FILE_NAME).write_bytes(whole_journal[: len(whole_journal) // 2])
    assert put(tmp_path, store) == "run-1"
    database = Database(store_url(store))
    with database.reading() as session:
        run = runs.find(session, "latest")
        assert (run.complete, run.ended_at_s) == (False, None)
        before = session.scalar(select(func.count()).select_from(tables.Trial)) or 0
    put(run_dir, store)
    with database.reading() as session:
        assert runs.find(session, "run").complete
        assert (session.scalar(select(func.count()).select_from(tables.Trial)) or 0) > before
    database.close()


def test_runs_are_found_by_what_a_person_types(run_dir: Path, tmp_path: Path) -> None:
    store = str(tmp_path / "s.sqlite")
    for folder in copies(run_dir, tmp_path, ["20261123-a", "20261123-b", "20261124-c"]):
        put(folder, store)
    database = Database(store_url(store))
    with database.reading() as session:
        found = {asked: runs.find(session, asked).run_id for asked in ("latest", "latest~2", "20261124", "20261123-a")}
        assert found == {
            "latest": "20261124-c", "latest~2": "20261123-a", "20261124": "20261124-c", "20261123-a": "20261123-a"
        }  # fmt: skip
        assert [run.run_id for run in runs.listed(session, last=2)] == ["20261123-b", "20261124-c"]
        assert not runs.listed(session, suite="boot")
        for asked, said in (
            ("20261123", "2 runs begin so: 20261123-b, 20261123-a"),
            ("20261124-d", "did you mean '20261124-c'"),
            ("latest~3", "the store has 3 runs"),
            ("", "no run ''"),
        ):
            with pytest.raises(UsageError, match=said):
                runs.find(session, asked)
    database.close()


def test_processes_that_open_and_fill_a_store_at_once_lose_nothing(run_dir: Path, tmp_path: Path) -> None:
    names = [f"run-{number}" for number in range(2, 10)]
    folders = copies(run_dir, tmp_path, names)
    store = tmp_path / "new.sqlite"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, store, *folders[first::2]], cwd=paths.ROOT, stderr=subprocess.PIPE, text=True
        )
        for first in (0, 1)
    ]
    for writer in writers:
        _, said = writer.communicate(timeout=60)
        assert writer.returncode == 0, said
    database = Database(store_url(str(store)))
    with database.reading() as session:
        assert [run.run_id for run in runs.listed(session)] == names
        counts = session.execute(select(func.count()).select_from(tables.Trial).group_by(tables.Trial.run_id)).scalars()
        assert len(set(counts)) == 1
    database.close()


def test_a_store_that_is_only_to_be_read_is_read_while_another_writes(run_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    put(run_dir, str(path))
    with sqlite3.connect(path, isolation_level=None) as writer:
        writer.execute("BEGIN IMMEDIATE")
        database = Database(store_url(str(path)))
        with database.reading() as session:
            assert runs.find(session, "latest").run_id == "run-1"
        database.close()
        writer.execute("ROLLBACK")


def damaged(path: Path) -> None:
    path.write_bytes(b"this is no database, " * 100)


def of_another_schema(path: Path) -> None:
    Database(store_url(str(path))).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE store SET version = 99")


def of_somebody_else(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE runs (name TEXT)")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (damaged, "file is not a database"),
        (of_another_schema, "version 99, this pixlab's of 1"),
        (of_somebody_else, "a table 'runs' of somebody else"),
        (Path.mkdir, "unable to open database file"),
    ],
)
def test_what_is_no_store_is_told_in_one_line(tmp_path: Path, make: object, said: str) -> None:
    path = tmp_path / "s.sqlite"
    assert callable(make)
    make(path)
    with pytest.raises(StoreError, match=said) as caught:
        Database(store_url(str(path)))
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://pix:geheim@127.0.0.1:1/lab", "onnection refused"),
        ("nosuch://pix:geheim@host/lab", "no such kind of database"),
        ("mysql+pymysql://pix:geheim@host/lab", "driver is missing"),
        ("sqlite://", ""),
        ("post gres://pix:geheim@/[", "is no URL"),
        ("postgresql://pix:geheim@host:many/lab", "is no URL"),
    ],
)
def test_what_is_no_url_is_told_in_one_line_without_its_password(url: str, said: str) -> None:
    if not said:
        Database(store_url(url)).close()
        return
    with pytest.raises(StoreError, match=said) as caught:
        Database(store_url(url))
    assert "\n" not in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_a_record_that_no_database_takes_as_it_is(tmp_path: Path, run_dir: Path) -> None:
    """A console that dies leaves NUL characters in a message: they must not cost the run."""
    shutil.copy(run_dir / FILE_NAME, tmp_path / FILE_NAME)
    text = (tmp_path / FILE_NAME).read_text()
    assert "no IPv6" in text
    (tmp_path / FILE_NAME).write_text(text.replace("no IPv6", r"no \u0000IPv6"))
    store = str(tmp_path / "s.sqlite")
    put(tmp_path, store)
    database = Database(store_url(store))
    with database.reading() as session:
        messages = session.scalars(select(tables.Test.message)).all()
    database.close()
    assert "no \ufffdIPv6" in messages
