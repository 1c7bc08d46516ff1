"""False sharing: measured and simulated ratios of the packed layout to the padded one."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go

from lab.report import style
from lab.results.model import LayoutComparison, Results

_PLACES = {"host": "threads of the host", "image": "in the image", "packets": "packets through the image"}
_ROW_PX = 26


@dataclass(frozen=True)
class SharingRow:
    """One line of the table, as text."""

    what: str
    where: str
    c2c: str
    packed: str
    padded: str
    ratio: str
    interval: str
    simulated: str
    verdict: str
    effect: str
    windows: str
    verified: str


def sharing_rows(results: Results) -> list[SharingRow]:
    """Return a row for each comparison of the run, in its order."""
    return [_row(each) for each in results.comparisons]


def _row(c: LayoutComparison) -> SharingRow:
    per_s = "Mpps" if c.unit == "pps" else f"M {c.unit.removesuffix('/s')}/s"
    return SharingRow(
        what=_what(c),
        where=_PLACES[c.where],
        c2c=f"{c.c2c_ns:.0f}{'' if c.state == 'all' else f' ({c.state})'}" if c.c2c_ns is not None else "-",
        packed=f"{c.packed_rate / 1e6:.2f} {per_s}",
        padded=f"{c.padded_rate / 1e6:.2f} {per_s}",
        ratio=f"{c.ratio:.3f}",
        interval=f"{c.low:.3f} to {c.high:.3f}",
        simulated=f"{c.predicted_median:.2f} ({c.predicted_low:.2f} to {c.predicted_high:.2f})"
        if c.predicted_median is not None
        else "-",
        verdict=c.verdict or "-",
        effect=f"{c.effect:+.2f}",
        windows=f"{c.windows} ({c.left_out})",
        verified={True: "yes", False: "NO", None: "-"}[c.verified],
    )


def _what(c: LayoutComparison) -> str:
    batch = f", batch {c.batch}" if c.batch is not None else ""
    return f"{c.bench}, {c.cores} cores{batch}"


def sharing_figure(results: Results) -> go.Figure:
    """Draw each ratio with its interval, and the simulated band behind it; 1 means that the layout does not matter.

    Args:
        results: of a run with at least one comparison.

    """
    shown = list(reversed(results.comparisons))
    labels = [f"{escape(_what(c))}<br><span style='font-size:10px'>{_state(c)}</span>" for c in shown]
    figure = go.Figure()
    simulated = [(label, c) for label, c in zip(labels, shown, strict=True) if c.predicted_median is not None]
    if simulated:
        figure.add_scatter(
            name="simulated, 5 to 95 %",
            x=[c.predicted_median for _, c in simulated],
            y=[label for label, _ in simulated],
            error_x={
                "type": "data",
                "array": [(c.predicted_high or 0) - (c.predicted_median or 0) for _, c in simulated],
                "arrayminus": [(c.predicted_median or 0) - (c.predicted_low or 0) for _, c in simulated],
                "thickness": 8,
                "width": 0,
                "color": style.faint(style.ORANGE, 0.45),
            },
            mode="markers",
            marker={"color": style.ORANGE, "symbol": "line-ns-open", "size": 12},
        )
    figure.add_scatter(
        name="measured, 95 % confidence",
        x=[c.ratio for c in shown],
        y=labels,
        error_x={
            "type": "data",
            "array": [c.high - c.ratio for c in shown],
            "arrayminus": [c.ratio - c.low for c in shown],
            "thickness": 2,
            "color": style.BLACK,
        },
        mode="markers",
        marker={"color": style.BLACK, "size": 8},
    )
    figure.add_vline(x=1, line={"color": style.GREY, "dash": "dot", "width": 1})
    figure.update_layout(
        style.layout(
            {"title": "packed / padded (below 1 false sharing costs)", **style.LOG_AXIS},
            {"type": "category", "ticks": ""},
            height=140 + _ROW_PX * 2 * len(shown),
        )
    )
    return figure


def _state(c: LayoutComparison) -> str:
    latency = f", {c.c2c_ns:.0f} ns" if c.c2c_ns is not None else ""
    return escape(f"{_PLACES[c.where]}{latency}")
