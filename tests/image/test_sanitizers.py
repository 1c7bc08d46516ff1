"""The tests of the QGM's library once more, under the address and undefined-behaviour sanitizers.

A library built so has to find the sanitizer's runtime in the process before anything else, so a Python of its own runs
them. What a sanitizer finds ends that Python with a report.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.image import hostlib
from tests.image.hostlib import SANITIZE

ROOT = Path(__file__).parents[2]
RING = ROOT / "firmware-images" / "pix" / "qgm" / "ring.h"
MESSAGES = 20_000


def test_library_has_no_memory_error_and_no_undefined_behaviour() -> None:
    modules = sorted(str(path) for path in Path(__file__).parent.glob("test_*_host.py"))
    runtime = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    options = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}  # Python itself leaks
    environment = os.environ | options | {"LD_PRELOAD": runtime.stdout.strip(), SANITIZE: "1"}
    command = [sys.executable, "-m", "pytest", "-v", *modules]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-8000:]


def ring_race(folder: Path, length: int, **variables: str) -> str:
    """Return what the rings between threads, under the thread sanitizer, have to say."""
    hostlib.build(folder, str(folder / "ring-race"), **variables)
    command = [str(folder / "ring-race"), str(length), str(MESSAGES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("length", [2, 256])
def test_acquire_and_release_order_all_that_a_ring_shares(tmp_path: Path, length: int) -> None:
    """Which an x86 processor would do even without: the sanitizer goes by the program, not by the processor."""
    assert ring_race(tmp_path, length) == "every message came\n"


@pytest.mark.parametrize("order", ["ACQUIRE", "RELEASE"])
def test_a_ring_without_acquire_or_release_is_found(tmp_path: Path, order: str) -> None:
    weak = tmp_path / "weak"
    weak.mkdir()
    (weak / "ring.h").write_text(RING.read_text().replace(f"__ATOMIC_{order}", "__ATOMIC_RELAXED"))
    assert "data race" in ring_race(tmp_path, 16, RING=str(weak))
