"""Check 9: the verdict tells synthetic measurements apart as often as it says, and each measured rate has one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import UsageError
from lab.paths import ROOT
from lab.results.writer import read_results
from lab.simulation.layout import LayoutName, default
from lab.simulation.machines import load
from lab.simulation.prediction import Band, Question
from lab.simulation.prediction.predictor import samples, summary
from lab.simulation.validation.check import Check
from lab.simulation.verdict import Expected, Measured, compare
from lab.simulation.workload.case import Case

EXAMPLE = ROOT / "reports" / "example" / "results.json"
MACHINE, WORKLOAD = "e5-2670x2", "ipv4-routing"
HIDDEN_SEEDS = (101, 102, 103, 104, 105)
BRACKET = 1.01  # a search ends within about a percent
RIGHT_LIMIT = 0.83
"""The bands hold 90 % of what is drawn from them; 80 measurements show less than 83 % of it once in forty times."""
HIGH_RATIO = 100.0
"""A likelihood ratio above k for the wrong layout is found with a chance of at most 1 / k, whatever the predictions."""
LAYOUTS: tuple[LayoutName, ...] = ("padded", "packed")


@dataclass(frozen=True)
class Judgement:
    """What became of measurements whose layout is known: shares of 1."""

    right: float
    wrong: float
    misled: float


def judgements(jobs: int = 1) -> Check:
    """Judge synthetic measurements, made with numbers that no prediction has drawn, and look at a stored run.

    Raises:
        LabError: the machine cannot be simulated, or there is no stored run.

    """
    questions = {name: Question(load(MACHINE), WORKLOAD, default(name, Case().cores), Case()) for name in LAYOUTS}
    expected: dict[str, Expected] = {}
    truths: dict[str, list[float]] = {}
    for name, question in questions.items():
        predicted = summary(question, samples(question, jobs), {})
        expected[name] = Expected(name, predicted.rate_pps, predicted.limited_by)
        hidden = Question(question.machine, WORKLOAD, question.layout, question.case, HIDDEN_SEEDS)
        truths[name] = [each.rate_pps for each in samples(hidden, jobs)]
    judged = judge(truths, expected)
    missing = without_verdict(EXAMPLE)
    return Check(
        number=9,
        name="verdicts",
        holds=judged.right >= RIGHT_LIMIT and judged.misled == 0 and not missing,
        figure=f"{judged.right:.0%} of {sum(map(len, truths.values()))} synthetic measurements are judged rightly, "
        f"{judged.wrong:.0%} wrongly, {judged.misled:.0%} with a likelihood ratio above {HIGH_RATIO:.0f} for the wrong "
        f"layout; {_stored(missing)}",
        value=judged.right,
        relation="at least",
        limit=RIGHT_LIMIT,
        detail=(*(_words(each) for each in expected.values()), *(f"without a verdict: {each}" for each in missing)),
    )


def _stored(missing: tuple[str, ...]) -> str:
    if missing:
        return f"{len(missing)} rates of the stored run lack a verdict with numbers, or it cannot be read"
    return "every rate of the stored run has a verdict with numbers"


def judge(truths: Mapping[str, Sequence[float]], expected: Mapping[str, Expected]) -> Judgement:
    """Judge rates whose layout is known.

    A verdict is right where it names the layout or both, and wrong where it names the other one alone; it misleads
    where the likelihood ratio for the other one is high.

    Args:
        truths: rates a second, by layout.
        expected: what is predicted of each.

    """
    right = wrong = misled = 0
    for layout, rates in truths.items():
        for rate in rates:
            verdict = compare(Measured(rate / BRACKET, rate * BRACKET), expected["padded"], expected["packed"], None)
            right += verdict.consistent_with in (layout, "both")
            wrong += verdict.consistent_with in set(LAYOUTS) - {layout}
            ratio = verdict.likelihood_ratio
            misled += (1 / ratio if layout == "padded" else ratio) > HIGH_RATIO
    total = sum(map(len, truths.values()))
    return Judgement(right / total, wrong / total, misled / total)


def without_verdict(path: Path) -> tuple[str, ...]:
    """Return the rates of a stored run that have a value and no verdict with numbers, or why the run cannot be read."""
    try:
        results = read_results(path)
    except UsageError as error:
        return (str(error),)
    rates = [m for m in results.measurements if m.unit == "pps" and m.value is not None]
    if not rates:
        return (f"{path}: no rate at all",)
    return tuple(
        f"{m.metric} at {m.frame_size_bytes} bytes ({m.test})"
        for m in rates
        if not (m.verdict and m.baselines and m.likelihood_ratio and _numbers(m.reason or "") >= 5)
    )


def _numbers(text: str) -> int:
    return len(re.findall(r"\d+\.\d+", text))


def _words(each: Expected) -> str:
    band: Band = each.rate_pps
    return f"{each.layout}: {band.low / 1e6:.1f} to {band.high / 1e6:.1f} Mpps, limited by {each.limited_by}"
