"""``pixlab calibrate`` from end to end, and what a user can get wrong."""

import json
import os
import sys
from pathlib import Path

import pytest

from lab import cli
from lab.simulation.calibration import capacity, states
from lab.simulation.calibration import measure as measuring
from lab.simulation.calibration.frozen import default_path, load


@pytest.fixture(autouse=True)
def _probe(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "PROBE", built / measuring.PROBE.name)
    monkeypatch.setattr(capacity, "PROBE", built / capacity.PROBE.name)
    monkeypatch.setattr(capacity, "ROUNDS", 1)
    monkeypatch.setattr(measuring, "LARGEST_BYTES", 16 * measuring.MIB)
    monkeypatch.setenv("PIXLAB_STATE", str(tmp_path))


def pixlab(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command; return its exit code."""
    monkeypatch.setattr(sys, "argv", ["pixlab", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="rings need two CPUs")
def test_it_measures_fits_and_freezes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(states, "ENOUGH", 1)
    monkeypatch.setattr(states, "GAP_LIMIT_US", 1e6)  # tests run beside anything
    monkeypatch.setattr(states, "SPLIT_RATIO", 1e6)
    assert pixlab(monkeypatch, "calibrate", "--seconds", "0.5", "--draws", "16", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    frozen = load()
    assert frozen is not None
    assert frozen.digest == printed["digest"]
    assert frozen.samples


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--placement", "nearr"), "--placement nearr: there are: far, near"),
        (("--cpus", "one"), "--cpus one: must be two CPUs, such as 0,1"),
        (("--cpus", "0,0"), "CPUs 0 and 0: must be two of"),
        (("--cpus", "0,9999"), "CPUs 0 and 9999: must be two of"),
    ],
)
def test_bad_input_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert pixlab(monkeypatch, "calibrate", *arguments) != 0
    errors = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("measuring")]
    assert len(errors) == 1
    assert words in errors[0]
    assert not default_path().exists()
