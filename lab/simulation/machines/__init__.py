"""Machines as data: a YAML file each, with a source for every number."""

from __future__ import annotations

from pathlib import Path

from lab.document import Document, named_file
from lab.errors import UsageError
from lab.simulation.machine import Machine
from lab.simulation.machines.model import MachineFile

FOLDER = Path(__file__).parent
MEASURED = "host"


def names() -> tuple[str, ...]:
    """Return the names of the machines that have a file."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def load(name: str) -> Machine:
    """Read a machine.

    Args:
        name: one of :func:`names`, or the path of such a file (.yaml). The machine that this runs on, ``host``, has
            none: see :func:`lab.simulation.machine.host`.

    Raises:
        UsageError: there is no such machine, or something in its file is wrong.

    """
    if name == MEASURED:
        raise UsageError("machine 'host' has no file: its numbers are measured (lab.simulation.host.measure)")
    path = named_file(name, FOLDER, "machine", [MEASURED])
    document = Document.read(path, "description, topology, core, caches and transfers")
    return document.validated(MachineFile).machine(path.stem)
