"""Measured rates beside what was simulated of them: one figure a test, with the verdicts in words."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go

from lab.report import style
from lab.report.words import limit_words, mpps
from lab.results.model import BaselineBand, Measurement, Results
from lab.simulation.verdict import in_words

_ROW_PX = 54
_COLOURS = {"padded": style.BLUE, "packed": style.ORANGE}
_COLOURS_ELSEWHERE = {"padded": style.SKY, "packed": style.PURPLE}
_OFFSETS = {"padded": 0.16, "packed": -0.16}


@dataclass(frozen=True)
class Judged:
    """One test: its figure, and a line of text for each of its rates."""

    test: str
    figure: go.Figure
    lines: tuple[str, ...]


def judged_tests(results: Results) -> list[Judged]:
    """Return the tests of a run that measured rates with a simulated baseline, in their order."""
    rates = [m for m in results.measurements if m.unit == "pps" and m.value is not None and m.baselines]
    return [
        Judged(test, _figure(found), tuple(_line(m) for m in found))
        for test in dict.fromkeys(m.test for m in rates)
        for found in ([m for m in rates if m.test == test],)
    ]


def _line(m: Measurement) -> str:
    ratio = f", {in_words(m.likelihood_ratio)}" if m.likelihood_ratio is not None else ""
    limit = f" ({limit_words(m)})" if limit_words(m) else ""
    return (
        f"{_what(m)}: {mpps(m.value)} Mpps{limit}, consistent with {m.verdict or 'nothing that was looked at'}{ratio}"
    )


def _what(m: Measurement) -> str:
    return f"{m.metric}, {m.frame_size_bytes} bytes"


def _figure(found: list[Measurement]) -> go.Figure:
    """Draw a row for each rate: bands of padded and packed, the measured point with its bracket, line rate, ceiling."""
    rows = [(len(found) - number, m) for number, m in enumerate(found)]
    figure = go.Figure()
    for machine, layout in dict.fromkeys((b.machine, b.layout) for m in found for b in m.baselines):
        bands = [(row, b) for row, m in rows for b in m.baselines if (b.machine, b.layout) == (machine, layout)]
        _add_bands(figure, bands)
    caps = {"line rate": [m.line_rate_pps for m in found], "generator ceiling": [m.ceiling_pps for m in found]}
    for (name, values), colour in zip(caps.items(), (style.BLACK, style.GREY), strict=True):
        known = [(row, cap) for (row, _), cap in zip(rows, values, strict=True) if cap is not None]
        if known:
            figure.add_scatter(
                x=[cap / 1e6 for _, cap in known],
                y=[row for row, _ in known],
                name=name,
                mode="markers",
                marker={"color": colour, "symbol": "line-ns-open", "size": 22, "line": {"width": 2}},
                hovertemplate=f"{name}: %{{x:.3f}} Mpps<extra></extra>",
            )
    _add_measured(figure, rows)
    ticks = {"tickvals": [row for row, _ in rows], "ticktext": [escape(_what(m)) for _, m in rows]}
    figure.update_layout(
        style.layout(
            {"title": "Mpps, sum of directions", **style.LOG_AXIS},
            {**ticks, "range": [0.4, len(rows) + 0.6], "showgrid": False, "ticks": ""},
            height=150 + _ROW_PX * len(rows),
            legend_lines=3,
        )
    )
    return figure


def _add_bands(figure: go.Figure, bands: list[tuple[int, BaselineBand]]) -> None:
    machine, layout = bands[0][1].machine, bands[0][1].layout
    own = machine == "host"
    colour = (_COLOURS if own else _COLOURS_ELSEWHERE).get(layout, style.GREEN)
    name = escape(f"simulated: {'this machine' if own else machine}, {layout}")
    figure.add_scatter(
        x=[b.median_pps / 1e6 for _, b in bands],
        y=[row + _OFFSETS.get(layout, 0.0) for row, _ in bands],
        error_x={
            "type": "data",
            "array": [(b.high_pps - b.median_pps) / 1e6 for _, b in bands],
            "arrayminus": [(b.median_pps - b.low_pps) / 1e6 for _, b in bands],
            "thickness": 10,
            "width": 0,
            "color": style.faint(colour, 0.45),
        },
        name=name,
        mode="markers",
        marker={"color": colour, "symbol": "line-ns-open", "size": 12},
        hovertext=[
            f"{name}<br>{mpps(b.median_pps)} Mpps ({mpps(b.low_pps)} to {mpps(b.high_pps)})"
            f"<br>limited by {escape(b.limited_by)}"
            for _, b in bands
        ],
        hoverinfo="text",
        visible=True if own else "legendonly",
    )


def _add_measured(figure: go.Figure, rows: list[tuple[int, Measurement]]) -> None:
    figure.add_scatter(
        x=[(m.value or 0.0) / 1e6 for _, m in rows],
        y=[row for row, _ in rows],
        error_x={
            "type": "data",
            "array": [max((m.high or m.value or 0.0) - (m.value or 0.0), 0.0) / 1e6 for _, m in rows],
            "arrayminus": [0.0 for _ in rows],
            "thickness": 2,
            "color": style.BLACK,
        },
        name="measured",
        mode="markers+text",
        marker={"color": style.BLACK, "size": 10, "symbol": "diamond"},
        text=[escape(m.verdict or "") for _, m in rows],
        textposition="top center",
        hovertext=[escape(_line(m)) for _, m in rows],
        hoverinfo="text",
    )
