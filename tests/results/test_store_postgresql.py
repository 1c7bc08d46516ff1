"""The same store on a PostgreSQL server, a real one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from lab import paths
from lab.results.store import Database, StoreError, put, runs, store_url, tables
from tests.commands import environment

from . import postgresql
from .recorded_run import record_run
from .test_store import WRITER, copies


@pytest.fixture(scope="module")
def running() -> Iterator[postgresql.Server]:
    with postgresql.server() as running:
        yield running


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("reports") / "run-1"
    record_run(run_dir, sizes=(64,))
    return run_dir


def content(url: str, run_id: str) -> dict[str, list[dict[str, Any]]]:
    """Return every row of a run in every table."""
    database = Database(store_url(url))
    found = {}
    with database.reading() as session:
        for name, table in tables.Table.metadata.tables.items():
            if name != "store":
                query = select(table).where(table.columns.run_id == run_id)
                rows = [dict(row) for row in session.execute(query).mappings()]
                found[name] = sorted(rows, key=lambda row: row.get("number", 0))
    database.close()
    return found


def test_processes_that_open_and_fill_it_at_once_lose_nothing(
    running: postgresql.Server, run_dir: Path, tmp_path: Path
) -> None:
    """The first test here: the store is still to be made, and both want to make it."""
    names = [f"run-{number}" for number in range(2, 8)]
    folders = copies(run_dir, tmp_path, names)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, running.url(), *folders[first::2], folders[0]],
            cwd=paths.ROOT, stderr=subprocess.PIPE, text=True,
        )
        for first in (0, 1)
    ]  # fmt: skip
    for writer in writers:
        _, said = writer.communicate(timeout=60)
        assert writer.returncode == 0, said
    database = Database(store_url(running.url()))
    with database.reading() as session:
        assert [run.run_id for run in runs.listed(session)] == names
    database.close()


def test_it_holds_what_the_embedded_store_holds(running: postgresql.Server, run_dir: Path, tmp_path: Path) -> None:
    embedded = str(tmp_path / "s.sqlite")
    for url in (embedded, running.url(), running.url()):
        put(run_dir, url)
    found = content(running.url(), "run-1")
    assert found == content(embedded, "run-1")
    assert all(found.values()), "every table has rows"
    assert len(found["runs"]) == 1


def test_a_message_with_a_nul_is_taken(running: postgresql.Server, run_dir: Path, tmp_path: Path) -> None:
    (folder,) = copies(run_dir, tmp_path, ["nul"])
    journal = folder / "journal.jsonl"
    journal.write_text(journal.read_text().replace("no IPv6", r"no \u0000IPv6").replace("ring 0 runs", r"\u0000 runs"))
    put(folder, running.url())
    assert "no \ufffdIPv6" in [row["message"] for row in content(running.url(), "nul")["tests"]]


def test_the_commands_read_it(running: postgresql.Server, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lab.cli", "runs", "--last", "1"], cwd=paths.ROOT, timeout=60, check=True,
        env=environment(tmp_path, PIXLAB_STORE=running.url()), capture_output=True, text=True,
    )  # fmt: skip
    assert "1 passed, 1 failed, 1 skipped  exit 1" in done.stdout


@pytest.mark.parametrize(
    ("password", "database", "said"),
    [("verraten", "postgres", "password authentication failed"), (postgresql.PASSWORD, "nosuch", "does not exist")],
)
def test_a_server_that_refuses_is_told_without_the_password(
    running: postgresql.Server, password: str, database: str, said: str
) -> None:
    with pytest.raises(StoreError, match=said) as caught:
        Database(store_url(running.url(password, database)))
    assert "\n" not in str(caught.value)
    assert password not in str(caught.value)


def test_a_server_that_goes_away_is_told(running: postgresql.Server, run_dir: Path) -> None:
    """The last test here: the server is gone after it."""
    database = Database(store_url(running.url()))
    running.stop()
    with pytest.raises(StoreError, match="store postgresql") as caught:
        runs.put_into(database, run_dir)
    assert "\n" not in str(caught.value)
    assert postgresql.PASSWORD not in str(caught.value)
