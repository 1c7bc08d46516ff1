"""Numbers and outcomes as people read them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.results.model import Measurement, Results

GREATER_LIMIT = {"line": "line rate or more", "ceiling": "generator ceiling or more"}


def mpps(rate_pps: float | None) -> str:
    """Return a rate in Mpps with four significant digits (``9.046``); a dash for None."""
    if rate_pps is None:
        return "-"
    value = rate_pps / 1e6
    digits = 3 if value < 10 else 2 if value < 100 else 1
    return f"{value:.{digits}f}"


def microseconds(value_us: float | None) -> str:
    """Return a latency in microseconds with three significant digits (``9.05``, ``10.7``); a dash for None."""
    if value_us is None:
        return "-"
    return f"{value_us:.{2 if value_us < 10 else 1 if value_us < 100 else 0}f}"


def seconds(value_s: float | None) -> str:
    """Return a time with three significant digits and its unit (``12.3 us``, ``4.05 s``); a dash for None."""
    if value_s is None:
        return "-"
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if value_s * factor >= 1.0:
            return f"{value_s * factor:.3g} {unit}"
    return "0 s" if value_s == 0 else f"{value_s * 1e9:.3g} ns"


def percent(share: float) -> str:
    """Return a share of 1 in percent; small ones keep two significant digits, so that a loss never reads as none."""
    value = 100.0 * share
    if value == 0.0:
        return "0 %"
    return f"{value:.1f} %" if value >= 1 else f"{value:.2g} %"


def limit_words(measurement: Measurement) -> str:
    """Say what hides the upper bound of a measurement; empty when it has one."""
    if measurement.value is None or measurement.high is not None:
        return ""
    line, ceiling = measurement.line_rate_pps, measurement.ceiling_pps
    return GREATER_LIMIT["ceiling" if ceiling is not None and (line is None or ceiling < line) else "line"]


def outcome(results: Results) -> tuple[str, str]:
    """Return the run's verdict: a class (``good``, ``bad`` or ``lab``) and its words for the title."""
    counts = Counter(t.outcome for t in results.tests)
    total = len(results.tests)
    broken = counts["failed"] + counts["error"]
    if not results.complete:
        return "lab", "Incomplete: the run was killed"
    if results.image is not None and results.image.booted and not results.image.proved:
        return "bad", "Failed: what booted is not what was asked for"
    if broken:
        return "bad", f"Failed: {broken} of {total} tests"
    if results.lab_errors or (results.exit_code or 0) >= 10:
        return "lab", "Lab error: results are missing"
    if not counts["passed"]:
        return "lab", "Nothing was tested"
    if counts["skipped"]:
        return "good", f"Passed: {counts['passed']} tests ({counts['skipped']} skipped)"
    return "good", f"Passed: all {total} tests"


def headline(results: Results) -> str:
    """Return the one number to know: PDR at the smallest frame size, with its limit; empty when there is none."""
    rates = [m for m in results.measurements if m.metric == "PDR" and m.value is not None]
    if not rates:
        return ""
    best = min(rates, key=lambda m: m.frame_size_bytes)
    hidden = f" ({limit_words(best)})" if limit_words(best) else ""
    return f"PDR {mpps(best.value)} Mpps at {best.frame_size_bytes} bytes{hidden}"
