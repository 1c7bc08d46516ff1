"""Axes, points and the file of answers; nothing here simulates."""

from __future__ import annotations

from pathlib import Path
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import cli_simulate
from lab.errors import UsageError
from lab.progress import words
from lab.simulation.prediction.model import Band, Parameter, Prediction
from lab.simulation.prediction.question import DRAWS_PER_SEED, SEEDS, WINDOW_US
from lab.simulation.sweep import MAX_POINTS, Axis, Point, check_names, parse, points
from lab.simulation.sweep_files import table
from lab.simulation.sweep_record import Answer, Record
from lab.simulation.workload.case import Case

BASE = Point(machine="e5-2670x2", workload="ipv4-routing", layout="padded")


def test_values_stand_as_they_were_written() -> None:
    assert parse("batch=1,2,64") == Axis("batch", ("1", "2", "64"))
    assert parse("layout=padded, what if.yaml") == Axis("layout", ("padded", "what if.yaml"))
    assert parse("queue-length=256").name == "queue_length"


@given(st.integers(0, 1000), st.integers(0, 300), st.sampled_from([0.1, 0.25, 1, 5]))
def test_a_range_has_both_its_ends(first: int, steps: int, step: float) -> None:
    values = parse(f"near={first}:{first + steps * step:.12g}:{step}").values
    assert len(values) == steps + 1
    assert float(values[0]) == first
    assert float(values[-1]) == pytest.approx(first + steps * step)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("batch", "write NAME=VALUE"),
        ("batch=", "empty sweep"),
        ("near=20:10:1", "empty sweep"),
        ("near=20:30:0", "empty sweep"),
        ("near=0:1e9:1", f"at most {MAX_POINTS}"),
        ("batch=1,1", "twice"),
    ],
)
def test_what_is_no_sweep(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse(text)


def test_points_are_the_product_with_the_last_axis_fastest() -> None:
    found = points(BASE, [parse("batch=1,8"), parse("layout=padded,packed"), parse("near=20,50")])
    assert [tuple(values.values()) for values, _ in found[:3]] == [
        ("1", "padded", "20"),
        ("1", "padded", "50"),
        ("1", "packed", "20"),
    ]
    _, last = found[-1]
    assert (last.case.batch, last.layout, last.numbers) == (8, "packed", {"near": 50.0})
    assert len(found) == 8


def test_an_offered_load_can_be_none() -> None:
    (_, none), (_, some) = points(BASE, [parse("offered_pps=none,1e6")])
    assert none.case.offered_pps is None
    assert some.case.offered_pps == 1e6


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("batch=0", "--sweep batch 0: .*greater than or equal to 1"),
        ("batch=many", "--sweep batch many: .*integer"),
        ("queue_length=100", "power of two"),
        ("placement=neer", "did you mean 'near'"),
        ("near=-5", "0 or more"),
        ("near=nan", "0 or more"),
    ],
)
def test_a_value_that_cannot_be(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        points(BASE, [parse(text)])
    assert "\n" not in str(caught.value)


def test_axes_must_exist_and_stand_once() -> None:
    check_names([parse("batch=1"), parse("near=2")], {"near"})
    with pytest.raises(UsageError, match="did you mean 'batch'"):
        check_names([parse("bacth=1")], {"near"})
    with pytest.raises(UsageError, match="twice"):
        check_names([parse("batch=1"), parse("batch=2")], set())


def answer(digest: str, rate_pps: float = 1e6) -> Answer:
    prediction = Prediction(
        machine="m",
        workload="w",
        layout="padded",
        case=Case(),
        unit="packets",
        rate_pps=Band(low=rate_pps / 2, median=rate_pps, high=rate_pps * 2),
        limited_by="cpu",
        latency_us={"99": Band(low=1, median=2, high=3)},
        parameters={"near": Parameter(value=1.0, source="here")},
        draws=1,
        model_version="1",
    )
    return Answer(digest=digest, values={"batch": digest}, prediction=prediction, worker="here:1")


def test_answers_outlive_the_process_but_for_a_line_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "sweep.jsonl"
    record = Record(path)
    record.append(answer("a"))
    record.append(answer("b"))
    record.close()
    path.write_bytes(path.read_bytes()[:-10])
    again = Record(path)
    assert set(again.known) == {"a"}
    again.append(answer("c"))
    again.close()
    assert set(Record(path).known) == {"a", "c"}


@pytest.mark.parametrize("content", ["my notes", "my notes\n", '{"digest": "a"}\n'])
def test_a_file_that_is_no_record_stays_as_it_is(content: str, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(content)
    with pytest.raises(UsageError, match="answer of a sweep"):
        Record(path)
    assert path.read_text() == content


def test_two_sweeps_do_not_write_one_file(tmp_path: Path) -> None:
    first = Record(tmp_path / "sweep.jsonl")
    with pytest.raises(UsageError, match="another sweep"):
        Record(first.path)
    first.close()
    Record(first.path).close()


def test_the_table_has_a_row_a_point_also_of_one_that_cannot_be() -> None:
    impossible = Answer(digest="x", values={"batch": "x"}, error='no "far", here')
    heads, first, second = table([answer("8", 2e6), impossible]).splitlines()
    assert heads.startswith("batch,rate_pps_low,rate_pps_median,rate_pps_high,unit,limited_by,latency_p99_us_low")
    assert first.startswith("8,1000000.0,2000000.0,4000000.0,packets,cpu,1.0,2.0,3.0")
    assert second.endswith('"no ""far"", here"')


def test_time_left_follows_what_was_done() -> None:
    assert words(1, 4, "points", 10.0) == "1 of 4 points, 30 s left"
    assert words(100, 200, "points", 95.0) == "100 of 200 points, 1 min 35 s left"
    assert words(1, 1001, "points", 10.0).endswith("2 h 46 min left")


def test_help_tells_the_defaults_that_hold() -> None:
    hints = get_type_hints(cli_simulate.simulate, include_extras=True)
    told = {name: hints[name].__metadata__[0].help for name in ("seeds", "draws", "window_us", "ports", "batch")}
    assert told["seeds"].endswith(f"Default: {','.join(map(str, SEEDS))}.")
    assert told["draws"].endswith(f"Default: {DRAWS_PER_SEED}.")
    assert told["window_us"].endswith(f"Default: {WINDOW_US:g}.")
    assert told["ports"].endswith(f"Default: {Case().ports}.")
    assert set(Case.model_fields) < set(hints)
