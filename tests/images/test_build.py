"""Images are built by their own Makefile; a failure is one line."""

import os
from pathlib import Path

import pytest

from lab import images
from lab.errors import LabError


def makefile(directory: Path, recipe: str) -> Path:
    folder = directory / "tiny"
    folder.mkdir()
    (folder / "source").touch()
    (folder / "Makefile").write_text(f"out: source\n\t{recipe}\n", encoding="utf-8")
    return folder


def test_built_when_missing_or_older_than_its_sources(tmp_path: Path) -> None:
    folder = makefile(tmp_path, "echo built >> out")
    images.build(tmp_path)
    images.build(tmp_path)
    assert (folder / "out").read_text(encoding="utf-8") == "built\n"
    later = (folder / "out").stat().st_mtime + 10
    os.utime(folder / "source", (later, later))
    images.build(tmp_path)
    assert (folder / "out").read_text(encoding="utf-8") == "built\nbuilt\n"


def test_failed_build_is_one_line(tmp_path: Path) -> None:
    makefile(tmp_path, "@echo 'x.c:1:2: error: no such thing' >&2; false")
    with pytest.raises(LabError, match=r"tiny cannot be built: x\.c:1:2: error: no such thing") as caught:
        images.build(tmp_path)
    assert "\n" not in str(caught.value)
