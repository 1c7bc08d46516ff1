"""The files that start a night: as systemd and GitHub read them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lab import paths

FOLDER = paths.ROOT / "docs" / "nightly"


def verified(folder: Path, service: str) -> subprocess.CompletedProcess[str]:
    """Have systemd look at both units, the service as it is given."""
    (folder / "pixlab-nightly@.service").write_text(service)
    shutil.copy(FOLDER / "pixlab-nightly@.timer", folder)
    units = [folder / "pixlab-nightly@lab2.service", folder / "pixlab-nightly@lab2.timer"]
    for unit in units:
        unit.symlink_to(unit.name.replace("lab2", ""))
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *map(str, units)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    service = (FOLDER / "pixlab-nightly@.service").read_text()
    (tmp_path / "good").mkdir()
    done = verified(tmp_path / "good", service)
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "bad").mkdir()
    assert "KillMoed" in verified(tmp_path / "bad", service.replace("KillMode", "KillMoed")).stderr


def checked(file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_github_takes_the_workflow(tmp_path: Path) -> None:
    done = checked(FOLDER / "workflow.yml")
    assert done.returncode == 0, done.stdout
    wrong = tmp_path / "workflow.yml"
    wrong.write_text((FOLDER / "workflow.yml").read_text().replace("runs-on:", "run-on:"))
    assert checked(wrong).returncode == 1


def test_the_workflow_s_shell_tells_the_codes_apart() -> None:
    text = (FOLDER / "workflow.yml").read_text()
    script = text[text.index("          code=0") : text.index("      - name: Keep the pages")]
    for code, said, ends in ((0, "success", 0), (2, "regression", 2), (3, "out of time", 0), (13, "code 13", 13)):
        shell = script.replace('.venv/bin/pixlab nightly "$TESTBED" --budget 6h $RESUME', f"(exit {code})")
        done = subprocess.run(["bash", "-e", "-c", shell], capture_output=True, text=True, check=False)
        assert (done.returncode, said in done.stdout) == (ends, True), done
