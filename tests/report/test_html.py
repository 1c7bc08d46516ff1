"""The report of a recorded run: everything in it, escaped, and drawn by a browser without a complaint or a network."""

import re
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs

from lab.report.html import render, write_report
from lab.results.model import Results
from lab.results.writer import read_results, write_results

from ..results.recorded_run import record_run
from .browser import browse

EVIL = "<script>alert('x')</script></script>&\"<img src=x onerror=alert(1)>"
SECTIONS = (
    *("summary", "sharing", "path", "published", "throughput", "baselines"),
    *("searches", "latency", "reordering", "tests", "provenance"),
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    run_dir = tmp_path_factory.mktemp("reports") / "run-1"
    record_run(run_dir)
    return read_results(write_results(run_dir))


def without_plotly(page: str) -> str:
    library = get_plotlyjs()
    assert page.count(library) == 1
    return page.replace(library, "")


def test_it_has_all_sections_and_numbers(results: Results) -> None:
    page = without_plotly(render(results))
    assert re.findall(r'<section id="(\w+)">', page) == list(SECTIONS)
    pdr = next(m.value for m in results.measurements if m.metric == "PDR" and m.frame_size_bytes == 64)
    assert pdr is not None
    assert (
        f"<title>Failed: 1 of 3 tests - ipv4_routing on virtual - PDR {pdr / 1e6:.3f} Mpps at 64 bytes</title>" in page
    )
    assert page.count(f">{pdr / 1e6:.3f}<") >= 1
    assert "generator ceiling or more" in page
    assert "digests equal" in page
    assert "tcg-then-kvm: ring 0 runs at 1 M instructions/s" in page
    assert "Model CPU" in page
    assert results.image is not None
    assert page.count(results.image.asked_sha256) == 3


def test_it_refers_to_nothing_outside(results: Results) -> None:
    page = without_plotly(render(results))
    assert not re.findall(r"https?:|//[a-z]|@import|url\(", page)
    assert not re.findall(r"<(?:script|img|iframe)[^>]*src|<link[^>]*stylesheet", page)


def test_text_of_the_results_is_escaped(results: Results) -> None:
    latency = results.latency[0].model_copy(update={"load": EVIL, "source": EVIL})
    search = results.searches[0]
    trial = search.trials[0].model_copy(update={"valid": False, "reasons": (EVIL,)})
    outcome = results.tests[0].model_copy(update={"title": EVIL, "message": EVIL})
    rate = results.measurements[0].model_copy(update={"reason": EVIL, "verdict": EVIL, "metric": EVIL})
    evil = results.model_copy(
        update={
            "run_id": EVIL,
            "suite": EVIL,
            "latency": (latency, *results.latency[1:]),
            "searches": (search.model_copy(update={"trials": (trial,), "error": EVIL}),),
            "tests": (outcome,),
            "measurements": (rate,),
            "comparisons": (results.comparisons[0].model_copy(update={"bench": EVIL, "unit": EVIL}),),
            "lab_errors": (EVIL,),
            "notes": (EVIL,),
        }
    )
    page = without_plotly(render(evil))
    assert "<script>alert" not in page
    assert "<img" not in page
    assert page.count("</script>") == 2


@pytest.mark.parametrize(
    ("update", "title"),
    [
        ({"complete": False, "ended_at": None, "exit_code": None}, "Incomplete: the run was killed"),
        ({"tests": (), "exit_code": 0}, "Nothing was tested"),
        ({"tests": (), "exit_code": 12}, "Lab error: results are missing"),
        ({"tests": (), "lab_errors": ("NDR: withheld",)}, "Lab error: results are missing"),
        ({"measurements": (), "searches": (), "latency": (), "reordering": (), "tests": ()}, "Nothing was tested"),
        ({"image": None, "boot": None, "generator": None, "dut": None}, "Failed: 1 of 3 tests"),
    ],
)
def test_it_says_what_became_of_a_run_that_lacks_something(
    results: Results, update: dict[str, object], title: str
) -> None:
    page = without_plotly(render(results.model_copy(update=update)))
    assert f"<title>{title} - " in page
    assert re.findall(r'<section id="(\w+)">', page) == list(SECTIONS)


def test_false_sharing_is_shown_where_it_was_measured(results: Results) -> None:
    page = without_plotly(render(results))
    assert ">0.300<" in page
    assert "0.280 to 0.330" in page
    assert "0.27 (0.20 to 0.41)" in page
    assert '<section id="sharing">' not in without_plotly(render(results.model_copy(update={"comparisons": ()})))


def test_each_rate_has_its_verdict_in_words(results: Results) -> None:
    page = without_plotly(render(results))
    judged = [m for m in results.measurements if m.verdict is not None]
    assert (
        len(re.findall(r"<li>[^<]*consistent with padded, 12 times likelier under padded</li>", page))
        == len(judged)
        > 3
    )
    assert "<td>as simulated</td>" in page


def test_the_images_own_path_and_published_rates_stand_beside_the_simulation(results: Results) -> None:
    page = without_plotly(render(results))
    for text in ("106 (far)", "130 (121 to 142)", "104 (88 to 133)", "1.25"):
        assert f">{text}<" in page
    rows = re.findall(r">routing on &lt;eight&gt; ports: 9.000 Mpps \(e5-2670x2\)<.*?</tr>", page, re.DOTALL)
    assert ["does not" in row for row in rows] == [True, False]
    assert ["holds it" in row for row in rows] == [False, True]


def test_simulated_latencies_stand_beside_measured_ones(results: Results) -> None:
    page = without_plotly(render(results))
    row = '<td class="number">{}</td>' * 5
    shown = row.format("64", "4.25", "1.80", "0.45 (0.35 to 0.86)", "0.45 (0.35 to 0.98)")
    assert f"<td>latency p50, 50 % of NDR, port 0 to 1</td>{shown}" in page


def test_a_mismatch_of_what_booted_is_the_verdict(results: Results) -> None:
    assert results.image is not None
    other = results.image.model_copy(update={"booted_sha256": "00" * 32})
    page = without_plotly(render(results.model_copy(update={"image": other})))
    assert "<title>Failed: what booted is not what was asked for" in page
    assert "digests NOT equal" in page


def test_a_browser_draws_every_figure_without_a_complaint(results: Results, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(results.model_dump_json())
    write_report(tmp_path / "results.json", tmp_path / "index.html")
    page, complaints = browse(tmp_path / "index.html", tmp_path / "profile")
    assert complaints == ""
    drawn = re.findall(r'<div class="figure js-plotly-plot" id="([\w-]+)"', page)
    assert drawn == [
        "sharing-0",
        "throughput-0",
        "baselines-0",
        "search-0",
        "search-1",
        "search-2",
        "search-3",
        "latency-0",
        "latency-1",
        "latency-2",
    ]


def test_the_browser_of_these_tests_does_hear_complaints(tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text("<script>undefinedFunction()</script>")
    assert "undefinedFunction is not defined" in browse(page, tmp_path / "profile")[1]
