"""The comparison of two runs as lines of text."""

from __future__ import annotations

from statistics import median

from lab.report.words import limit_words
from lab.results.comparison import MeasurementComparison, RunComparison, Side

ENDLESS = 1000
"""Nobody makes as many runs: how many it were exactly is no matter."""


def lines(compared: RunComparison) -> list[str]:
    """Return the lines of a comparison: a head, a line for each measurement, and what only one run has."""
    found = [f"A  {compared.first}", f"B  {compared.second}", ""]
    if not compared.measurements:
        found.append("the two runs share no measurement")
    found += [_line(one) for one in compared.measurements]
    for name, only in (("A", compared.only_first), ("B", compared.only_second)):
        found += [f"only in {name}: {', '.join(only)}"] if only else []
    return found


def _line(one: MeasurementComparison) -> str:
    size = f" at {one.frame_size_bytes} bytes" if one.frame_size_bytes else ""
    verdict = one.difference.verdict if one.difference else "cannot tell"
    sides = f"A {_value(one.first, one.of)}, B {_value(one.second, one.of)}"
    return f"{verdict:14} {one.metric}{size}: {sides}{_told(one)}{_modes(one)}"


def _value(side: Side, of: str) -> str:
    """Return a value with its unit, what hides the truth above it, and the median of all values where there are."""
    found = side.measurement
    if found.value is None:
        return f"none ({found.error or found.reason or 'no load met the goal'})"
    words = _number(found.value, found.unit)
    if side.at_limit:
        words += f" ({limit_words(found)})"
    if len(side.values) > 1:
        words += f" ({_number(median(side.values), found.unit)} in {len(side.values)} {of})"
    return words


def _number(value: float, unit: str) -> str:
    if unit == "pps":
        return f"{value / 1e6:.3f} Mpps"
    return f"{value:.4g}" if unit == "1" else f"{value:.4g} {unit}"


def _told(one: MeasurementComparison) -> str:
    """Return ratio, interval, effect and what would tell, each where there is one."""
    told = one.difference
    if told is None:
        return ""
    words = "" if told.ratio is None else f"; B/A {told.ratio:.4f}"
    if told.low is not None or told.high is not None:
        words += "" if told.low is None else f", from {told.low:.4f}"
        words += "" if told.high is None else f", to {told.high:.4f}"
        words += f" with 95 % confidence; effect {told.effect:+.2f}"
    words += f"; {told.basis}" if told.basis else ""
    if told.more_values is not None:
        noun = "trial" if one.of.startswith("trials") else "run"
        many = f"more than {ENDLESS:,}" if told.more_values > ENDLESS else f"{told.more_values}"
        words += f"; {many} more {noun}{'' if told.more_values == 1 else 's'} of each would tell"
    return words


def _modes(one: MeasurementComparison) -> str:
    """Say where a side has two sorts of values: a median then stands for neither."""
    found = ""
    for name, side in (("A", one.first), ("B", one.second)):
        if side.modes is not None:
            found += f"; {name} has two modes, {side.modes.low:.4g} and {side.modes.high:.4g} {one.unit}"
    return found
