"""The suites that need no quiet host, run as a user runs them, on the real image under plain TCG."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab.results.writer import read_results
from tests.commands import run_suites

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the boot network needs root")


SUITES = ("suites/boot/test_boot.py", "suites/ipv4_routing/test_forwarding.py")
IMAGES = ("pix-padded", "pix-packed")

Ended = tuple[Path, subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """Run the suites on both images at once, each in a folder of its own: half of the time they wait for silence."""

    def run(image: str) -> Ended:
        folder = tmp_path_factory.mktemp(image)
        return folder, run_suites([*SUITES, "--accelerator=tcg", f"--image={image}"], folder)

    with ThreadPoolExecutor() as pool:
        return dict(zip(IMAGES, pool.map(run, IMAGES), strict=True))


@pytest.mark.parametrize("image", IMAGES)
def test_the_image_boots_and_routes(ended: dict[str, Ended], image: str) -> None:
    folder, done = ended[image]
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    results = read_results(folder / "reports" / "latest" / "results.json")
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
    assert (folder / "reports" / "latest" / "index.html").stat().st_size > 100_000
    assert (folder / "reports" / "latest" / "junit.xml").exists()
