"""Predictions as lines of text: several side by side, a table of a sweep."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from lab.report.words import microseconds, mpps
from lab.simulation.consistency import Consistency
from lab.simulation.prediction.model import Band, Prediction, StructureCost
from lab.simulation.sweep_record import Answer

if TYPE_CHECKING:
    from lab.simulation.prediction.sensitivity import Sensitivity  # brings SALib with it

SMALLEST_MISSES = 0.0005
"""Misses of an operation below this would be printed as 0.000."""


def rate_unit(unit: str) -> str:
    """Return the unit of a rate in millions of operations a second: ``Mpps``, ``M messages/s``."""
    return "Mpps" if unit == "packets" else f"M {unit}/s"


def common_unit(predictions: Sequence[Prediction]) -> str:
    """Return the unit of the rates of several predictions, the general one where they differ."""
    units = {rate_unit(each.unit) for each in predictions}
    return units.pop() if len(units) == 1 else "M/s"


def head(one: Prediction, without: Collection[str] = ()) -> str:
    """Return in one line what was asked, but for what is ``without`` (names of fields and axes)."""
    case = one.case
    offered = "as much as there can be" if case.offered_pps is None else f"{case.offered_pps / 1e6:g} Mpps"
    said = {
        "workload": one.workload,
        "variant": case.variant,
        "machine": f"on {one.machine}",
        "layout": f"layout {one.layout}",
        "ports": f"{case.ports} ports of {case.line_rate_gbps:g} Gbit/s",
        "cores": f"{case.cores} core{'s' if case.cores > 1 else ''}",
        "placement": f"placed {case.placement}",
        "frame_size_bytes": f"{case.frame_size_bytes} bytes",
        "queue_length": f"queues of {case.queue_length}",
        "batch": f"batch {case.batch}",
        "offered_pps": f"offered {offered}",
    }
    return ", ".join(text for name, text in said.items() if text and name not in without)


def foot(one: Prediction) -> str:
    """Return in one line how sure a prediction is."""
    known = f"calibrated parameters {one.frozen[:12]}" if one.frozen else "priors alone, not calibrated"
    return f"median (5 to 95 %) of {one.draws} draws; {known}; model {one.model_version}"


def side_by_side(predictions: Sequence[Prediction]) -> list[str]:
    """Return a table with a column for each prediction of the same machine, workload and case.

    Args:
        predictions: at least one.

    """
    first = predictions[0]
    rows = [
        ["", *(each.layout for each in predictions)],
        [rate_unit(first.unit), *(_rate(each.rate_pps) for each in predictions)],
        ["limited by", *(each.limited_by for each in predictions)],
    ]
    for percentile in dict.fromkeys(name for each in predictions for name in each.latency_us):
        found = [each.latency_us.get(percentile) for each in predictions]
        rows.append([f"latency p{percentile} (us)", *(_latency(band) for band in found)])
    costs = [{cost.structure: cost for cost in each.structures} for each in predictions]
    rows += _misses(costs, first.unit.removesuffix("s")) + _gains(costs, rate_unit(first.unit))
    return [head(first, without=("layout",)), *table(rows), foot(first)]


def _rate(band: Band) -> str:
    return f"{mpps(band.median)} ({mpps(band.low)} to {mpps(band.high)})"


def _latency(band: Band | None) -> str:
    if band is None:
        return "-"
    return f"{microseconds(band.median)} ({microseconds(band.low)} to {microseconds(band.high)})"


def _misses(costs: Sequence[dict[str, StructureCost]], operation: str) -> list[list[str]]:
    """Return the rows of misses, the greatest first, under a row that says what they are."""
    greatest: dict[str, float] = {}
    for cost in costs:
        for name, one in cost.items():
            greatest[name] = max(greatest.get(name, 0.0), one.misses_per_operation.median)
    names = [name for name in sorted(greatest, key=lambda each: -greatest[each]) if greatest[name] >= SMALLEST_MISSES]
    rows = []
    for name in names:
        here = [cost.get(name) for cost in costs]
        rows.append([f"  {name}", *("-" if one is None else f"{one.misses_per_operation.median:.3f}" for one in here)])
    return [[f"misses a {operation}"], *rows] if rows else []


def _gains(costs: Sequence[dict[str, StructureCost]], unit: str) -> list[list[str]]:
    """Return the rows of what each structure costs, the dearest first; none where it was not asked."""
    greatest: dict[str, float] = {}
    for cost in costs:
        for name, one in cost.items():
            if one.gain_pps is not None:
                greatest[name] = max(greatest.get(name, -float("inf")), one.gain_pps.median)
    rows = []
    for name in sorted(greatest, key=lambda each: -greatest[each]):
        bands = [cost[name].gain_pps if name in cost else None for cost in costs]
        rows.append([f"  {name}", *("-" if band is None else _gain(band) for band in bands)])
    return [[f"gain if alone in its lines ({unit})"], *rows] if rows else []


def _gain(band: Band) -> str:
    return f"{band.median / 1e6:+.2f} ({band.low / 1e6:+.2f} to {band.high / 1e6:+.2f})"


def sweep_lines(answers: Sequence[Answer]) -> list[str]:
    """Return a sweep as a table with a row for each point, between what was asked and how sure it is.

    Args:
        answers: in the order of the points, at least one.

    """
    shown = [answer.prediction for answer in answers if answer.prediction is not None]
    lines = table(sweep_rows(answers))
    return [head(shown[0], without=answers[0].values), *lines, foot(shown[0])] if shown else lines


def sweep_rows(answers: Sequence[Answer]) -> list[list[str]]:
    """Return the cells of that table, heads first; a point that cannot be says why.

    Args:
        answers: in the order of the points, at least one.

    """
    shown = [answer.prediction for answer in answers if answer.prediction is not None]
    percentiles = list(dict.fromkeys(name for each in shown for name in each.latency_us))
    rows = [
        [*answers[0].values, common_unit(shown), "5 %", "95 %", *(f"p{name} us" for name in percentiles), "limited by"]
    ]
    for answer in answers:
        one = answer.prediction
        if one is None:
            blank = ["-"] * (3 + len(percentiles))
            rows.append([*answer.values.values(), *blank, f"cannot be: {answer.error}"])
            continue
        rate = [mpps(value) for value in (one.rate_pps.median, one.rate_pps.low, one.rate_pps.high)]
        bands = [one.latency_us.get(name) for name in percentiles]
        latency = [microseconds(band.median if band else None) for band in bands]
        rows.append([*answer.values.values(), *rate, *latency, one.limited_by])
    return rows


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines with columns under each other; a row of one cell is a heading of any length."""
    width: dict[int, int] = {}
    for row in rows:
        for column, cell in enumerate(row if len(row) > 1 else ()):
            width[column] = max(width.get(column, 0), len(cell))
    return ["  ".join(cell.ljust(width.get(i, 0)) for i, cell in enumerate(row)).rstrip() for row in rows]


def consistency_lines(found: Consistency) -> list[str]:
    """Return what is predicted with each layout that a published system could have had, and which hold its rate."""
    rows = [
        [f"  {fit.layout}", "holds it" if fit.holds else "does not", _rate(fit.rate_pps), fit.limited_by]
        for fit in found.fits
    ]
    published = f"{found.about}: {mpps(found.published_pps)} Mpps published ({found.machine}, {found.case})"
    return [published, *table(rows)]


def sensitivity_lines(found: Sensitivity) -> list[str]:
    """Return which numbers drive a rate, the greatest effect first, as a table."""
    unit = rate_unit(found.unit)
    rows = [["number", f"effect ({unit})", "+-", "mean with sign", "spread", "range", "source"]]
    driving = [each for each in found.effects if each.mu_star_pps > 0]
    for each in driving:
        millions = (each.mu_star_pps, each.mu_star_error_pps, each.mu_pps, each.sigma_pps)
        size, error, mean, spread = (f"{value / 1e6:.2f}" for value in millions)
        rows.append([each.number, size, error, mean, spread, f"{each.low:g} to {each.high:g} {each.unit}", each.source])
    return [
        f"{found.workload}, on {found.machine}, layout {found.layout}: what drives the rate (Morris, "
        f"{found.trajectories} trajectories, {found.simulations} simulations)",
        *table(rows),
        f"no effect: {', '.join(each.number for each in found.effects if each not in driving) or '-'}",
        f"effects below {found.noise_pps / 1e6:.2f} {unit} are no more than what another seed makes",
    ]
