"""What a user can get wrong, each answered by one clear line and an exit code that says whose fault it is."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab import images, paths
from lab.errors import TestbedUnreachable, UsageError
from tests.commands import assert_one_line, run_suites

SUITE = "suites/ipv4_routing"
USAGE = UsageError.exit_code


@pytest.fixture(scope="module")
def built() -> Path:
    """Return the folder of the built images."""
    images.build()
    return images.find("pix-padded").directory


def with_testbed(folder: Path, old: str, new: str) -> Path:
    """Write a testbed ``wrong`` that differs from ``virtual`` in one place; returns its folder."""
    text = (paths.ROOT / "testbeds" / "virtual.yaml").read_text()
    assert old in text
    (folder / "wrong.yaml").write_text(text.replace(old, new, 1))
    return folder


def test_an_unknown_testbed_names_the_near_miss(tmp_path: Path) -> None:
    line = assert_one_line(run_suites([SUITE, "--testbed=virtul"], tmp_path), USAGE)
    assert "virtul" in line
    assert "did you mean 'virtual'?" in line


def test_an_unknown_image_names_the_near_miss(tmp_path: Path, built: Path) -> None:
    line = assert_one_line(run_suites([SUITE, "--image=pix-paded"], tmp_path), USAGE)
    assert "did you mean 'pix-padded'?" in line


def test_an_unknown_profile_names_the_near_miss(tmp_path: Path) -> None:
    line = assert_one_line(run_suites([SUITE, "--profile=quik"], tmp_path), USAGE)
    assert "did you mean 'quick'?" in line


def test_an_unknown_accelerator_names_the_near_miss(tmp_path: Path) -> None:
    line = assert_one_line(run_suites([SUITE, "--accelerator=kvn"], tmp_path), USAGE)
    assert "did you mean 'kvm'?" in line


def test_several_tests_at_a_time(tmp_path: Path) -> None:
    line = assert_one_line(run_suites([SUITE, "-n", "2"], tmp_path), USAGE)
    assert "-n 2: a testbed serves one test at a time" in line


def test_an_unknown_key_of_a_testbed(tmp_path: Path) -> None:
    folder = with_testbed(tmp_path, "memory_mib:", "memory_mb:")
    line = assert_one_line(run_suites([SUITE, "--testbed=wrong"], tmp_path, PIXLAB_TESTBEDS=folder), USAGE)
    assert "wrong.yaml" in line
    assert "memory_mb" in line
    assert "memory_mib" in line


def test_a_port_named_twice(tmp_path: Path) -> None:
    folder = with_testbed(tmp_path, "name: p1", "name: p0")
    line = assert_one_line(run_suites([SUITE, "--testbed=wrong"], tmp_path, PIXLAB_TESTBEDS=folder), USAGE)
    assert "p0" in line
    assert "wrong.yaml" in line


def test_more_cores_than_there_can_be(tmp_path: Path) -> None:
    folder = with_testbed(tmp_path, "exclusive_cores: 1", "exclusive_cores: 999")
    line = assert_one_line(run_suites([SUITE, "--testbed=wrong"], tmp_path, PIXLAB_TESTBEDS=folder), USAGE)
    assert "999" in line
    assert "less than or equal to 16" in line


def test_a_missing_image_file(tmp_path: Path, built: Path) -> None:
    folder = tmp_path / "images"
    shutil.copytree(built, folder, ignore=shutil.ignore_patterns("padded", "packed"))
    (folder / "pix-padded").unlink()
    line = assert_one_line(run_suites([SUITE], tmp_path, PIXLAB_IMAGES=folder), USAGE)
    assert "pix-padded" in line
    assert "missing" in line


def test_a_truncated_image_file(tmp_path: Path, built: Path) -> None:
    folder = tmp_path / "images"
    shutil.copytree(built, folder, ignore=shutil.ignore_patterns("padded", "packed"))
    image = folder / "pix-padded"
    image.write_bytes(image.read_bytes()[:-1])
    line = assert_one_line(run_suites([SUITE], tmp_path, PIXLAB_IMAGES=folder), USAGE)
    assert "truncated" in line


def test_a_rack_that_does_not_answer_is_the_lab_s_fault_and_said_in_time(tmp_path: Path) -> None:
    begun_s = time.monotonic()
    done = run_suites([SUITE, "--testbed=lab2"], tmp_path)
    took_s = time.monotonic() - begun_s
    line = assert_one_line(done, TestbedUnreachable.exit_code)
    assert "'lab2' cannot be reached" in line
    assert took_s < 15.0  # a limit that the lab sets itself, not a rate of this machine


def test_collecting_needs_no_testbed(tmp_path: Path) -> None:
    done = run_suites(["suites", "--collect-only", "-q"], tmp_path, PIXLAB_TESTBEDS=tmp_path, PIXLAB_IMAGES=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_ndr_and_pdr[64B]" in done.stdout
    assert not (tmp_path / "reports").exists()


def test_an_unknown_benchmark_names_the_near_miss(tmp_path: Path) -> None:

    command = [sys.executable, "-m", "lab.bench", "pdr-46"]
    done = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert "did you mean 'pdr-64'?" in assert_one_line(done, USAGE)
