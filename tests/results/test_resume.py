"""A run that was killed at any instant goes on and comes to what it would have come to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from lab import paths
from lab.dut.computed import ComputedDut
from lab.errors import UsageError
from lab.methods import throughput
from lab.methods.bounds import Bounds
from lab.methods.repeat import Conditions, TrialEvent
from lab.methods.throughput import ThroughputPlan
from lab.methods.trial import TrialRequest, TrialResult
from lab.results import events as ev
from lab.results import resumable
from lab.results.environment import environment
from lab.results.journal import FILE_NAME, Journal, read
from lab.results.memory import Memory
from lab.results.writer import REPORT_NAME, summarise
from lab.testbed.behaviour import Behaviour

TEST = "test_throughput"
PLAN = ThroughputPlan(frame_size_bytes=64, max_rate_pps=1e6, trial_duration_s=1.0, resolution_ratio=0.3)
KIND = {"suite": "ipv4_routing", "testbed": "virtual", "image": "pix", "profile": "quick", "tests": "-k x"}


def started(name: str = "a-run") -> ev.RunStarted:
    return ev.RunStarted(
        at_s=1.0,
        run_id=name,
        suite="ipv4_routing",
        testbed="virtual",
        profile="quick",
        environment=environment(),
        subject="pix",
        selection=("-k x",),
    )


def attempt(journal: Journal, remembered: Sequence[ev.Event]) -> tuple[Bounds, list[TrialRequest]]:
    """Search in a journal; returns what was found, and what was really run for it."""
    memory = Memory(remembered)
    journal.append(ev.RunResumed(at_s=2.0) if remembered else started())
    dut = ComputedDut(Behaviour(capacity_pps=610_000.0))

    def told(event: TrialEvent) -> None:
        journal.append(ev.TrialEnded(at_s=3.0, test=TEST, trial=event))

    def recalled(search: str, request: TrialRequest) -> TrialResult | None:
        return memory.recall(TEST, search, request)

    found = throughput.search(dut, PLAN, Conditions(progress=told, recall=recalled))
    journal.append(ev.RunEnded(at_s=4.0, exit_code=0))
    return found, dut.requests


@pytest.fixture
def undisturbed(tmp_path: Path) -> tuple[Path, Bounds, list[TrialRequest]]:
    path = tmp_path / "whole" / FILE_NAME
    with Journal(path) as journal:
        found, requests = attempt(journal, ())
    return path, found, requests


def test_killed_at_any_byte_it_comes_to_the_same(
    undisturbed: tuple[Path, Bounds, list[TrialRequest]], tmp_path: Path
) -> None:
    """Steps: cut the journal at every byte, resume. Verify: the same result, and no trial is run a second time.

    What a resumption begins with is the mended file, so cuts that leave the same one are searched from once.
    """
    whole, expected, requests = undisturbed
    text, plain = whole.read_bytes(), summarise(whole)
    assert len(requests) > 3
    cut = tmp_path / "cut" / FILE_NAME
    cut.parent.mkdir()
    first_line = text.index(b"\n")
    begun: set[bytes] = set()
    for size in range(first_line, len(text) - len(b"\n")):
        cut.write_bytes(text[:size])
        remembered = read(cut).events
        if isinstance(remembered[-1], ev.RunEnded):
            continue  # it lacks nothing but its line feed
        with Journal(cut, resume=True) as journal:
            mended = cut.read_bytes()
            assert text.startswith(mended), size
            assert mended.count(b"\n") == len(remembered), size
            if mended in begun:
                continue
            begun.add(mended)
            kept = sum(isinstance(event, ev.TrialEnded) for event in remembered)
            found, run = attempt(journal, remembered)
        assert found == expected, size
        assert run == requests[kept:], size
        resumed = summarise(cut)
        assert resumed.searches == plain.searches, size
        assert resumed.notes == ("the run was killed and resumed",)
    assert len(begun) == text.count(b"\n") - 1  # every line but the last was the last one


def test_killed_while_it_is_told_what_it_knew_it_forgets_nothing(
    undisturbed: tuple[Path, Bounds, list[TrialRequest]], tmp_path: Path
) -> None:
    whole, expected, requests = undisturbed
    lines = whole.read_bytes().splitlines(keepends=True)
    cut = tmp_path / "cut" / FILE_NAME
    cut.parent.mkdir()
    cut.write_bytes(b"".join(lines[:-1]))  # every trial, and no end
    for _ in range(3):  # each resumption is killed after its first trial
        with Journal(cut, resume=True) as journal:
            journal.append(ev.RunResumed(at_s=2.0))
        cut.write_bytes(cut.read_bytes() + lines[1])
    assert len(summarise(cut).searches[0].trials) == len(requests)
    remembered = read(cut).events
    with Journal(cut, resume=True) as journal:
        found, run = attempt(journal, remembered)
    assert found == expected
    assert run == []
    assert summarise(cut).notes == ("the run was killed and resumed 4 times",)


def test_another_trial_than_the_recorded_one_is_measured_anew(
    undisturbed: tuple[Path, Bounds, list[TrialRequest]],
) -> None:
    whole, _, requests = undisturbed
    memory = Memory(read(whole).events)
    assert memory.recall(TEST, throughput.GOAL, requests[0]) is not None
    assert memory.recall("another test", throughput.GOAL, requests[1]) is None
    with pytest.raises(LookupError, match=r"asks for another trial .* measured anew"):
        memory.recall(TEST, throughput.GOAL, requests[0].model_copy(update={"duration_s": 7.0}))
    assert memory.recall(TEST, throughput.GOAL, requests[1]) is None
    assert memory.left == 0


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "REPORTS", tmp_path)
    return tmp_path


def run_of(reports: Path, name: str, *events: ev.Event, report: bool = True) -> None:
    with Journal(reports / name / FILE_NAME) as journal:
        for event in events:
            journal.append(event)
    if report and events and isinstance(events[-1], ev.RunEnded):
        (reports / name / REPORT_NAME).touch()


def test_the_newest_killed_run_of_the_same_kind_is_found(reports: Path) -> None:
    run_of(reports, "1-killed", started("1-killed"))
    run_of(reports, "2-ended", started("2-ended"), ev.RunEnded(at_s=2.0, exit_code=0))
    run_of(reports, "3-other", started("3-other").model_copy(update={"testbed": "lab2"}))
    folder, events = resumable.newest(KIND)
    assert folder.name == "1-killed"
    assert events == (started("1-killed"),)
    run_of(reports, "4-interrupted", started("4-interrupted"), ev.RunEnded(at_s=2.0, exit_code=2))
    assert resumable.newest(KIND)[0].name == "4-interrupted"
    run_of(reports, "5-put-away", started("5-put-away"), ev.RunEnded(at_s=2.0, exit_code=0), report=False)
    assert resumable.newest(KIND)[0].name == "5-put-away"


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("1-kiled", KIND, "there is no such run in .*did you mean '1-killed'"),
        ("2-ended", KIND, "came to its end"),
        ("3-empty", KIND, "its journal is empty"),
        ("1-killed", {**KIND, "image": "linux"}, "its image was 'pix' and not 'linux'"),
        ("1-killed", {**KIND, "tests": ""}, "its tests was '-k x' and not ''"),
    ],
)
def test_what_cannot_go_on_is_one_line(reports: Path, name: str, kind: dict[str, str], message: str) -> None:
    run_of(reports, "1-killed", started("1-killed"))
    run_of(reports, "2-ended", started("2-ended"), ev.RunEnded(at_s=2.0, exit_code=0))
    run_of(reports, "3-empty")
    with pytest.raises(UsageError, match=message) as caught:
        resumable.named(name, kind)
    assert "\n" not in str(caught.value)


def test_nothing_to_resume_is_one_line(reports: Path) -> None:
    with pytest.raises(UsageError, match=r"no run of suite ipv4_routing, .* was killed: begin one without --resume"):
        resumable.newest(KIND)


def test_a_run_that_goes_on_is_not_resumed(reports: Path) -> None:
    with Journal(reports / "1" / FILE_NAME) as journal:
        journal.append(started())
        with pytest.raises(UsageError, match="still going on"):
            Journal(reports / "1" / FILE_NAME, resume=True)
