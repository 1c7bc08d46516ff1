"""Writes the report of a run: one HTML file with everything in it, plotly.js included."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from lab.report import finding_rows, page, simulation_rows, words
from lab.report.latency_figure import latency_figure
from lab.report.loss_figure import loss_figure
from lab.report.rate_figures import search_figure, throughput_figure
from lab.report.sharing_figure import sharing_figure, sharing_rows
from lab.report.verdict_figure import Judged, judged_tests
from lab.results.model import Results
from lab.results.writer import read_results


def write_report(results_path: Path, out_path: Path) -> None:
    """Write the report of a run, replacing an earlier one in one step.

    Args:
        results_path: a results.json.
        out_path: HTML file to write.

    Raises:
        UsageError: there is no valid results.json.

    """
    text = render(read_results(results_path))
    temporary = out_path.with_name(f".{out_path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(out_path)


def render(results: Results) -> str:
    """Return the report as HTML. Text of the results is escaped, in figures as well."""
    environment = Environment(
        loader=PackageLoader("lab.report", "."),
        autoescape=select_autoescape(default_for_string=True, default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(us=words.microseconds, mpps=words.mpps, percent=words.percent)
    kind, verdict = words.outcome(results)
    judged = judged_tests(results)
    return environment.get_template("report.html.j2").render(
        results=results,
        kind=kind,
        verdict=verdict,
        headline=words.headline(results),
        facts=page.facts(results),
        rates=page.rate_rows(results),
        others=page.other_rows(results),
        sharing=sharing_rows(results),
        found=_tables(results),
        judged=judged,
        figures=_figures(results, judged),
        plotly=Markup(get_plotlyjs()),
    )


def _tables(results: Results) -> dict[str, list[finding_rows.Row]]:
    """Return the rows of the tables of findings by their names."""
    return {
        "back_to_back": finding_rows.back_to_back_rows(results),
        "recovery": finding_rows.recovery_rows(results),
        "resets": finding_rows.reset_rows(results),
        "receive_rate": finding_rows.receive_rate_rows(results),
        "soak": finding_rows.soak_rows(results),
        "critical_load": finding_rows.critical_load_rows(results),
        "in_turns": finding_rows.in_turns_rows(results),
        "jitter": finding_rows.jitter_rows(results),
        "order": finding_rows.order_rows(results),
        "hops": finding_rows.hop_rows(results),
        "path": simulation_rows.path_rows(results),
        "simulated_latency": simulation_rows.latency_rows(results),
        "published": simulation_rows.published_rows(results),
    }


def _figures(results: Results, judged: list[Judged]) -> dict[str, list[dict[str, Any]]]:
    """Return the figures of each section, as an id and JSON that may stand in a script element."""
    searched = [s for s in results.searches if s.kind in ("NDR+PDR", "throughput") and s.trials]
    floors = results.generator.latency_floor_us if results.generator else {}
    sizes = sorted({one.frame_size_bytes for one in results.latency})
    curves = [(one.variant, one.loss_curve) for one in results.findings if one.loss_curve]
    sections = {
        "throughput": [throughput_figure(results)] if any(m.unit == "pps" for m in results.measurements) else [],
        "sharing": [sharing_figure(results)] if results.comparisons else [],
        "baselines": [one.figure for one in judged],
        "loss": [loss_figure(curves)] if curves else [],
        "search": [search_figure(s) for s in searched],
        "latency": [
            latency_figure(size, [x for x in results.latency if x.frame_size_bytes == size], floors.get(size))
            for size in sizes
        ],
    }
    return {
        section: [{"id": f"{section}-{n}", "json": script_json(figure)} for n, figure in enumerate(figures)]
        for section, figures in sections.items()
    }


def script_json(figure: go.Figure) -> Markup:
    """Return a figure as JSON that may stand in a script element."""
    text = json.dumps(json.loads(figure.to_json()), separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
