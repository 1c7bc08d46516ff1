"""The commands of ``pixlab`` that ask the store: runs, compare, export, and store import."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lab import paths
from lab.errors import LabError, UsageError, near_misses

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from lab.results.store import tables

StoreOption = Annotated[
    str | None, typer.Option("--store", help="URL or file; default: $PIXLAB_STORE, reports/store.sqlite.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

store_app = typer.Typer(no_args_is_help=True, help="Look after the store of runs.")


@contextmanager
def _reading(url: str | None) -> Iterator[Session]:
    from lab.results.store import Database, store_url

    database = Database(store_url(url))
    try:
        with database.reading() as session:
            yield session
    finally:
        database.close()


def runs(
    suite: Annotated[str | None, typer.Option(help="Only of this suite.")] = None,
    testbed: Annotated[str | None, typer.Option(help="Only of this testbed.")] = None,
    image: Annotated[str | None, typer.Option(help="Only of this image or reference.")] = None,
    last: Annotated[int | None, typer.Option(min=1, help="Only so many of the newest.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the runs of the store, the newest last."""
    from lab.results.store.runs import listed

    with _reading(store) as session:
        found = listed(session, suite=suite, testbed=testbed, subject=image, last=last)
        if as_json:
            fields = [column.key for column in found[0].__table__.columns if column.key != "record"] if found else []
            typer.echo(json.dumps([{name: getattr(run, name) for name in fields} for run in found], indent=1))
            return
        for run in found:
            typer.echo(_run_line(run))
        if not found:
            typer.echo("no such run in the store")


def _run_line(run: tables.Run) -> str:
    started = datetime.fromtimestamp(run.started_at_s).strftime("%Y-%m-%d %H:%M")
    outcome = f"{run.passed} passed, {run.failed} failed, {run.skipped} skipped"
    ended = f"exit {run.exit_code}" if run.complete else "killed"
    return f"{started}  {run.run_id}  {run.profile}  {outcome}  {ended}"


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A run: its id, the begin of one, latest, latest~1.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The run that is judged by it.")],
    matters: Annotated[float, typer.Option(help="The least difference that matters, in percent.")] = 2.0,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two runs: better, regression, no difference, or how many more runs would tell."""
    from lab.report.comparison import lines
    from lab.results import comparison
    from lab.results.store.runs import find

    if not 0 < matters < 100:
        raise UsageError(f"--matters {matters:g}: a difference that matters is above 0 and below 100 percent")
    with _reading(store) as session:
        a, b = find(session, first), find(session, second)
        if a.run_id == b.run_id:
            raise UsageError(f"{first} and {second} are the same run, {a.run_id}: name two")
        found = comparison.compare(session, a, b, matters / 100)
    typer.echo(found.model_dump_json(indent=1) if as_json else "\n".join(lines(found)))


def export(
    run: Annotated[str, typer.Argument(help="A run: its id, the begin of one, latest, latest~1.")],
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    form: Annotated[str, typer.Option("--format", help="csv, parquet or json.")] = "csv",
    store: StoreOption = None,
) -> None:
    """Write the tables of a run into files."""
    from lab.results.export import export as write
    from lab.results.store.runs import find

    with _reading(store) as session:
        for path in write(session, find(session, run), form, out):
            typer.echo(path)


@store_app.command("import")
def store_import(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Folders of reports/; default: all.")
    ] = None,
    store: StoreOption = None,
) -> None:
    """Put runs into the store from their journals: those from before there was one, or of another store."""
    from lab.results.journal import FILE_NAME
    from lab.results.store import Database, store_url
    from lab.results.store.database import StoreError
    from lab.results.store.runs import put_into

    there = sorted(path.parent for path in paths.REPORTS.glob(f"*/{FILE_NAME}") if not path.parent.is_symlink())
    known = {folder.name: folder for folder in there}
    for name in names or ():
        if name not in known:
            raise UsageError(f"no run {name!r} in {paths.REPORTS}: {near_misses(name, known)}")
    database = Database(store_url(store))
    damaged: list[str] = []
    for folder in [known[name] for name in names] if names else there:
        try:
            typer.echo(put_into(database, folder))
        except StoreError:
            raise
        except LabError as error:
            damaged.append(str(error))
            typer.echo(f"left out: {error}", err=True)
    database.close()
    if damaged:
        raise UsageError(
            f"{len(damaged)} of the runs could not be read: mend or delete them, the others are in the store"
        )


def add_to(app: typer.Typer) -> None:
    """Add the commands to the ``pixlab`` command."""
    for command in (runs, compare, export):
        app.command(command.__name__)(command)
    app.add_typer(store_app, name="store")
