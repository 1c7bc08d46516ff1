"""Malformed frames do a running machine no harm. ``python -m tests.image.malformed`` sends millions."""

from __future__ import annotations

from pathlib import Path

from tests.image import boot_disk
from tests.image.frames import LINKS
from tests.image.malformed import QGMS, Flood

FRAMES = 12_000


def test_malformed_frames_are_accounted_for_and_the_router_goes_on(built: Path, tmp_path: Path) -> None:
    with boot_disk.booted(built / "pix-packed", tmp_path, ports=len(LINKS), cores=1 + QGMS) as machine:
        flood = Flood.begin(machine)
        flood.pour(FRAMES, seed=1)
        flood.require_sane()
