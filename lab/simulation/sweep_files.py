"""The files that a sweep is written to, besides what is printed."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import UsageError
from lab.simulation.sweep_record import Answer


@dataclass(frozen=True)
class Files:
    """Where answers are kept (``resume``), the table (``csv``) and the page with figures (``plot``); None: nowhere."""

    resume: Path | None
    csv: Path | None
    plot: Path | None

    @property
    def named(self) -> bool:
        """Whether there is any."""
        return any((self.resume, self.csv, self.plot))

    def check(self) -> None:
        """Refuse what cannot be written, before hours are spent on what goes into it.

        Raises:
            UsageError: says which file and why.

        """
        for option, path in (("--csv", self.csv), ("--plot", self.plot)):
            if path is None:
                continue
            if path.is_dir():
                raise UsageError(f"{option} {path}: is a folder: name a file")
            if not path.parent.is_dir():
                raise UsageError(f"{option} {path}: there is no folder {path.parent}: make it, or name another file")
            if not os.access(path if path.exists() else path.parent, os.W_OK):
                raise UsageError(f"{option} {path}: may not be written: name another file")

    def write(self, answers: Sequence[Answer]) -> None:
        """Write table and page of a sweep.

        Args:
            answers: in the order of the points, at least one.

        Raises:
            UsageError: a file cannot be written.

        """
        if self.csv is not None:
            _write("--csv", self.csv, table(answers))
        if self.plot is not None and any(answer.prediction is not None for answer in answers):
            from lab.report.sweep_page import render

            _write("--plot", self.plot, render(answers))


def _write(option: str, path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{option} {path}: cannot be written ({error.strerror}): name another file") from error


def table(answers: Sequence[Answer]) -> str:
    """Return a sweep as CSV: the axes, the rate in operations a second, latency in microseconds, why a point cannot be.

    Args:
        answers: in the order of the points, at least one.

    """
    axes = list(answers[0].values)
    shown = [answer.prediction for answer in answers if answer.prediction is not None]
    percentiles = list(dict.fromkeys(name for each in shown for name in each.latency_us))
    latencies = [f"latency_p{name}_us_{end}" for name in percentiles for end in ("low", "median", "high")]
    heads = [*axes, "rate_pps_low", "rate_pps_median", "rate_pps_high", "unit", "limited_by", *latencies, "error"]
    out = io.StringIO()
    writer = csv.DictWriter(out, heads, lineterminator="\n")
    writer.writeheader()
    for answer in answers:
        row: dict[str, object] = {**answer.values, "error": answer.error or ""}
        one = answer.prediction
        if one is not None:
            row |= {f"rate_pps_{end}": value for end, value in one.rate_pps.model_dump().items()}
            row |= {"unit": one.unit, "limited_by": one.limited_by}
            row |= {
                f"latency_p{name}_us_{end}": value
                for name, band in one.latency_us.items()
                for end, value in band.model_dump().items()
            }
        writer.writerow(row)
    return out.getvalue()
