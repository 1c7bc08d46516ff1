"""Figure of latency: percentile curves of every load and direction at one frame size."""

from __future__ import annotations

from html import escape

import plotly.graph_objects as go

from lab.methods.latency import LatencyAtLoad
from lab.report import style

_SHOWN_PERCENTILES = (0, 50, 90, 99, 99.9, 99.99, 99.999, 99.9999)


def latency_figure(frame_size_bytes: int, latencies: list[LatencyAtLoad], floor_us: float | None) -> go.Figure:
    """Draw latency against 1 / (1 - p) on a logarithmic axis, so that each further nine takes the same width.

    Args:
        frame_size_bytes: for the title.
        latencies: of this frame size, at least one.
        floor_us: median latency of the generator by itself, drawn as a line; None where not calibrated.

    """
    figure = go.Figure()
    loads = list(dict.fromkeys(one.load for one in latencies))
    directions = sorted({(one.tx_port, one.rx_port) for one in latencies})
    for one in latencies:
        direction = f"port {one.tx_port} to {one.rx_port}"
        figure.add_scatter(
            x=[100.0 / (100.0 - p) for p, _ in one.curve],
            y=[us for _, us in one.curve],
            name=f"{escape(one.load)}, {direction}",
            mode="lines",
            line={
                "color": style.LOADS[loads.index(one.load) % len(style.LOADS)],
                "dash": ("solid", "dash", "dot", "dashdot")[directions.index((one.tx_port, one.rx_port)) % 4],
                "width": 2,
                "shape": "hv",
            },
            hovertext=[f"{escape(one.load)}, {direction}<br>{p:g} %: {us:.3g} us" for p, us in one.curve],
            hoverinfo="text",
        )
    most = max((one.samples for one in latencies), default=1)
    if floor_us is not None:
        figure.add_scatter(
            x=[1, max(2, most)],
            y=[floor_us, floor_us],
            name="generator alone (median)",
            mode="lines",
            line={"color": style.GREY, "dash": "dot", "width": 1.5},
            hovertemplate="generator alone: %{y:.3g} us<extra></extra>",
        )
    shown = [p for p in _SHOWN_PERCENTILES if 100.0 / (100.0 - p) <= 1.05 * most]
    figure.update_layout(
        style.layout(
            {
                "title": "percentile",
                "type": "log",
                "tickvals": [100.0 / (100.0 - p) for p in shown],
                "ticktext": [f"{p:g} %" for p in shown],
            },
            {"title": "latency (us)", **style.LOG_AXIS},
            height=420,
            legend_lines=len(figure.data) // 2 + 1,
            title=f"{frame_size_bytes} bytes",
        )
    )
    return figure
