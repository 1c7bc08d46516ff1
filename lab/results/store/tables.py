"""The tables of the store. docs/store.md explains them; every row belongs to a run and has a number within it.

What is often asked for is a column of its own; beside it stands the whole record as JSON, so that nothing is lost that
has no column. ``findings`` takes what has no table: a new sort of result needs no new schema.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, Dialect, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SCHEMA_VERSION = 1


class Line(TypeDecorator[str]):
    """Text without the NUL characters that a broken console may leave in a message and PostgreSQL refuses."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return what the database is given."""
        return value if value is None else value.replace("\x00", "\ufffd")


class Table(DeclarativeBase):
    """What all tables share."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {str: Line, int: BigInteger, dict[str, Any]: JSON, list[Any]: JSON}


class Store(Table):
    """One row: the version of this schema."""

    __tablename__ = "store"
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Run(Table):
    """A run. Times are Unix times; ``subject`` names what was put to the test, ``subject_sha256`` proves an image."""

    __tablename__ = "runs"
    run_id: Mapped[str] = mapped_column(primary_key=True)
    suite: Mapped[str]
    testbed: Mapped[str]
    profile: Mapped[str]
    host: Mapped[str]
    started_at_s: Mapped[float]
    ended_at_s: Mapped[float | None]
    complete: Mapped[bool]
    exit_code: Mapped[int | None]
    subject: Mapped[str]
    subject_version: Mapped[str]
    subject_build: Mapped[str]
    passed: Mapped[int]
    failed: Mapped[int]
    skipped: Mapped[int]
    lab_errors: Mapped[list[Any]]
    notes: Mapped[list[Any]]
    record: Mapped[dict[str, Any]]


class OfRun(Table):
    """A row that belongs to a run."""

    __abstract__ = True
    run_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Trial(OfRun):
    """One trial, valid or not; frames are summed over the directions, ``record`` has each of them."""

    __tablename__ = "trials"
    at_s: Mapped[float]
    test: Mapped[str]
    search: Mapped[str]
    search_number: Mapped[int]
    frame_size_bytes: Mapped[int]
    rate_pps: Mapped[float]
    duration_s: Mapped[float]
    intended_frames: Mapped[int]
    sent_frames: Mapped[int]
    received_frames: Mapped[int]
    lost_frames: Mapped[int]
    loss_ratio: Mapped[float]
    valid: Mapped[bool]
    reasons: Mapped[list[Any]]
    disturbed: Mapped[list[Any]]
    record: Mapped[dict[str, Any]]


class Measurement(OfRun):
    """One number that was published; None in ``high`` means that nothing greater could be asked for."""

    __tablename__ = "measurements"
    test: Mapped[str]
    frame_size_bytes: Mapped[int]
    metric: Mapped[str]
    value: Mapped[float | None]
    unit: Mapped[str]
    low: Mapped[float | None]
    high: Mapped[float | None]
    verdict: Mapped[str | None]
    error: Mapped[str | None]
    record: Mapped[dict[str, Any]]


class Search(OfRun):
    """One method at one frame size: its bounds, or why it came to none."""

    __tablename__ = "searches"
    at_s: Mapped[float]
    test: Mapped[str]
    kind: Mapped[str]
    frame_size_bytes: Mapped[int]
    error: Mapped[str | None]
    bounds: Mapped[list[Any]]


class Latency(OfRun):
    """Latency of one load and direction; a percentile is None where too few samples lie beyond it."""

    __tablename__ = "latency"
    test: Mapped[str]
    frame_size_bytes: Mapped[int]
    load: Mapped[str]
    rate_pps: Mapped[float]
    tx_port: Mapped[int]
    rx_port: Mapped[int]
    samples: Mapped[int]
    min_us: Mapped[float]
    mean_us: Mapped[float]
    p50_us: Mapped[float | None]
    p99_us: Mapped[float | None]
    p99_9_us: Mapped[float | None]
    max_us: Mapped[float]
    record: Mapped[dict[str, Any]]


class Reordering(OfRun):
    """Order of the frames of one direction at one load."""

    __tablename__ = "reordering"
    test: Mapped[str]
    frame_size_bytes: Mapped[int]
    load: Mapped[str]
    rate_pps: Mapped[float]
    tx_port: Mapped[int]
    rx_port: Mapped[int]
    received: Mapped[int]
    lost: Mapped[int]
    duplicates: Mapped[int]
    reordered: Mapped[int]
    ratio: Mapped[float]
    record: Mapped[dict[str, Any]]


class Comparison(OfRun):
    """Two layouts, compared in turns within the run."""

    __tablename__ = "comparisons"
    test: Mapped[str]
    bench: Mapped[str]
    place: Mapped[str]
    state: Mapped[str]
    ratio: Mapped[float]
    low: Mapped[float]
    high: Mapped[float]
    effect: Mapped[float]
    record: Mapped[dict[str, Any]]


class Test(OfRun):
    """How one test of the suite ended."""

    __test__ = False  # not a test class, whatever its name begins with
    __tablename__ = "tests"
    at_s: Mapped[float]
    test: Mapped[str]
    title: Mapped[str]
    outcome: Mapped[str]
    duration_s: Mapped[float]
    message: Mapped[str]


class Finding(OfRun):
    """Any other event of the journal, whole; 0 bytes where it is of no frame size."""

    __tablename__ = "findings"
    at_s: Mapped[float]
    kind: Mapped[str]
    test: Mapped[str]
    frame_size_bytes: Mapped[int]
    record: Mapped[dict[str, Any]]


OF_RUN: tuple[type[OfRun], ...] = (
    Trial,
    Measurement,
    Search,
    Latency,
    Reordering,
    Comparison,
    Test,
    Finding,
)
