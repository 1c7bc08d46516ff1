"""Figure of the frame loss rate: loss against load, a line for each frame size (RFC 2544 section 26.3)."""

from __future__ import annotations

from html import escape

import plotly.graph_objects as go

from lab.methods.loss_rate import LossCurve, LossPoint
from lab.report import style
from lab.report.words import mpps, percent


def loss_figure(curves: list[tuple[str, LossCurve]]) -> go.Figure:
    """Draw loss in percent against load in percent of the greatest one.

    RFC 2544 asks for the input rate in percent of the media's; here the greatest load may be less, which the title of
    the axis says.

    Args:
        curves: each with the words for what was unlike the plain case, empty there; at least one.

    """
    figure = go.Figure()
    for number, (variant, curve) in enumerate(curves):
        told = [point for point in curve.points if point.loss_ratio is not None]
        figure.add_scatter(
            x=[point.percent for point in told],
            y=[100.0 * (point.loss_ratio or 0.0) for point in told],
            name=f"{curve.frame_size_bytes} bytes{f', {escape(variant)}' if variant else ''}",
            mode="lines+markers",
            line={"color": style.LOADS[number % len(style.LOADS)], "width": 2},
            marker={"size": 7},
            hovertext=[_point_text(curve, point) for point in told],
            hoverinfo="text",
        )
    limits = ", ".join(dict.fromkeys(escape(curve.limited_by) for _, curve in curves))
    figure.update_layout(
        style.layout(
            {"title": f"load (% of {limits})", "rangemode": "tozero"},
            {"title": "frames lost (%)", "rangemode": "tozero"},
            height=360,
            legend_lines=1 + len(curves) // 4,
        )
    )
    return figure


def _point_text(curve: LossCurve, point: LossPoint) -> str:
    doubt = ", a polling core paused" if point.disturbed else ""
    return (
        f"{curve.frame_size_bytes} bytes, {point.percent:g} %: {mpps(point.rate_pps)} Mpps "
        f"({point.line_percent:.1f} % of line rate)<br>lost {percent(point.loss_ratio or 0.0)}{doubt}"
    )
