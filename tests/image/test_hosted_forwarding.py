"""What a booted machine is asked in test_forwarding.py, asked of the same programs under the sanitizers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.hosted import HostedMachine
from tests.image.test_forwarding import *  # noqa: F403


@pytest.fixture(scope="module", params=["padded", "packed"])
def machine(request: pytest.FixtureRequest, hosted_programs: dict[str, Path]) -> Iterator[HostedMachine]:
    with HostedMachine(hosted_programs[request.param]) as started:
        yield started
