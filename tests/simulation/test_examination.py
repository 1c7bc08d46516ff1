"""How checks are looked at, whatever becomes of each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lab import paths
from lab.errors import UsageError
from lab.simulation.errors import SimulationError
from lab.simulation.validation.check import Check
from lab.simulation.validation.examination import SimulatorDoesNotHold, examine, line, refuse
from tests.commands import environment


def holds() -> Check:
    return Check(
        number=1, name="ping-pong", holds=True, figure="3 %", value=3.0, relation="at most", limit=8.0, unit="%"
    )


def fails() -> Check:
    return Check(number=2, name="held out", holds=False, figure="0.41", detail=("near 0.2", "far 0.6"))


def has_no_probe() -> Check:
    raise SimulationError("host: the probe is not built; run: make native")


CHECKS = {1: holds, 2: fails, 3: has_no_probe}


def test_each_is_looked_at_and_says_what_it_found() -> None:
    first, second, third = (line(check) for check in examine(CHECKS, CHECKS))
    assert first == "1  holds          ping-pong: 3 % (at most 8 %)"
    assert second.splitlines()[0] == "2  FAILS          held out: 0.41"
    assert [text.strip() for text in second.splitlines()[1:]] == ["near 0.2", "far 0.6"]
    assert third.startswith("3  not looked at")
    assert "make native" in third


def test_what_cannot_be_looked_at_does_not_fail_but_nothing_at_all_does() -> None:
    refuse(examine(CHECKS, [1, 3]))
    with pytest.raises(SimulatorDoesNotHold, match=r"1 of 2 checks .* 2 \(held out\)"):
        refuse(examine(CHECKS, CHECKS))
    with pytest.raises(SimulatorDoesNotHold, match="no check"):
        refuse(examine(CHECKS, [3]))


def test_a_check_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="no check 4: there are: 1, 2, 3"):
        list(examine(CHECKS, [4]))


def test_the_command_prints_each_check_and_its_exit_code_follows(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lab.cli", "simulate", "--check", "1,8", "--json"]
    done = subprocess.run(
        command, cwd=paths.ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=60, check=False
    )
    found = [Check.model_validate_json(text) for text in done.stdout.splitlines()]
    assert [check.number for check in found] == [1, 8]
    fails = any(check.holds is False for check in found)
    assert done.returncode == (SimulatorDoesNotHold.exit_code if fails else 0), done.stderr
