"""The frozen file: it cannot be changed unnoticed, and gives draws by their weights."""

import json
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.simulation.calibration.capacity import FILLERS
from lab.simulation.calibration.fit import Sample
from lab.simulation.calibration.frozen import Frozen, digest_of, load, save
from lab.simulation.calibration.held import Held
from lab.simulation.calibration.spread import Spread
from lab.simulation.calibration.states import Alone
from lab.simulation.version import MODEL_VERSION

SPREAD = Spread(low=59, median=60, high=61)
CLOCK = Spread(low=3, median=3, high=3)


def frozen() -> Frozen:
    return Frozen(
        model_version=MODEL_VERSION,
        measured_at="2026-01-01T00:00:00+00:00",
        cpus=(0, 1),
        tsc_hz=2.6e9,
        state="near",
        latency_ns=SPREAD,
        alone=Alone(
            clock_ghz=CLOCK,
            stores_a_cycle=1.9,
            load_ns={where: Spread(low=1, median=2, high=3) for where in ("l1", "l2", "l3")},
            held=Held(most={}, unknown=dict.fromkeys(FILLERS, "not measured")),
        ),
        points=(),
        rms_log_error=0.1,
        effective_samples=2,
        samples=(
            Sample(weight=0.75, numbers={"hold": 2.0, "misses": 12.0}),
            Sample(weight=0.25, numbers={"hold": 5.0, "misses": 99.0, "unknown": 1.0}),
        ),
        data_digest="0" * 64,
    ).sealed()


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    assert load(save(frozen(), tmp_path / "deep" / "file.json")) == frozen()


def test_what_one_core_holds_becomes_numbers_of_the_machine() -> None:
    alone = frozen().alone
    stores = Spread(low=56, median=56, high=57)
    known = alone.model_copy(update={"held": Held(most={"stores": stores}, unknown={})})
    numbers = frozen().model_copy(update={"alone": known}).machine().ranges
    assert (numbers["store_buffer"].low, numbers["store_buffer"].high) == (56, 57)
    assert numbers["window"] == frozen().machine().ranges["window"]


def test_no_file_is_no_calibration(tmp_path: Path) -> None:
    assert load(tmp_path / "none.json") is None


@pytest.mark.parametrize("field", ["rms_log_error", "tsc_hz", "data_digest"])
def test_a_changed_file_is_refused(tmp_path: Path, field: str) -> None:
    path = save(frozen(), tmp_path / "file.json")
    data = json.loads(path.read_text())
    data[field] = 0.2 if field != "data_digest" else "1" * 64
    path.write_text(json.dumps(data))
    with pytest.raises(UsageError, match=r"file.json: was changed after it was frozen.*pixlab calibrate"):
        load(path)


def test_an_old_model_is_refused(tmp_path: Path) -> None:
    old = frozen().model_copy(update={"model_version": "0"})
    with pytest.raises(UsageError, match="version 0 of the model"):
        load(save(old, tmp_path / "file.json"))


@pytest.mark.parametrize("text", ["", "[]", "{}", "no json", '{"model_version": "1"}'])
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "file.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"file.json: .*pixlab calibrate"):
        load(path)


def test_a_file_of_another_shape_is_refused(tmp_path: Path) -> None:
    data = {"model_version": MODEL_VERSION}
    path = tmp_path / "file.json"
    path.write_text(json.dumps({**data, "digest": digest_of(data)}))
    with pytest.raises(UsageError, match="is no calibration of this program"):
        load(path)


def test_draws_follow_the_weights_and_keep_within_the_machine() -> None:
    machine = frozen().machine()
    draws = frozen().draws(machine, 40, seed=1)
    assert [each["hold"] for each in draws].count(2.0) == 30
    assert {each["misses"] for each in draws} == {12.0, machine.ranges["misses"].high}
    assert "unknown" not in draws[0]
    assert draws == frozen().draws(machine, 40, seed=1)
    priors = machine.draws(40, 1)
    assert [each["window"] for each in draws] == [each["window"] for each in priors]
