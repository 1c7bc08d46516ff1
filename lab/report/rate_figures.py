"""Figures of rates: throughput against frame size, and the trials of a search."""

from __future__ import annotations

from html import escape

import plotly.graph_objects as go

from lab.report import style
from lab.report.words import limit_words, mpps, percent
from lab.results.model import BaselineBand, Measurement, Results, Search, SearchTrial

_METRICS = {"NDR": (style.BLACK, "circle"), "PDR": (style.VERMILION, "diamond"), "throughput": (style.PURPLE, "square")}
_BANDS = {("host", "padded"): style.BLUE, ("host", "packed"): style.ORANGE}


def throughput_figure(results: Results) -> go.Figure:
    """Draw the rates found against frame size, with line rate, generator ceiling and the simulated bands.

    Args:
        results: of a run with at least one rate.

    """
    rates = [m for m in results.measurements if m.unit == "pps"]
    sizes = sorted({m.frame_size_bytes for m in rates})
    figure = go.Figure()
    for machine, layout in dict.fromkeys((b.machine, b.layout) for m in rates for b in m.baselines):
        _add_band(figure, rates, machine, layout)
    _add_cap(figure, {m.frame_size_bytes: m.line_rate_pps for m in rates}, "line rate", style.BLACK, "dash")
    _add_cap(figure, {m.frame_size_bytes: m.ceiling_pps for m in rates}, "generator ceiling", style.GREY, "dot")
    for metric in dict.fromkeys(m.metric for m in rates):
        _add_metric(figure, metric, [m for m in rates if m.metric == metric and m.value is not None])
    figure.update_layout(
        style.layout(
            {
                "title": "frame size (bytes with FCS)",
                "type": "log",
                "tickvals": sizes,
                "ticktext": [str(s) for s in sizes],
            },
            {"title": "Mpps, sum of directions", **style.LOG_AXIS},
            height=480,
            legend_lines=3,
        )
    )
    return figure


def _add_band(figure: go.Figure, rates: list[Measurement], machine: str, layout: str) -> None:
    found: dict[int, BaselineBand] = {
        m.frame_size_bytes: b for m in rates for b in m.baselines if (b.machine, b.layout) == (machine, layout)
    }
    bands = sorted(found.items())
    colour = _BANDS.get((machine, layout), style.SKY if layout == "padded" else style.PURPLE)
    own = machine == "host"
    name = f"simulated: {'this machine' if own else machine}, {layout}"
    shown = {"legendgroup": name, "visible": True if own else "legendonly"}
    x = [size for size, _ in bands]
    figure.add_scatter(
        x=x + x[::-1],
        y=[b.high_pps / 1e6 for _, b in bands] + [b.low_pps / 1e6 for _, b in bands][::-1],
        mode="lines",
        fill="toself",
        fillcolor=style.faint(colour, 0.18),
        line={"width": 4 if len(bands) == 1 else 0, "color": style.faint(colour, 0.4)},
        hoverinfo="skip",
        showlegend=False,
        **shown,
    )
    figure.add_scatter(
        x=x,
        y=[b.median_pps / 1e6 for _, b in bands],
        name=escape(name),
        mode="lines+markers",
        line={"color": colour, "width": 1.5, "dash": "solid" if layout == "padded" else "dashdot"},
        marker={"size": 5, "symbol": "line-ew-open"},
        hovertext=[
            f"{escape(name)}<br>{size} bytes: {mpps(b.median_pps)} Mpps ({mpps(b.low_pps)} to {mpps(b.high_pps)})"
            f"<br>limited by {escape(b.limited_by)}"
            for size, b in bands
        ],
        hoverinfo="text",
        **shown,
    )


def _add_cap(figure: go.Figure, caps: dict[int, float | None], name: str, colour: str, dash: str) -> None:
    known = sorted((size, cap) for size, cap in caps.items() if cap is not None)
    if known:
        figure.add_scatter(
            x=[size for size, _ in known],
            y=[cap / 1e6 for _, cap in known],
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 1.5},
            marker={"size": 4},
            hovertemplate=f"{name}<br>%{{x}} bytes: %{{y:.3f}} Mpps<extra></extra>",
        )


def _add_metric(figure: go.Figure, metric: str, found: list[Measurement]) -> None:
    found = sorted(found, key=lambda m: m.frame_size_bytes)
    colour, symbol = _METRICS.get(metric, (style.GREEN, "cross"))
    figure.add_scatter(
        x=[m.frame_size_bytes for m in found],
        y=[(m.value or 0.0) / 1e6 for m in found],
        name=f"measured: {escape(metric)}",
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"size": 10, "symbol": symbol, "line": {"color": "white", "width": 1}},
        hovertext=[_measured_text(m) for m in found],
        hoverinfo="text",
    )


def _measured_text(measurement: Measurement) -> str:
    share = (
        f", {percent((measurement.value or 0) / measurement.line_rate_pps)} of line rate"
        if measurement.line_rate_pps
        else ""
    )
    bound = limit_words(measurement) or f"upper bound {mpps(measurement.high)} Mpps"
    return (
        f"{escape(measurement.metric)} at {measurement.frame_size_bytes} bytes<br>"
        f"{mpps(measurement.value)} Mpps{share}<br>{bound}"
    )


def search_figure(search: Search) -> go.Figure:
    """Draw the load of each trial of a search in order, marked loss-free, lossy or invalid."""
    numbered = list(enumerate(search.trials, start=1))
    figure = go.Figure()
    figure.add_scatter(
        x=[n for n, _ in numbered],
        y=[t.rate_pps / 1e6 for _, t in numbered],
        mode="lines",
        line={"color": "#cccccc", "width": 1},
        hoverinfo="skip",
        showlegend=False,
    )
    for name, colour, symbol, trials in (
        ("loss-free", style.BLUE, "circle", [(n, t) for n, t in numbered if t.valid and t.loss_ratio == 0]),
        ("lossy", style.VERMILION, "x", [(n, t) for n, t in numbered if t.valid and t.loss_ratio > 0]),
        ("invalid or in doubt", style.GREY, "diamond-open", [(n, t) for n, t in numbered if not t.valid]),
    ):
        figure.add_scatter(
            x=[n for n, _ in trials],
            y=[t.rate_pps / 1e6 for _, t in trials],
            name=name,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 9},
            hovertext=[_trial_text(n, t) for n, t in trials],
            hoverinfo="text",
        )
    figure.update_layout(
        style.layout(
            {"title": "trial", "rangemode": "tozero"},
            {"title": "load (Mpps)", "rangemode": "tozero"},
            height=300,
            title=f"{escape(search.kind)}, {search.frame_size_bytes} bytes",
        )
    )
    return figure


def _trial_text(number: int, trial: SearchTrial) -> str:
    lines = [
        f"trial {number}: {mpps(trial.rate_pps)} Mpps for {trial.duration_s:g} s",
        f"loss {percent(trial.loss_ratio)}" + (", a polling core paused" if trial.disturbed else ""),
        *(escape(reason) for reason in trial.reasons),
    ]
    return "<br>".join(lines)
