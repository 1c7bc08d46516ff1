"""The native probe of one core for real, and what it prints is read."""

import os
import subprocess
from pathlib import Path

import pytest

from lab.simulation.calibration import capacity
from lab.simulation.calibration.capacity import FILLERS, curves, read
from lab.simulation.calibration.held import held
from lab.simulation.errors import SimulationError

LINE = '{"filler": "stores", "round": 0, "counts": [1, 2], "ticks": [350, 351]}\n'
ROUNDS = 3
GRAIN = 4  # of the counts of nops
SANE = {"nops": 1024, "registers": 1024, "stores": 512, "loads": 64}


@pytest.fixture(autouse=True)
def _probe(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "PROBE", built / capacity.PROBE.name)


def cpu() -> int:
    return min(os.sched_getaffinity(0))


def test_every_kind_has_a_curve_each_round_and_what_is_found_is_sane() -> None:
    found = curves(cpu(), ROUNDS)
    assert [(each.round, each.filler) for each in found] == [(n, filler) for n in range(ROUNDS) for filler in FILLERS]
    assert all(min(each.ticks) > 0 for each in found)
    core = held(found)
    assert set(core.most) | set(core.unknown) == set(FILLERS)
    assert all(1 <= each.low <= each.high <= SANE[filler] for filler, each in core.most.items())
    if "nops" in core.most:  # whatever is in flight is in the reorder buffer
        assert all(each.median <= core.most["nops"].high + GRAIN for each in core.most.values())


@pytest.mark.parametrize("arguments", [(), ("0",), ("0", "0"), ("0", "many"), ("0", "1", "2")])
def test_the_probe_says_how_it_is_called(arguments: tuple[str, ...]) -> None:
    done = subprocess.run([str(capacity.PROBE), *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "usage: coreprobe CPU ROUNDS, 1 to 1000\n"


def test_a_cpu_that_is_not_there_is_named() -> None:
    with pytest.raises(SimulationError, match="cannot run on CPU 9999"):
        curves(9999, 1)


def test_a_probe_that_is_not_built_is_named_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "PROBE", tmp_path / "coreprobe")
    with pytest.raises(SimulationError, match="coreprobe is not built; run: make native"):
        curves(cpu())


@pytest.mark.parametrize(
    "printed",
    ["nothing\n", "{}\n", LINE.replace("stores", "stones"), LINE.replace("2]", "1]"), LINE.replace(", 351", "")],
)
def test_what_no_probe_prints_is_an_error(printed: str) -> None:
    assert read(LINE)[0].counts == (1, 2)
    with pytest.raises(SimulationError, match="printed"):
        read(printed)
