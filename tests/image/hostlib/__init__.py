"""The image's ring-3 programs built for this host: libraries for ctypes, and a process that is a whole router."""

from __future__ import annotations

import subprocess
from pathlib import Path

SANITIZE = "PIX_SANITIZE"  # set in the environment of a Python that has the address sanitizer preloaded


def build(folder: Path, *targets: str, **variables: str) -> None:
    """Build targets of the Makefile here into a folder, with these variables of its."""
    here = str(Path(__file__).parent)
    settings = [f"{name}={value}" for name, value in variables.items()]
    subprocess.run(["make", "-s", "-j2", "-C", here, f"OUT={folder}", *settings, *targets], check=True)


def programs(folder: Path, name: str) -> dict[str, Path]:
    """Build a program of the Makefile here for each layout; return where it lies, by layout."""
    found = {layout: folder / f"{name}-{layout}" for layout in ("padded", "packed")}
    build(folder, *(str(program) for program in found.values()))
    return found
