"""Names and texts made into questions: of this host as it was calibrated, or measured anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.simulation import asked as module
from lab.simulation.asked import Asked, questions
from lab.simulation.calibration.fit import Sample
from lab.simulation.calibration.frozen import Frozen, save
from lab.simulation.calibration.held import Held
from lab.simulation.calibration.spread import Spread
from lab.simulation.calibration.states import Alone
from lab.simulation.prediction import Question
from lab.simulation.sweep import Point, parse
from lab.simulation.version import MODEL_VERSION

EXACT = Spread(low=60, median=60, high=60)
FROZEN = Frozen(
    model_version=MODEL_VERSION,
    measured_at="2026-11-23T09:00:00+00:00",
    cpus=(0, 1),
    tsc_hz=2e9,
    state="near",
    latency_ns=EXACT,
    alone=Alone(
        clock_ghz=Spread(low=2, median=2, high=2),
        stores_a_cycle=1,
        load_ns=dict.fromkeys(("l1", "l3"), EXACT),
        held=Held(most={"stores": Spread(low=56, median=56, high=56)}, unknown={}),
    ),
    points=(),
    rms_log_error=0.2,
    effective_samples=1.0,
    samples=(Sample(weight=1.0, numbers={"hold": 2.0}),),
    data_digest="0" * 64,
)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every test have a state folder of its own, and nothing remembered."""
    monkeypatch.setenv("PIXLAB_STATE", str(tmp_path))
    for remembered in (module.machine, module.calibration):
        remembered.cache_clear()
    yield
    for remembered in (module.machine, module.calibration):
        remembered.cache_clear()


def question(machine: str, calibration: str | None = None) -> Question:
    base = Point(machine=machine, workload="ping-pong", layout="padded")
    ((_, found),) = questions(Asked(base, seeds=(1,), draws_per_seed=1, calibration=calibration))
    return found


def test_this_host_is_as_it_was_calibrated_and_the_same_again() -> None:
    save(FROZEN)
    found = question("host")
    assert found.frozen is not None
    assert found.frozen.samples == FROZEN.samples
    assert found.machine.ranges["near"].median == 60
    module.machine.cache_clear()
    assert question("host").digest == found.digest


def test_this_host_is_measured_where_it_was_not_calibrated_or_as_asked() -> None:
    measured = question("host")
    save(FROZEN)
    for remembered in (module.machine, module.calibration):
        remembered.cache_clear()
    again = question("host", "none")
    for each in (measured, again):
        assert each.frozen is None
        assert each.machine.ranges["near"].source.startswith("measured: CAS ping-pong")


def test_other_machines_know_nothing_of_a_calibration_unless_asked(tmp_path: Path) -> None:
    path = save(FROZEN, tmp_path / "mine.json")
    assert question("e5-2670x2").frozen is None
    found = question("e5-2670x2", str(path))
    assert found.frozen is not None
    assert found.machine == question("e5-2670x2").machine


@pytest.mark.parametrize(("name", "said"), [("here", "pixlab calibrate"), ("nowhere.json", "no such file")])
def test_a_calibration_that_is_not_there(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        question("host", name)


def test_numbers_that_only_one_machine_has() -> None:
    base = Point(machine="e5-2670x2", workload="ping-pong", layout="padded")
    axes = (parse("machine=e5-2670x2,ryzen-7950x"), parse("complex=50"))
    with pytest.raises(UsageError, match="e5-2670x2 has no such number"):
        questions(Asked(base, axes))
