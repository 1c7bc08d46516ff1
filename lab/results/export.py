"""A run as files for other programs: a file a table, through pandas."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import JSON, Column, select
from sqlalchemy import Table as SqlTable
from sqlalchemy.orm import Session

from lab.errors import UsageError, near_misses
from lab.results.store import tables

Rows = list[dict[str, Any]]
Columns = Mapping[str, type]


def _csv(rows: Rows, columns: Columns, path: Path) -> None:
    _frame(rows, columns).to_csv(path, index=False)


def _parquet(rows: Rows, columns: Columns, path: Path) -> None:
    _frame(rows, columns).to_parquet(path, index=False)


def _json(rows: Rows, columns: Columns, path: Path) -> None:
    # Not by pandas: it cuts numbers off at the 15th digit behind the point, and nests nothing.
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _frame(rows: Rows, columns: Columns) -> pd.DataFrame:
    """Return rows with the types of their columns, so that a whole number stays one where another is missing."""
    nested = {name for name, kind in columns.items() if kind is dict}
    flat = [
        {name: json.dumps(row[name], ensure_ascii=False) if name in nested else row[name] for name in columns}
        for row in rows
    ]
    types = {int: "Int64", float: "float64", bool: "boolean"}
    return pd.DataFrame(flat).astype({name: types.get(kind, "string") for name, kind in columns.items()})


_TABLES = tuple(table for table in tables.Table.metadata.sorted_tables if "run_id" in table.columns)

FORMATS: Mapping[str, Callable[[Rows, Columns, Path], None]] = {"csv": _csv, "parquet": _parquet, "json": _json}


def export(session: Session, run: tables.Run, form: str, folder: Path) -> tuple[Path, ...]:
    """Write the tables of a run, but for empty ones.

    In CSV and Parquet, what is JSON in the store is a text of JSON; in JSON it is itself.

    Args:
        session: of the store.
        run: which one.
        form: ``csv``, ``parquet`` or ``json``.
        folder: where to; made where it is missing, files of the same names are replaced.

    Returns:
        The files.

    Raises:
        UsageError: the format is unknown, or the folder cannot be written.

    """
    if form not in FORMATS:
        raise UsageError(f"--format {form}: {near_misses(form, FORMATS)}")
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for table in _TABLES:
            columns = {column.name: _kind(column) for column in table.columns}
            rows = _rows(session, table, run.run_id)
            if rows:
                path = folder / f"{table.name}.{form}"
                FORMATS[form](rows, columns, path)
                written.append(path)
    except OSError as error:
        raise UsageError(f"--out {folder}: cannot be written: {error.strerror or error}") from None
    return tuple(written)


def _kind(column: Column[Any]) -> type:
    """Return what a column has: int, float, bool or str; dict for what is JSON."""
    return dict if isinstance(column.type, JSON) else column.type.python_type


def _rows(session: Session, table: SqlTable, run_id: str) -> Rows:
    """Return the rows of a run in a table, in their order."""
    order = [column for column in table.columns if column.name == "number"]
    query = select(table).where(table.columns["run_id"] == run_id).order_by(*order)
    return [dict(row) for row in session.execute(query).mappings()]
