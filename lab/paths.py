"""Where things lie in a checkout. The one place that knows the top-level folders."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTBEDS = ROOT / "testbeds"
SUITES = ROOT / "suites"
FIRMWARE_IMAGES = ROOT / "firmware-images"
REPORTS = ROOT / "reports"
NATIVE = ROOT / "build" / "native"


def state_dir() -> Path:
    """Return the folder for what outlives a run: leases, calibrations, host probes. Created when missing.

    ``PIXLAB_STATE`` overrides the default ``build/state``; tests point it at a temporary folder.
    """
    path = Path(os.environ.get("PIXLAB_STATE", ROOT / "build" / "state"))
    path.mkdir(parents=True, exist_ok=True)
    return path


def runtime_dir() -> Path:
    """Return a folder with a short path for sockets (AF_UNIX paths end at 107 bytes). Created when missing."""
    path = Path(os.environ.get("PIXLAB_RUNTIME", "/tmp/pixlab"))
    path.mkdir(parents=True, exist_ok=True)
    return path
