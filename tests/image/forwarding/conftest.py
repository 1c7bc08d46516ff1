"""One machine of each kind and layout, set up as a router, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.image import boot_disk
from tests.image.hosted import HostedMachine
from tests.image.router import Router


@pytest.fixture(scope="package", params=["hosted-padded", "hosted-packed", "booted-padded", "booted-packed"])
def started(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Router]:
    kind, layout = request.param.split("-")
    if kind == "hosted":
        with HostedMachine(request.getfixturevalue("hosted_programs")[layout]) as hosted:
            yield Router(hosted)
    else:
        image = request.getfixturevalue("built") / f"pix-{layout}"
        with boot_disk.booted(image, tmp_path_factory.mktemp("machine")) as booted:
            yield Router(booted)


@pytest.fixture
def router(started: Router) -> Iterator[Router]:
    """A router whose counters begin at zero, and must balance when the test is over."""
    started.clear()
    yield started
    started.require_balance()
