"""A sweep as a page and as text: what stands in them is what was predicted."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from lab.report.prediction_lines import consistency_lines, sensitivity_lines, side_by_side, sweep_lines
from lab.report.sweep_figure import along, rate_figure
from lab.report.sweep_page import render
from lab.simulation.consistency import Consistency, Fit
from lab.simulation.prediction.model import Band, Parameter, Prediction, StructureCost
from lab.simulation.prediction.sensitivity import Effect, Sensitivity
from lab.simulation.sweep_record import Answer
from lab.simulation.workload.case import Case
from tests.report.browser import browse


def band(median: float) -> Band:
    return Band(low=median * 0.8, median=median, high=median * 1.1)


def prediction(layout: str, rate_pps: float, misses: float = 1.0) -> Prediction:
    return Prediction(
        machine="m <b>",
        workload="ipv4-routing",
        layout=layout,
        case=Case(),
        unit="packets",
        rate_pps=band(rate_pps),
        limited_by="coherence",
        latency_us={"99": band(12.0)},
        structures=(
            StructureCost(structure="ring.tail", misses_per_operation=band(misses), gain_pps=band(2e6)),
            StructureCost(structure="core.packets", misses_per_operation=band(2 * misses)),
        ),
        parameters={"near": Parameter(value=32.4, low=26.7, high=41.3, unit="ns", source="published: <here>")},
        draws=40,
        model_version="2",
    )


def answers() -> list[Answer]:
    rates = {("padded", "1"): 20e6, ("padded", "64"): 70e6, ("packed", "1"): 10e6, ("packed", "64"): 30e6}
    found = [
        Answer(digest=f"{i}", values={"layout": layout, "batch": batch}, prediction=prediction(layout, rate))
        for i, ((layout, batch), rate) in enumerate(rates.items())
    ]
    return [*found, Answer(digest="9", values={"layout": "packed", "batch": "128"}, error="queue too <short>")]


def test_the_figure_has_a_line_a_layout_along_the_numbers() -> None:
    assert along(answers()) == "batch"
    figure = rate_figure(answers())
    lines = {trace.name: trace for trace in figure.data if trace.name}
    assert set(lines) == {"layout padded", "layout packed"}
    assert list(lines["layout packed"].x) == [1.0, 64.0]
    assert list(lines["layout packed"].y) == [10.0, 30.0]
    assert figure.layout.xaxis.type == "log"


def test_names_are_drawn_with_bars_where_there_are_no_numbers() -> None:
    found = [each.model_copy(update={"values": {"layout": each.values["layout"]}}) for each in answers()[1:4:2]]
    (trace,) = rate_figure(found).data
    assert list(trace.x) == ["padded", "packed"]
    assert list(trace.error_y.array) == [7.0, 3.0]


def test_the_page_needs_nothing_else_and_escapes_what_it_shows() -> None:
    page = render(answers())
    assert page.count("Plotly.newPlot(id") == 1
    assert not re.search(r'<(script|link|img)[^>]*(src|href)="http', page)
    assert "m &lt;b&gt;" in page
    assert "<b>" not in page.split("<script>")[0]
    assert "queue too &lt;short&gt;" in page
    assert page.count('class="figure"') == 2
    cells = [unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", page)]
    assert cells[:4] == ["padded", "1", "20.00", "16.00"]
    assert "published: <here>" in cells


def test_layouts_stand_side_by_side_with_the_dearest_structure_first() -> None:
    lines = side_by_side([prediction("padded", 70e6, 0.5), prediction("packed", 30e6)])
    text = "\n".join(lines)
    assert "layout" not in lines[0]
    assert lines[1].split() == ["padded", "packed"]
    assert "70.00 (56.00 to 77.00)" in text
    assert lines.index("misses a packet") + 1 == next(i for i, line in enumerate(lines) if "core.packets" in line)
    assert "+2.00 (+1.60 to +2.20)" in text
    assert lines[-1].startswith("median (5 to 95 %) of 40 draws; priors alone")


def test_a_published_rate_stands_above_the_layouts_that_hold_it_or_do_not() -> None:
    fit = Fit(layout="two words packed", rate_pps=band(10e6), limited_by="coherence", holds=True)
    other = fit.model_copy(update={"layout": "padded", "rate_pps": band(70e6), "holds": False})
    found = Consistency(about="routing", published_pps=9e6, machine="m", case="8 ports", fits=(fit, other))
    assert consistency_lines(found) == [
        "routing: 9.000 Mpps published (m, 8 ports)",
        "  two words packed  holds it  10.00 (8.000 to 11.00)  coherence",
        "  padded            does not  70.00 (56.00 to 77.00)  coherence",
    ]


def test_only_numbers_with_an_effect_have_a_row() -> None:
    effect = Effect(
        number="far", mu_star_pps=2e6, mu_star_error_pps=1e5, mu_pps=-2e6, sigma_pps=1e6, low=111, high=147,
        unit="ns", source="published",
    )  # fmt: skip
    none = effect.model_copy(update={"number": "near", "mu_star_pps": 0.0})
    found = Sensitivity(
        machine="m", workload="w", layout="packed", case=Case(), unit="packets", trajectories=10, simulations=30,
        noise_pps=5e4, effects=(effect, none),
    )  # fmt: skip
    lines = sensitivity_lines(found)
    assert lines[2].split()[:5] == ["far", "2.00", "0.10", "-2.00", "1.00"]
    assert lines[3:] == ["no effect: near", "effects below 0.05 Mpps are no more than what another seed makes"]


def test_a_sweep_has_a_row_a_point() -> None:
    lines = sweep_lines(answers())
    assert lines[1].split() == ["layout", "batch", "Mpps", "5", "%", "95", "%", "p99", "us", "limited", "by"]
    assert lines[2].split()[:3] == ["padded", "1", "20.00"]
    assert lines[6].endswith("cannot be: queue too <short>")
    assert "batch" not in lines[0]


def test_a_browser_draws_its_figures_without_a_complaint(tmp_path: Path) -> None:
    (tmp_path / "sweep.html").write_text(render(answers()))
    page, complaints = browse(tmp_path / "sweep.html", tmp_path / "profile")
    assert complaints == ""
    assert re.findall(r'<div class="figure js-plotly-plot" id="([\w-]+)"', page) == ["figure-0", "figure-1"]
