"""Building images from their sources, where a folder of firmware-images has a Makefile."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from filelock import FileLock

from lab import paths
from lab.errors import LabError
from lab.images.manifest import shown


def build(directory: Path = paths.FIRMWARE_IMAGES) -> None:
    """Bring every image up to date; make(1) finds out what is newer than what.

    Raises:
        LabError: make is missing, or a build failed, with its last line.

    """
    if shutil.which("make") is None:
        raise LabError("make is not installed: run 'apt-get install make gcc binutils'")
    for makefile in sorted(directory.glob("*/Makefile")):
        folder = makefile.parent
        with FileLock(paths.state_dir() / f"build-{folder.name}.lock"):  # two runs may start at once
            done = subprocess.run(["make", "-C", str(folder)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = [line for line in done.stderr.splitlines() if "error" in line.lower()] or done.stderr.splitlines()
            reason = said[0] if said else f"make ended with code {done.returncode}"
            raise LabError(
                f"the images of {folder.name} cannot be built: {reason}: run 'make -C {shown(folder)}' to see all"
            )
