"""What the tests of false sharing share: both layouts on this host, in the image, and under traffic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from lab import images
from lab.dut.subject import Subject
from lab.errors import UsageError
from lab.images import PixManifest
from lab.machines import host
from lab.methods.profile import Profile
from lab.methods.profiles import profile
from lab.microbench import comparison, guest
from lab.microbench.comparison import LAYOUTS, LayoutComparer
from lab.microbench.host import HostBench, cpus
from lab.microbench.model import Layout, Machine
from lab.run import Run
from lab.testbed import Testbed


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give tests that ask for it the batches of the profile."""
    if "batch" not in metafunc.fixturenames:
        return
    try:
        batches = profile(metafunc.config.option.profile).sharing_batches
    except UsageError:
        return  # told by lab.plugin where it matters
    metafunc.parametrize("batch", batches, ids=[f"batch {batch}" for batch in batches])


@pytest.fixture(scope="session")
def pix(image: Subject) -> PixManifest:
    """Return the image asked for; skip where it is not PIX, which alone has layouts."""
    if not isinstance(image, PixManifest):
        pytest.skip(f"{image.name} comes in one layout only")
    return image


@pytest.fixture(scope="session")
def sharing(testbed: Testbed, pix: PixManifest, profile: Profile, run: Run) -> LayoutComparer:
    """Return what compares layouts; the testbed is leased, because all cores of this host are used."""
    if len(cpus()) < 2:
        pytest.skip("this host has one processor: nothing can share a line with another core")
    run.say("measuring this machine for the simulated ratios")
    return comparison.of_image(pix, profile.sharing_blocks, run.record_comparison)


@pytest.fixture(scope="session")
def on_host(sharing: LayoutComparer, request: pytest.FixtureRequest) -> Iterator[dict[Layout, Machine]]:
    """Return both layouts as threads of this host, on as many processors as the parameter says."""
    with ExitStack() as stack:
        yield {layout: stack.enter_context(HostBench(layout, cpus()[: request.param])) for layout in LAYOUTS}


@pytest.fixture(scope="session")
def in_image(sharing: LayoutComparer, pix: PixManifest, run: Run) -> Iterator[dict[Layout, Machine]]:
    """Return both images, booted with two exclusive cores each on cores of this host; skip where they are emulated."""
    plan = host.plan()
    if plan.accelerator == "tcg":
        pytest.skip(f"the image is emulated here, and emulated cores share no cache lines: {plan.reason}")
    with ExitStack() as stack:
        booted: dict[Layout, Machine] = {}
        for layout in LAYOUTS:
            manifest = images.find(comparison.sibling(pix, layout))
            assert isinstance(manifest, PixManifest)
            folder = run.folder / manifest.name
            folder.mkdir(exist_ok=True)
            booted[layout] = stack.enter_context(guest.boot(manifest, 2, folder, run.say))
        yield booted
