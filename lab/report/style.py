"""Colours and layout shared by the figures. Colours are Okabe and Ito's, told apart by colour-blind people as well."""

from __future__ import annotations

from typing import Any

BLACK = "#222222"
GREY = "#777777"
BLUE = "#0072B2"
SKY = "#56B4E9"
GREEN = "#009E73"
ORANGE = "#E69F00"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
TICKS_125 = [m * 10.0**e for e in range(-4, 5) for m in (1, 2, 5)]
LOG_AXIS = {"type": "log", "tickvals": TICKS_125, "ticktext": [f"{t:g}" for t in TICKS_125]}
LOADS = (SKY, BLUE, GREEN, ORANGE, VERMILION, PURPLE, BLACK)


def faint(colour: str, alpha: float) -> str:
    """Return ``#rrggbb`` as a transparent colour; ``alpha`` from 0 to 1."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


def layout(x: dict[str, Any], y: dict[str, Any], height: int, legend_lines: int = 1, title: str = "") -> dict[str, Any]:
    """Return a figure's layout: axes as given, legend below, no decoration.

    Args:
        x: of plotly's xaxis.
        y: of plotly's yaxis.
        height: in pixels; the width follows the page.
        legend_lines: how many lines the legend below the figure takes at an ordinary width.
        title: above the figure; none where the page has a heading.

    """
    grid = {"gridcolor": "#e4e4e4", "zeroline": False, "linecolor": "#999999", "ticks": "outside", "automargin": True}
    return {
        "template": "none",
        "height": height,
        "margin": {"l": 60, "r": 16, "t": 36 if title else 12, "b": 52 + 20 * legend_lines},
        "title": {"text": title, "font": {"size": 14}, "x": 0.02, "xanchor": "left"} if title else None,
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": BLACK},
        "xaxis": {**grid, **x},
        "yaxis": {**grid, **y},
        "legend": {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "font": {"size": 12}},
        "hovermode": "closest",
        "hoverlabel": {"align": "left"},
    }
