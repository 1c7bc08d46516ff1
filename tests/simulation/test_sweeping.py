"""Sweeps for real: in worker processes, interrupted, killed, and on a Dask cluster."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import distributed
import pytest

from lab import paths
from lab.errors import LabError
from lab.simulation.asked import Asked, questions
from lab.simulation.sweep import Point, parse
from lab.simulation.sweep_record import Answer
from lab.simulation.sweeping import Interrupted, sweep
from lab.simulation.workers import Task, answer, here, in_processes, on_dask
from tests.commands import environment

BASE = Point(machine="e5-2670x2", workload="ping-pong", layout="padded")
QUICK = ("--workload", "ping-pong", "--layout", "padded", "--seeds", "1", "--draws", "1")
PATIENCE_S = 30.0


def tasks(text: str) -> list[Task]:
    asked = Asked(BASE, (parse(text),), seeds=(1,), draws_per_seed=1)
    return [Task(values, question, here()) for values, question in questions(asked)]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "lab.cli", "simulate", *QUICK, *arguments]


def wait_for(what: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def answers_in(path: Path) -> list[Answer]:
    whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""
    return [Answer.model_validate_json(line) for line in whole.splitlines()]


def pids(answers: list[Answer]) -> set[int]:
    return {int(each.worker.rpartition(":")[2]) for each in answers}


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


@contextmanager
def running_sweep(folder: Path, record: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a sweep in a process group of its own, until a few of its points are answered.

    It takes Ctrl-C as a program does that a person started, also where whoever runs the tests ignores it.
    """
    process = subprocess.Popen(
        ["env", "--default-signal=INT", *command("--sweep", "near=20:220:1", "--jobs", "2", "--resume", str(record))],
        cwd=paths.ROOT, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(lambda: len(answers_in(record)) >= 5 or process.poll() is not None)
        yield process
    finally:
        process.kill()
        process.communicate()


def test_two_hundred_points_use_all_cores_and_any_number_of_them_says_the_same(tmp_path: Path) -> None:
    record = tmp_path / "sweep.jsonl"
    done = subprocess.run(
        command("--sweep", "near=21:220:1", "--resume", str(record), "--json"),
        cwd=paths.ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    answers = answers_in(record)
    assert len(answers) == 200
    assert len(pids(answers)) == len(os.sched_getaffinity(0))
    lines: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["values"]["near"] for line in lines] == [str(near) for near in range(21, 221)]
    here_s = [answer(task) for task in tasks("near=21,120,220")]
    assert [each.model_dump(mode="json")["prediction"] for each in here_s] == [
        lines[i]["prediction"] for i in (0, 99, 199)
    ]


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(tmp_path: Path) -> None:
    record = tmp_path / "sweep.jsonl"
    with running_sweep(tmp_path, record) as process:
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == Interrupted.exit_code
    kept = answers_in(record)
    assert 5 <= len(kept) < 201
    assert said.count("\n") == 1
    assert f"{len(kept)} of 201 points are done: go on with the same options and --resume {record}" in said
    assert not any(lives(pid) for pid in pids(kept))
    subprocess.run(
        command("--sweep", "near=20:220:1", "--resume", str(record)),
        cwd=paths.ROOT, env=environment(tmp_path), capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    after = answers_in(record)
    assert after[: len(kept)] == kept
    assert len({each.digest for each in after}) == len(after) == 201


def test_no_worker_outlives_a_killed_sweep(tmp_path: Path) -> None:
    record = tmp_path / "sweep.jsonl"
    with running_sweep(tmp_path, record) as process:
        process.kill()
        process.wait(timeout=PATIENCE_S)
    workers = pids(answers_in(record))
    assert workers
    wait_for(lambda: not any(lives(pid) for pid in workers))


def test_a_killed_worker_ends_the_sweep_with_what_is_done(tmp_path: Path) -> None:
    record = tmp_path / "sweep.jsonl"
    with running_sweep(tmp_path, record) as process:
        os.kill(pids(answers_in(record)).pop(), signal.SIGKILL)
        _, said = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == LabError.exit_code
    assert said.count("\n") == 1
    assert "ended by itself" in said
    assert f"{len(answers_in(record))} of 201 points are done: go on" in said


def test_equal_questions_are_answered_once_and_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIXLAB_STATE", str(tmp_path))
    asked: list[Task] = []

    def source(todo: Sequence[Task]) -> Generator[Answer]:
        asked.extend(todo)
        yield from map(answer, todo)

    found = sweep(tasks("near=20,20.0,30"), source, None)
    assert [each.values["near"] for each in found] == ["20", "20.0", "30"]
    assert found[0].prediction == found[1].prediction != found[2].prediction
    assert len(asked) == 2
    assert not list((tmp_path / "sweeps").iterdir())


def test_a_point_that_cannot_be_is_told_and_the_others_are_answered() -> None:
    near, complex_ = in_processes(tasks("placement=near,complex"), jobs=1)
    assert near.prediction is not None
    assert complex_.error is not None
    assert "complex" in complex_.error


def test_a_worker_that_simulates_otherwise_is_refused() -> None:
    (task,) = tasks("near=20")
    other = replace(task, program=replace(task.program, model_version="0"))
    with pytest.raises(LabError, match="install that version"):
        list(in_processes([other], jobs=1))


def test_a_dask_cluster_says_the_same_and_its_end_is_told() -> None:
    todo = tasks("near=20:59:1")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", host="127.0.0.1"
    ) as cluster:
        found = list(on_dask(todo, cluster.scheduler_address))
        others = on_dask(tasks("near=100:300:0.5"), cluster.scheduler_address)
        next(others)
        cluster.close()
        with pytest.raises(LabError, match=r"gone|failed"):
            list(others)
    assert len(pids(found)) == 2
    assert os.getpid() not in pids(found)
    by_digest = {each.digest: each.prediction for each in found}
    assert [by_digest[task.question.digest] for task in todo] == [answer(task).prediction for task in todo]
