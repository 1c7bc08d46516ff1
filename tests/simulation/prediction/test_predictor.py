"""Predictions: an interval on everything, the same for the same question, bounded by every cap."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.simulation import machines, native
from lab.simulation.caps import caps_pps, line_rate_pps
from lab.simulation.errors import SimulationError
from lab.simulation.layout import LayoutName, default
from lab.simulation.prediction import Question, predict
from lab.simulation.workload.case import Case

SMALL = Case(ports=4, cores=4)
TALK = machines.load("e5-2670x2")
LAYOUTS: tuple[LayoutName, ...] = ("padded", "packed")


def ask(layout: LayoutName = "packed", case: Case = SMALL, **changes: object) -> Question:
    question = Question(TALK, "ipv4-routing", default(layout, case.cores), case, seeds=(1,))
    return replace(question, **changes)  # type: ignore[arg-type]


def test_the_same_question_has_the_same_answer_whatever_runs_beside() -> None:
    alone = predict(ask())
    assert predict(ask(), jobs=3) == alone
    assert predict(pickle.loads(pickle.dumps(ask()))) == alone
    assert predict(ask(seeds=(2,))) != alone


def test_questions_are_known_by_their_digest() -> None:
    assert ask().digest == ask().digest
    assert pickle.loads(pickle.dumps(ask())).digest == ask().digest
    others = [
        ask("padded"),
        ask(case=Case(ports=4, cores=4, batch=1)),
        ask(seeds=(2,)),
        ask(machine=TALK.with_work(99)),
    ]
    assert len({each.digest for each in [ask(), *others]}) == 5


def test_without_the_kernel_a_question_is_another_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is answered from a shorter time then: a sweep that is resumed must not mix both."""
    brief = ask(seeds=(1,), draws_per_seed=1, window_us=20.0)
    with_kernel = predict(brief)
    digest = brief.digest
    monkeypatch.setattr(native, "LIBRARY", tmp_path / "missing.so")
    with pytest.warns(RuntimeWarning, match="is not built"):
        assert predict(brief) != with_kernel
    assert brief.digest != digest


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_prediction_exceeds_a_cap(layout: LayoutName) -> None:
    for size in (64, 256, 1518):
        found = predict(ask(layout, SMALL.model_copy(update={"frame_size_bytes": size}))).rate_pps
        best = {name: each.high for name, each in TALK.ranges.items()}
        assert found.low > 0
        assert found.high <= 4 * line_rate_pps(10, size) * (1 + 1e-12)
        assert found.high <= min(caps_pps(best, 4, TALK.ports_per_card, 10, size).values())


def test_false_sharing_is_predicted_and_named() -> None:
    padded, packed = (predict(ask(layout, Case(ports=8, cores=8))) for layout in LAYOUTS)
    assert packed.rate_pps.median < padded.rate_pps.low
    assert packed.limited_by == "coherence"


def test_one_core_alone_takes_the_cycles_that_were_measured() -> None:
    found = predict(ask("padded", Case(ports=4, cores=1), machine=TALK.with_work(400)))
    clock = TALK.ranges["clock"]
    assert clock.low * 1e9 / 400 * 0.97 <= found.rate_pps.low
    assert found.rate_pps.high <= clock.high * 1e9 / 400 * 1.03
    assert found.limited_by == "cpu"
    assert "measured" in found.parameters["work"].source


def test_what_cannot_be_answered_is_refused() -> None:
    with pytest.raises(UsageError, match="no workload 'ipv4-ruoting': did you mean 'ipv4-routing'"):
        ask(workload="ipv4-ruoting")
    with pytest.raises(UsageError, match="0 seeds"):
        ask(seeds=())
    with pytest.raises(UsageError, match="jobs 0"):
        predict(ask(), jobs=0)
    for jobs in (1, 2):
        with pytest.raises(SimulationError, match="5 cores for 4 ports"):
            predict(ask(case=Case(ports=4, cores=5)), jobs)
