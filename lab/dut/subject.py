"""What is put to the test, by its names: an image that is booted, or a program that is known."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Protocol

from lab import paths
from lab.dut import model
from lab.dut.testpmd_process import PROGRAM
from lab.errors import LabError
from lab.models import Model
from lab.testbed.resources import Reference


class Subject(Protocol):
    """The names that a run and its results have for it: an image (its manifest), or a ``Known``."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def version(self) -> str:
        """Its version, as it is told by itself."""

    @property
    def build_id(self) -> str:
        """What tells this build of it from others."""


class Known(Model):
    """A reference: nothing of it is booted, so there is nothing to prove.

    ``build_id`` is the program's SHA-256; of the computed one, which has none, that of its behaviour.
    """

    name: str
    version: str
    build_id: str


def known(machine: Reference) -> Known:
    """Say what the reference of a testbed is on this host.

    Raises:
        LabError: it is not installed or not built.

    """
    if machine.program == "namespace":
        return Known(name="linux-kernel", version=platform.release(), build_id=platform.version())
    if machine.program == "testpmd":
        found = shutil.which(PROGRAM)
        if found is None:
            raise LabError(f"{PROGRAM} is not installed: run 'apt-get install dpdk-dev'")
        return Known(name=PROGRAM, version=_dpdk_version(), build_id=_digest(Path(found)))
    if machine.program == "computed":
        assert machine.behaviour is not None, "the testbed's own check"
        told = hashlib.sha256(machine.behaviour.model_dump_json().encode())
        return Known(name="computed", version="1", build_id=told.hexdigest())
    if machine.program == "model":
        return Known(name="model", version="1", build_id=_digest(model.PROGRAM))
    return Known(name="wire", version="1", build_id=_digest(paths.NATIVE / "vtrex-engine"))


def _digest(program: Path) -> str:
    if not program.exists():
        raise LabError(f"{program} is not built: run 'make native'")
    return hashlib.sha256(program.read_bytes()).hexdigest()


def _dpdk_version() -> str:
    """Return the version of DPDK: testpmd is of the same source package as the library."""
    told = subprocess.run(["pkg-config", "--modversion", "libdpdk"], capture_output=True, text=True, check=False)
    if told.returncode != 0:
        raise LabError("the version of DPDK is not known: run 'apt-get install libdpdk-dev'")
    return told.stdout.strip()
