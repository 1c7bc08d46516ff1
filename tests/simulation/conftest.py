"""The kernel under test is built from the sources beside it, into a folder of the test session."""

import subprocess
from pathlib import Path

import pytest

from lab.paths import ROOT
from lab.simulation import host, native

KERNEL = ROOT / "lab" / "simulation" / "kernel"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("native")
    subprocess.run(["make", "-s", "-C", str(KERNEL), f"OUT={out}"], check=True)
    return out


@pytest.fixture(autouse=True)
def _use_built(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "LIBRARY", built / native.LIBRARY.name)
    monkeypatch.setattr(host, "PROBE", built / host.PROBE.name)
