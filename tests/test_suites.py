"""The suites that need no quiet host, run as a user runs them, on the real image under plain TCG."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.results.writer import read_results
from tests.commands import run_suites

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the boot network needs root")


@pytest.mark.parametrize("image", ["pix-padded", "pix-packed"])
def test_the_image_boots_and_routes(tmp_path: Path, image: str) -> None:
    suites = ["suites/boot/test_boot.py", "suites/ipv4_routing/test_forwarding.py"]
    arguments = [*suites, "--accelerator=tcg", f"--image={image}"]
    done = run_suites(arguments, tmp_path)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    results = read_results(tmp_path / "reports" / "latest" / "results.json")
    assert results.complete
    assert results.image is not None
    assert results.image.proved
    assert results.image.name == image
    assert results.boot is not None
    assert results.boot.accelerator == "tcg"
    assert len(results.tests) > 30
    assert {test.outcome for test in results.tests} == {"passed"}
    assert results.generator is not None
    assert results.generator.name.startswith("vtrex")
    assert (tmp_path / "reports" / "latest" / "index.html").stat().st_size > 100_000
    assert (tmp_path / "reports" / "latest" / "junit.xml").exists()
