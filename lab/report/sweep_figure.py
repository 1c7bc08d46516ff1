"""A sweep as a figure: rate, or a percentile of latency, along one axis, a line for each combination of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import plotly.graph_objects as go

from lab.report import style
from lab.report.prediction_lines import common_unit
from lab.simulation.prediction.model import Band, Prediction
from lab.simulation.sweep_record import Answer

LOG_FROM = 16
"""An axis whose last value is this many times its first is drawn logarithmic."""

Measure = Callable[[Prediction], Band | None]


def rate_figure(answers: Sequence[Answer]) -> go.Figure:
    """Draw the rate in millions of operations a second.

    Args:
        answers: of one sweep, in the order of its points, at least one with a prediction.

    """
    unit = common_unit([answer.prediction for answer in answers if answer.prediction is not None])
    return _figure(answers, f"{unit}, all cores together", lambda one: one.rate_pps, 1e-6)


def latency_figure(answers: Sequence[Answer], percentile: str) -> go.Figure:
    """Draw a percentile of latency in microseconds; arguments as of :func:`rate_figure`."""
    return _figure(answers, f"latency p{percentile} (us)", lambda one: one.latency_us.get(percentile), 1.0)


def along(answers: Sequence[Answer]) -> str:
    """Return the axis that is drawn to the right: the one of numbers with most values, else the first."""
    axes = list(answers[0].values)
    values = {axis: _values(answers, axis) for axis in axes}
    numeric = [axis for axis in axes if all(_is_number(value) for value in values[axis])]
    return max(numeric, key=lambda axis: len(values[axis]), default=axes[0])


def _values(answers: Sequence[Answer], axis: str) -> list[str]:
    return list(dict.fromkeys(answer.values[axis] for answer in answers))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _figure(answers: Sequence[Answer], title: str, measure: Measure, scale: float) -> go.Figure:
    axis = along(answers)
    numeric = all(_is_number(value) for value in _values(answers, axis))
    figure = go.Figure()
    lines: dict[str, list[tuple[str, Band]]] = {}
    for answer in answers:
        band = measure(answer.prediction) if answer.prediction is not None else None
        if band is not None:
            name = ", ".join(f"{other} {value}" for other, value in answer.values.items() if other != axis)
            lines.setdefault(name or "predicted", []).append((answer.values[axis], band))
    for number, (name, found) in enumerate(lines.items()):
        _add_line(figure, name, found, style.LOADS[number % len(style.LOADS)], numeric, scale)
    figure.update_layout(
        style.layout(
            _x_axis(axis, _values(answers, axis), numeric),
            {"title": title, "rangemode": "tozero"},
            height=460,
            legend_lines=1 + len(lines) // 4,
        )
    )
    return figure


def _x_axis(axis: str, values: Sequence[str], numeric: bool) -> dict[str, object]:
    if not numeric:
        return {"title": escape(axis), "type": "category"}
    numbers = sorted(float(value) for value in values)
    if numbers[0] > 0 and numbers[-1] >= LOG_FROM * numbers[0]:
        return {"title": escape(axis), "type": "log", "tickvals": numbers, "ticktext": [f"{n:g}" for n in numbers]}
    return {"title": escape(axis)}


def _add_line(
    figure: go.Figure, name: str, found: Sequence[tuple[str, Band]], colour: str, numeric: bool, scale: float
) -> None:
    """Draw one line with its 5 to 95 % band; between names, where there is nothing, bars instead of a band."""
    points = sorted(found, key=lambda each: float(each[0])) if numeric else found
    x = [float(value) if numeric else value for value, _ in points]
    low, median, high = ([getattr(band, each) * scale for _, band in points] for each in ("low", "median", "high"))
    if numeric:
        figure.add_scatter(
            x=x + x[::-1],
            y=high + low[::-1],
            mode="lines",
            fill="toself",
            fillcolor=style.faint(colour, 0.18),
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
            legendgroup=name,
        )
    spread = {
        "type": "data",
        "array": [h - m for h, m in zip(high, median, strict=True)],
        "arrayminus": [m - b for b, m in zip(low, median, strict=True)],
        "visible": not numeric,
    }
    figure.add_scatter(
        x=x,
        y=median,
        error_y=spread,
        name=escape(name),
        legendgroup=name,
        mode="lines+markers" if numeric else "markers",
        line={"color": colour, "width": 2},
        marker={"size": 7},
        hovertext=[
            f"{escape(name)}<br>{escape(str(value))}: {m:.4g} ({b:.4g} to {h:.4g})"
            for value, m, b, h in zip(x, median, low, high, strict=True)
        ],
        hoverinfo="text",
    )
