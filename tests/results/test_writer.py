"""results.json is what the journal says, within the caps, of killed runs as well."""

import json
from pathlib import Path

import jsonschema
import pytest

from lab.errors import UsageError
from lab.results import schema
from lab.results.events import Measured, RunStarted, SearchEnded
from lab.results.journal import FILE_NAME, Journal, read
from lab.results.model import Measurement, Results
from lab.results.writer import point_latest, read_results, summarise, write_results

from .recorded_run import record_run


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("reports") / "run-1"
    record_run(run_dir, sizes=(64, 512))
    return run_dir


def test_a_whole_run(run_dir: Path) -> None:
    results = read_results(write_results(run_dir))
    assert (results.run_id, results.complete, results.exit_code) == ("run-1", True, 1)
    assert results.started_at == "2027-01-15T08:00:01+00:00"
    assert results.image is not None
    assert results.image.proved
    assert [(m.frame_size_bytes, m.metric) for m in results.measurements if m.unit == "pps"] == [
        (64, "NDR"), (64, "PDR"), (64, "throughput"), (512, "NDR"), (512, "PDR")
    ]  # fmt: skip
    assert {(s.kind, s.frame_size_bytes) for s in results.searches} == {
        (kind, size) for kind in ("NDR+PDR", "latency", "reordering") for size in (64, 512)
    } | {("throughput", 64)}
    assert len(results.latency) == 2 * 3 * 2
    assert len(results.reordering) == 2
    assert [t.outcome for t in results.tests] == ["passed", "failed", "skipped"]
    assert (results.lab_errors, results.notes) == ((), ())


def test_the_trials_of_a_search_are_those_that_its_result_counts(run_dir: Path) -> None:
    results = summarise(run_dir / FILE_NAME)
    ndr = next(m for m in results.measurements if (m.frame_size_bytes, m.metric) == (64, "NDR"))
    trials = next(s.trials for s in results.searches if (s.frame_size_bytes, s.kind) == (64, "NDR+PDR"))
    assert len(trials) == ndr.trials
    assert sum(not t.valid for t in trials) == ndr.invalid_trials
    assert all(bool(t.reasons) is not t.valid for t in trials)


def test_a_killed_run_is_summarised_as_far_as_it_came(run_dir: Path, tmp_path: Path) -> None:
    whole = (run_dir / FILE_NAME).read_bytes()
    cut = whole[: len(whole) * 2 // 3]
    (tmp_path / FILE_NAME).write_bytes(cut)
    results = read_results(write_results(tmp_path))
    assert (results.complete, results.ended_at, results.exit_code) == (False, None, None)
    assert "torn" in results.notes[0]
    assert "did not end" in results.notes[1]
    assert 0 < len(results.measurements) < 5


def test_a_journal_without_a_beginning_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"")
    with pytest.raises(UsageError, match="no run began here"):
        write_results(tmp_path)


@pytest.mark.parametrize(
    ("value", "ceiling", "error"),
    [
        (9.0e6, 9.0e6, None),
        (9.0e6, 8.9e6, "9000000 pps is above the generator's ceiling of 8900000 pps: withheld"),
        (14.9e6, None, "14900000 pps is above the line rate of 14880952 pps: withheld"),
    ],
)
def test_a_value_above_a_cap_is_withheld(
    run_dir: Path, tmp_path: Path, value: float, ceiling: float | None, error: str | None
) -> None:
    measurement = Measurement(
        test="t", frame_size_bytes=64, metric="NDR", value=value, unit="pps", low=value, verdict="padded",
        line_rate_pps=14880952.0, ceiling_pps=ceiling,
    )  # fmt: skip
    started = read_results(write_results(run_dir))
    with Journal(tmp_path / FILE_NAME) as journal:
        journal.append(
            RunStarted(at_s=0.0, run_id="r", suite="s", testbed="v", profile="quick", environment=started.environment)
        )
        journal.append(Measured(at_s=1.0, measurement=measurement))
    results = summarise(tmp_path / FILE_NAME)
    (published,) = results.measurements
    assert published.error == error
    assert published.value == (None if error else value)
    assert results.lab_errors == ((f"NDR at 64 bytes: {error}",) if error else ())


@pytest.mark.parametrize(
    ("ends", "errors"),
    [(("too disturbed", None), ()), ((None, "too disturbed"), ("too disturbed",)), (("first", "second"), ("second",))],
)
def test_a_search_begun_anew_counts_by_its_last_end(
    run_dir: Path, tmp_path: Path, ends: tuple[str | None, ...], errors: tuple[str, ...]
) -> None:
    first, *_ = read(run_dir / FILE_NAME).events
    with Journal(tmp_path / FILE_NAME) as journal:
        journal.append(first)
        for error in ends:
            journal.append(SearchEnded(at_s=1.0, test="t", kind="NDR+PDR", frame_size_bytes=64, error=error))
    results = summarise(tmp_path / FILE_NAME)
    assert results.lab_errors == errors
    assert [s.error for s in results.searches] == list(errors)


def test_latest_is_switched(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        point_latest(tmp_path / name)
        assert (tmp_path / "latest").readlink() == Path(name)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b", "latest"]


def test_the_exported_schema_is_up_to_date_and_holds(run_dir: Path) -> None:
    exported = schema.PATH.read_text()
    assert exported == schema.text(), "run: python -m lab.results.schema"
    jsonschema.validate(json.loads(write_results(run_dir).read_text()), json.loads(exported))


def test_every_field_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "results-schema.md").read_text()
    described = Results.model_json_schema(mode="serialization")
    for model in (described, *described["$defs"].values()):
        for name in model["properties"]:
            assert f"`{name}`" in page, f"{model['title']}.{name}"


@pytest.mark.parametrize("text", ["", "{}", "[1", '{"schema_version": 2}'])
def test_no_results_file_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(UsageError, match=r"not a results\.json of schema version 1") as caught:
        read_results(tmp_path / "results.json")
    assert "\n" not in str(caught.value)
