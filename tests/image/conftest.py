"""What the tests of the image share: the built variants, the QGM's library for the host, a booted machine."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.machine import Machine

SOURCES = Path(__file__).parents[2] / "firmware-images" / "pix"
LIBRARY_FLAGS = ["-std=gnu11", "-O1", "-g", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-DLAYOUT_PADDED=1"]


def build(folder: Path, sources: Path = SOURCES) -> None:
    """Build both variants into a folder."""
    subprocess.run(["make", "-s", "-C", str(sources), f"OUT={folder}"], check=True)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    build(folder)
    return folder


@pytest.fixture(scope="session")
def qgm(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    library = tmp_path_factory.mktemp("qgm") / "qgm.so"
    here = Path(__file__).parent
    includes = [f"-I{SOURCES / folder}" for folder in ("include", "qgm")]
    sources = [str(here / "qgm_host.c"), str(SOURCES / "qgm" / "fib.c"), str(SOURCES / "qgm" / "rib.c")]
    subprocess.run(["gcc", *LIBRARY_FLAGS, *includes, *sources, "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


@pytest.fixture(scope="module", params=["padded", "packed"])
def machine(request: pytest.FixtureRequest, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with Machine(built / f"pix-{request.param}", tmp_path_factory.mktemp("machine")) as booted:
        yield booted
