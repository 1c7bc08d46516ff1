"""What the tests of the image share: the built variants, the QGM's library for the host, a booted machine."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image import hostlib
from tests.image.hostlib import SANITIZE
from tests.image.machine import Machine

SOURCES = Path(__file__).parents[2] / "firmware-images" / "pix"


def build(folder: Path, sources: Path = SOURCES) -> None:
    """Build both variants into a folder."""
    subprocess.run(["make", "-s", "-j2", "-C", str(sources), f"OUT={folder}"], check=True)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    build(folder)
    return folder


@pytest.fixture(scope="session")
def qgm_libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ctypes.CDLL]:
    """The QGM for this host, by layout; under the sanitizers if test_sanitizers.py runs this."""
    folder = tmp_path_factory.mktemp("qgm")
    hostlib.build(folder, "all", SANITIZE=os.environ.get(SANITIZE, ""))
    return {layout: ctypes.CDLL(str(folder / f"libqgm-{layout}.so")) for layout in ("padded", "packed")}


@pytest.fixture(scope="session")
def hosted_programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Ring 3 of the image as a program of this host under the sanitizers, by layout."""
    return hostlib.programs(tmp_path_factory.mktemp("hosted"), "router")


@pytest.fixture(scope="session")
def qgm(qgm_libraries: dict[str, ctypes.CDLL]) -> ctypes.CDLL:
    return qgm_libraries["padded"]


@pytest.fixture(scope="module", params=["padded", "packed"])
def machine(request: pytest.FixtureRequest, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with Machine(built / f"pix-{request.param}", tmp_path_factory.mktemp("machine")) as booted:
        yield booted
