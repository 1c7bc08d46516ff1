"""Runs of a store: put in, listed, found by what a person types."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lab.errors import UsageError, near_misses
from lab.results.journal import FILE_NAME, read
from lab.results.memory import fullest
from lab.results.store import tables
from lab.results.store.database import Database, store_url
from lab.results.store.rows import rows
from lab.results.writer import summarise

LATEST = "latest"
_SHOWN = 5  # runs that an error names


def check(url: str | None = None) -> None:
    """Open a store, which makes its tables, and close it; StoreError where it cannot be had."""
    Database(store_url(url)).close()


def put(folder: Path, url: str | None = None) -> str:
    """Put a run into a store; one that is there already is replaced.

    Args:
        folder: of the run, with its journal.
        url: of the store; None: as :func:`lab.results.store.store_url` says.

    Returns:
        The id of the run.

    Raises:
        UsageError: the journal is missing, damaged or empty.
        StoreError: the store does not take it.

    """
    database = Database(store_url(url))
    try:
        return put_into(database, folder)
    finally:
        database.close()


def put_into(database: Database, folder: Path) -> str:
    """Put a run into a store that is open; see :func:`put`."""
    journal = folder / FILE_NAME
    made = rows(summarise(journal), fullest(read(journal).events))
    run = made[0]
    assert isinstance(run, tables.Run)
    run_id = run.run_id
    with database.writing() as session:
        session.execute(delete(tables.Run).where(tables.Run.run_id == run_id))
        for table in tables.OF_RUN:
            session.execute(delete(table).where(table.run_id == run_id))
        session.add_all(made)
    return run_id


def listed(
    session: Session,
    *,
    suite: str | None = None,
    testbed: str | None = None,
    subject: str | None = None,
    last: int | None = None,
) -> Sequence[tables.Run]:
    """Return the runs that are asked for, the oldest first.

    Args:
        session: of the store.
        suite: whose runs; None: any.
        testbed: where; None: anywhere.
        subject: name of the image or reference; None: any.
        last: how many of the newest; None: all.

    """
    query = select(tables.Run).order_by(tables.Run.started_at_s.desc(), tables.Run.run_id.desc())
    for column, asked in ((tables.Run.suite, suite), (tables.Run.testbed, testbed), (tables.Run.subject, subject)):
        if asked is not None:
            query = query.where(column == asked)
    return session.scalars(query.limit(last)).all()[::-1]


def find(session: Session, asked: str) -> tables.Run:
    """Return the run that a person means.

    Args:
        session: of the store.
        asked: a run's id, the unique begin of one, ``latest``, or ``latest~2`` for the second before it.

    Raises:
        UsageError: there is none, or more than one.

    """
    newest = listed(session)[::-1]
    back = re.fullmatch(rf"{LATEST}(?:~(\d+))?", asked)
    if back:
        number = int(back[1] or 0)
        if number >= len(newest):
            raise UsageError(f"{asked}: the store has {len(newest)} runs")
        return newest[number]
    exact = [run for run in newest if run.run_id == asked]
    begun = exact or [run for run in newest if asked and run.run_id.startswith(asked)]
    if len(begun) > 1:
        some = ", ".join(run.run_id for run in begun[:_SHOWN])
        raise UsageError(f"run {asked!r}: {len(begun)} runs begin so: {some}{' ...' if len(begun) > _SHOWN else ''}")
    if not begun:
        names = [run.run_id for run in newest]
        close = difflib.get_close_matches(asked, names, n=1)
        raise UsageError(f"no run {asked!r} in the store: {near_misses(asked, {LATEST, *close, *names[:_SHOWN]})}")
    return begun[0]
