"""The database behind a store: an embedded SQLite file, or any server that SQLAlchemy knows; told in one line if not.

Writers take turns: SQLite by BEGIN IMMEDIATE, PostgreSQL by an advisory lock. So two runs that end at once, and two
that open a new store at once, both find their way in.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, insert, inspect, make_url, select, text
from sqlalchemy.orm import Session

from lab import paths
from lab.errors import LabError
from lab.results.store import tables

ENVIRONMENT = "PIXLAB_STORE"
FILE_NAME = "store.sqlite"
_WAIT_S = 30  # for another writer, and for a server to answer
_LOCK = 0x7069786C  # "pixl", of pg_advisory_xact_lock
_BEGIN = "pixlab_begin"


class StoreError(LabError):
    """The store does not take or give a run: no such server, a wrong password, a damaged file, another schema."""

    exit_code = 16


def store_url(asked: str | None = None) -> URL:
    """Return which store to use: what is asked for, else what PIXLAB_STORE says, else reports/store.sqlite.

    Args:
        asked: a URL of SQLAlchemy (``postgresql+psycopg://user@host/name``), or the path of an SQLite file.

    Raises:
        StoreError: it is no URL.

    """
    asked = asked or os.environ.get(ENVIRONMENT) or str(paths.REPORTS / FILE_NAME)
    if "://" not in asked:
        return URL.create("sqlite", database=str(Path(asked).absolute()))
    try:
        url = make_url(asked)
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
    except (exc.ArgumentError, ValueError):
        raise StoreError(
            f"the store {asked.split('://')[0]}://... is no URL: write postgresql://USER:PASSWORD@HOST/NAME, or the "
            "path of an SQLite file"
        ) from None
    return url


class Database:
    """An open store."""

    def __init__(self, url: URL) -> None:
        """Connect, and make the tables where there are none.

        Raises:
            StoreError: the database cannot be had, or is no store of this version.

        """
        told = {key: value for key, value in url.query.items() if key == "host"}
        self._shown = url.set(query=told).render_as_string(hide_password=True)
        with self._telling():
            self._engine = _engine(url)
        with self.reading() as session:
            made = self._is_made(session.connection())
        if not made:
            with self.writing() as session:
                self._make(session.connection())

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that sees one state of the store; StoreError when the database fails."""
        with self._telling(), Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session whose writes all happen or none; other writers wait. StoreError when the database fails."""
        engine = self._engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        with self._telling(), Session(engine) as session, session.begin():
            if engine.dialect.name == "postgresql":
                session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield session

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _is_made(self, connection: Connection) -> bool:
        """Say whether the tables are there; StoreError where they are of another version, or of somebody else."""
        there = set(inspect(connection).get_table_names())
        if tables.Store.__tablename__ not in there:
            foreign = there & set(tables.Table.metadata.tables)
            if foreign:
                raise StoreError(
                    f"store {self._shown}: it holds a table {min(foreign)!r} of somebody else: name another database"
                )
            return False
        version = connection.execute(select(tables.Store.version)).scalar()
        if version != tables.SCHEMA_VERSION:
            raise StoreError(
                f"store {self._shown}: its schema is of version {version}, this pixlab's of {tables.SCHEMA_VERSION}: "
                "take the pixlab that made it, or name another store and fill it by `pixlab store import`"
            )
        return True

    def _make(self, connection: Connection) -> None:
        """Make the tables, unless another writer was faster."""
        if not self._is_made(connection):
            tables.Table.metadata.create_all(connection)
            connection.execute(insert(tables.Store).values(version=tables.SCHEMA_VERSION))

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn what a database says into one line, without a password."""
        try:
            yield
        except exc.NoSuchModuleError:
            raise StoreError(f"store {self._shown}: no such kind of database: try sqlite or postgresql") from None
        except ModuleNotFoundError as error:
            raise StoreError(f"store {self._shown}: its driver is missing: pip install {error.name}") from None
        except exc.DBAPIError as error:
            said = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
            raise StoreError(f"store {self._shown}: {said[0]}") from None
        except exc.SQLAlchemyError as error:
            raise StoreError(f"store {self._shown}: {str(error).splitlines()[0]}") from None


def _engine(url: URL) -> Engine:
    """Return an engine that waits, but not for ever."""
    name = url.get_backend_name()
    if name == "sqlite":
        if url.database:
            folder = Path(url.database).parent
            if not folder.is_dir() and folder == paths.REPORTS:
                folder.mkdir(parents=True)
        engine = create_engine(url, connect_args={"timeout": _WAIT_S})
        _begin_as_told(engine)
        return engine
    return create_engine(url, connect_args={"connect_timeout": _WAIT_S} if name == "postgresql" else {})


def _begin_as_told(engine: Engine) -> None:
    """Have SQLAlchemy and not Python's sqlite3 begin the transactions: that begins late, and not at all for tables."""

    @event.listens_for(engine, "connect")
    def connected(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))
