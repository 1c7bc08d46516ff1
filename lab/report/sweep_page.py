"""A sweep as a page: figures, table and sources in one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from lab.report.html import script_json
from lab.report.prediction_lines import head, sweep_rows
from lab.report.sweep_figure import latency_figure, rate_figure
from lab.simulation.sweep_record import Answer

PERCENTILE = "99"
"""Of latency, where the workload has one."""


def render(answers: Sequence[Answer]) -> str:
    """Return the page as HTML, all text escaped.

    Args:
        answers: of one sweep, in the order of its points, at least one with a prediction.

    """
    shown = [answer.prediction for answer in answers if answer.prediction is not None]
    figures = [rate_figure(answers)]
    if any(PERCENTILE in one.latency_us for one in shown):
        figures.append(latency_figure(answers, PERCENTILE))
    environment = Environment(
        loader=PackageLoader("lab.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    heads, *rows = sweep_rows(answers)
    return environment.get_template("sweep.html.j2").render(
        title=f"{shown[0].workload} by {', '.join(answers[0].values)}",
        head=head(shown[0], without=answers[0].values),
        heads=heads,
        rows=rows,
        parameters=shown[0].parameters,
        swept=answers[0].values,
        figures=[{"id": f"figure-{n}", "json": script_json(figure)} for n, figure in enumerate(figures)],
        plotly=Markup(get_plotlyjs()),
    )
