"""Reading a testbed file. Whatever is wrong with it is one line: file, line, place, remedy."""

from __future__ import annotations

from pathlib import Path

from lab import paths
from lab.document import Document, shown
from lab.errors import UsageError, near_misses
from lab.testbed.model import Testbed


def load(name: str, directory: Path = paths.TESTBEDS) -> Testbed:
    """Load the testbed that is described in ``directory/name.yaml``.

    Raises:
        UsageError: there is no such file, or something in it is wrong.

    """
    known = [path.stem for path in sorted(directory.glob("*.yaml"))]
    if name not in known:
        raise UsageError(f"unknown testbed {name!r} in {shown(directory)}: {near_misses(name, known)}")
    document = Document.read(directory / f"{name}.yaml", "kind, description, nodes and links")
    if "name" in document.data:
        raise UsageError(f"{shown(document.path)}: name: a testbed is named by its file: remove the key")
    return document.validated(Testbed, name=name)
