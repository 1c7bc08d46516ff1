"""The pages of nights: one for each night, with its reports and the history of each measurement, and an index."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from jinja2 import Environment, PackageLoader, StrictUndefined

from lab import paths
from lab.nightly.night import PASSED, TEST_FAILED, JobRecord, Judged, Night, folder, nights
from lab.results.writer import REPORT_NAME

PAGE = "index.html"


def write(night: Night) -> Path:
    """Write the page of a night and the index of all nights, each in one step; return the page."""
    environment = Environment(
        loader=PackageLoader("lab.nightly", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(when=_when, took=_took, value=value, outcome=outcome, kind=_kind)
    style = (paths.ROOT / "lab" / "report" / "report.css").read_text(encoding="utf-8")
    page = environment.get_template("night.html.j2").render(
        night=night, style=style, reports={one.run for one in night.jobs if _has_report(one)}, median=median
    )
    index = environment.get_template("nights.html.j2").render(nights=nights()[::-1], style=style)
    _replace(folder() / PAGE, index)
    return _replace(night.folder / PAGE, page)


def outcome(record: JobRecord) -> str:
    """Say in words what came of a job."""
    if record.state != "ended":
        return f"{record.state}: {record.reason}" if record.reason else record.state
    if record.exit_code not in (PASSED, TEST_FAILED):
        return f"the lab failed with code {record.exit_code}: {record.reason}"
    words = "passed" if record.exit_code == PASSED else "a test failed"
    worse = ", ".join(f"{_name(one)} {_change(one)}" for one in record.regressions)
    return f"{words}, regression: {worse}" if worse else words


def value(number: float, unit: str) -> str:
    """Return a number with its unit."""
    if unit == "pps":
        return f"{number / 1e6:.3f} Mpps"
    return f"{number:.4g}" if unit == "1" else f"{number:.4g} {unit}"


def _name(one: Judged) -> str:
    return f"{one.metric} at {one.frame_size_bytes} bytes" if one.frame_size_bytes else one.metric


def _change(one: Judged) -> str:
    return f"{value(one.value, one.unit)} after {value(median(one.before), one.unit)}"


def _kind(record: JobRecord) -> str:
    """Return the class of the style sheet."""
    if record.state != "ended":
        return "skipped"
    return "passed" if record.exit_code == PASSED and not record.regressions else "failed"


def _has_report(record: JobRecord) -> bool:
    return record.run is not None and (paths.REPORTS / record.run / REPORT_NAME).is_file()


def _when(at_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at_s))


def _took(duration_s: float) -> str:
    return f"{duration_s / 60:.0f} min" if duration_s >= 120 else f"{duration_s:.0f} s"


def _replace(path: Path, text: str) -> Path:
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
    return path
