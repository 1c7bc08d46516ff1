"""Where things lie in a checkout. The one place that knows the top-level folders.

``PIXLAB_TESTBEDS``, ``PIXLAB_IMAGES`` and ``PIXLAB_REPORTS`` name other folders, for a lab that keeps its own outside
the checkout; ``PIXLAB_STATE`` and ``PIXLAB_RUNTIME`` those of the two functions.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTBEDS = Path(os.environ.get("PIXLAB_TESTBEDS", ROOT / "testbeds"))
SUITES = ROOT / "suites"
FIRMWARE_IMAGES = Path(os.environ.get("PIXLAB_IMAGES", ROOT / "firmware-images"))
REPORTS = Path(os.environ.get("PIXLAB_REPORTS", ROOT / "reports"))
NATIVE = ROOT / "build" / "native"


def state_dir() -> Path:
    """Return the folder for what outlives a run: leases, calibrations, host probes. Created when missing."""
    path = Path(os.environ.get("PIXLAB_STATE", ROOT / "build" / "state"))
    path.mkdir(parents=True, exist_ok=True)
    return path


def runtime_dir() -> Path:
    """Return a folder with a short path for sockets (AF_UNIX paths end at 107 bytes). Created when missing."""
    path = Path(os.environ.get("PIXLAB_RUNTIME", "/tmp/pixlab"))
    path.mkdir(parents=True, exist_ok=True)
    return path
