"""Check 9 sees a verdict that judges wrongly, and a rate without one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lab.results.model import Results
from lab.results.writer import read_results, write_results
from lab.simulation.prediction import Band
from lab.simulation.validation.verdicts import judge, without_verdict
from lab.simulation.verdict import Expected
from tests.results.recorded_run import record_run

PADDED = Expected("padded", Band(low=50e6, median=60e6, high=72e6), "pcie")
PACKED = Expected("packed", Band(low=10e6, median=14e6, high=20e6), "coherence")


def drawn(expected: Expected) -> list[float]:
    """Return rates that are drawn from a prediction, spread evenly over its shares."""
    band = expected.rate_pps
    shares = (np.arange(200) + 0.5) / 200
    points = np.log((band.low / (band.median / band.low), band.low, band.median, band.high, band.high**2 / band.median))
    return [float(rate) for rate in np.exp(np.interp(shares, (0.0, 0.05, 0.5, 0.95, 1.0), points))]


def test_what_is_drawn_from_a_prediction_is_judged_rightly() -> None:
    judged = judge({"padded": drawn(PADDED), "packed": drawn(PACKED)}, {"padded": PADDED, "packed": PACKED})
    assert judged.right >= 0.9
    assert judged.wrong == 0
    assert judged.misled == 0


def test_truths_of_the_other_layout_are_noticed() -> None:
    judged = judge({"padded": drawn(PACKED), "packed": drawn(PADDED)}, {"padded": PADDED, "packed": PACKED})
    assert judged.right == 0
    assert judged.wrong >= 0.9
    assert judged.misled > 0.5


def stored(folder: Path, results: Results) -> Path:
    """Store results, and return where."""
    path = folder / "changed.json"
    path.write_text(results.model_dump_json())
    return path


def test_a_rate_without_a_verdict_with_numbers_is_named(tmp_path: Path) -> None:
    record_run(tmp_path / "run")
    path = write_results(tmp_path / "run")
    assert without_verdict(path) == ()
    results = read_results(path)
    first, *others = (m for m in results.measurements if m.unit == "pps")
    for update in ({"verdict": None}, {"likelihood_ratio": None}, {"baselines": ()}, {"reason": "padded"}):
        changed = results.model_copy(update={"measurements": (first.model_copy(update=update), *others)})
        assert without_verdict(stored(tmp_path, changed)) == (f"{first.metric} at 64 bytes ({first.test})",)
    assert "no rate at all" in without_verdict(stored(tmp_path, results.model_copy(update={"measurements": ()})))[0]
