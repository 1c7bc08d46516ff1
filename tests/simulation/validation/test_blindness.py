"""Check 8 must notice when something that fits learns the published results, by whichever way."""

import shutil
from pathlib import Path

import pytest

from lab.paths import ROOT
from lab.simulation.validation.blindness import fits_are_blind

KEPT = shutil.ignore_patterns("__pycache__", "build", "*.so")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "lab", tmp_path / "lab", ignore=KEPT)
    return tmp_path


def append(path: Path, line: str) -> None:
    path.write_text(path.read_text() + line)


def test_nothing_that_fits_knows_them() -> None:
    found = fits_are_blind()
    assert found.holds, found.detail


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("calibration/fit.py", "\nTARGET = 55e6\n"),
        ("calibration/fit.py", "\nTARGET = 59.52\n"),
        ("calibration/points.py", "\n# as the talk's 11 Mpps\n"),
        ("workload/spsc.py", "\nRATE_PPS = 11_000_000\n"),
        ("machine.py", '\nNOTE = "fits 55 Mpps"\n'),
        ("calibration/measure.py", "\nfrom lab.simulation import published_pix\n"),
        (
            "workload/pair.py",
            "\n\ndef late() -> object:\n    from lab.results.store import tables\n\n    return tables\n",
        ),
        ("errors.py", "\nimport lab.simulation.published_pix\n"),
    ],
)
def test_one_that_is_planted_is_noticed(copy: Path, module: str, line: str) -> None:
    append(copy / "lab" / "simulation" / module, line)
    found = fits_are_blind(copy)
    assert found.holds is False
    assert found.detail


def test_data_files_are_read_too(copy: Path) -> None:
    machines = copy / "lab" / "simulation" / "machines"
    machines.mkdir(exist_ok=True)
    (machines / "planted.yaml").write_text("near: {exactly: 30, unit: ns, source: 'gives 11 Mpps'}\n")
    assert fits_are_blind(copy).detail == (
        "lab/simulation/machines/planted.yaml:1: near: {exactly: 30, unit: ns, source: 'gives 11 Mpps'}",
    )


def test_other_elevens_are_no_results(copy: Path) -> None:
    append(copy / "lab" / "simulation" / "calibration" / "fit.py", "\nELEVEN = 11  # 11 cycles, 55 ns, 211 Mpps\n")
    assert fits_are_blind(copy).holds
