"""The build: the same bytes every time, and a manifest that says what was built."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile

from tests.image.conftest import SOURCES, build

VARIANTS = ("padded", "packed")
PXE_LIMIT_BYTES = 480 * 1024
LINE_PAIR_BYTES = 128


def manifest(folder: Path, layout: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / f"pix-{layout}.manifest.json").read_text())
    return loaded


def test_another_folder_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("build"))
    build(tmp_path / "out", copy)
    for layout in VARIANTS:
        for suffix in ("", ".efi", ".elf", ".manifest.json"):
            name = f"pix-{layout}{suffix}"
            assert (tmp_path / "out" / name).read_bytes() == (built / name).read_bytes(), name


@pytest.mark.parametrize("layout", VARIANTS)
def test_manifest_describes_the_file(built: Path, layout: str) -> None:
    described = manifest(built, layout)
    image = (built / described["file"]).read_bytes()
    assert described["size_bytes"] == len(image) < PXE_LIMIT_BYTES
    assert described["sha256"] == hashlib.sha256(image).hexdigest()
    assert described["layout"] == layout
    assert described["build_id"].encode() in image
    assert described["ready_text"].encode() in image


def test_build_ids_differ_between_layouts(built: Path) -> None:
    assert manifest(built, "padded")["build_id"] != manifest(built, "packed")["build_id"]


@pytest.mark.parametrize("layout", VARIANTS)
def test_structures_lie_within_the_symbol_and_apart(built: Path, layout: str) -> None:
    described = manifest(built, layout)
    with (built / described["elf"]).open("rb") as file:
        symbols = ELFFile(file).get_section_by_name(".symtab").get_symbol_by_name(described["shared_block"]["symbol"])
        assert symbols[0]["st_size"] == described["shared_block"]["size_bytes"]
        assert symbols[0]["st_value"] % LINE_PAIR_BYTES == 0
    owners: dict[int, str] = {}
    for structure in described["shared_structures"]:
        assert structure["element_stride_bytes"] >= structure["size_bytes"]
        for element in range(structure["count"]):
            start = structure["offset_bytes"] + element * structure["element_stride_bytes"]
            for byte in range(start, start + structure["size_bytes"]):
                assert byte < described["shared_block"]["size_bytes"]
                assert byte not in owners, f"{structure['name']}[{element}] overlaps {owners[byte]}"
                owners[byte] = f"{structure['name']}[{element}]"


def writers_by_line_pair(described: dict[str, Any]) -> dict[int, set[tuple[str, int, str]]]:
    """Return for each 128 bytes of the block who writes there: (index, element, owner)."""
    writers: dict[int, set[tuple[str, int, str]]] = {}
    for structure in described["shared_structures"]:
        for element in range(structure["count"]):
            start = structure["offset_bytes"] + element * structure["element_stride_bytes"]
            for byte in range(start, start + structure["size_bytes"]):
                writer = (structure["indexed_by"], element, structure["owner"])
                writers.setdefault(byte // LINE_PAIR_BYTES, set()).add(writer)
    return writers


def test_padded_has_one_writer_on_each_line_pair(built: Path) -> None:
    assert all(len(writers) == 1 for writers in writers_by_line_pair(manifest(built, "padded")).values())


def test_packed_puts_the_words_of_all_cores_side_by_side(built: Path) -> None:
    described = manifest(built, "packed")
    for structure in described["shared_structures"]:
        assert structure["element_stride_bytes"] == structure["size_bytes"], structure["name"]
    assert max(len(writers) for writers in writers_by_line_pair(described).values()) >= 16
