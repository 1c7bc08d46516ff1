"""Layouts come from the image's manifest, and a wrong one is refused with its place."""

import json
from pathlib import Path
from typing import Any

import pytest

from lab.errors import UsageError
from lab.simulation.layout import LayoutName, default, from_manifest, of_image
from lab.simulation.memory import Memory

ENTRY: dict[str, Any] = {
    "name": "queue.tx_packets",
    "offset_bytes": 0,
    "size_bytes": 8,
    "align_bytes": 8,
    "element_stride_bytes": 8,
    "count": 8,
    "owner": "core",
    "indexed_by": "queue",
    "why": "frames sent",
}


def write(folder: Path, layout: str, *entries: dict[str, Any]) -> Path:
    path = folder / f"pix-{layout}.manifest.json"
    path.write_text(json.dumps({"layout": layout, "shared_structures": list(entries)}), encoding="utf-8")
    return path


@pytest.mark.parametrize(("name", "lines"), [("packed", 1), ("padded", 8)])
def test_default_layouts_differ_in_how_many_lines_the_cores_words_take(name: LayoutName, lines: int) -> None:
    words = default(name, 8).private_words("packet")
    assert len(words) == 3
    for structure in words:
        assert len({structure.address(core) // 128 for core in range(8)}) == lines


def test_no_two_words_of_a_padded_layout_share_a_pair_of_lines() -> None:
    pairs = [s.address(i) // 128 for s in default("padded", 4).structures for i in range(s.count)]
    assert len(pairs) == len(set(pairs))


def test_a_manifest_is_read_and_the_other_variant_is_found_beside_it(tmp_path: Path) -> None:
    write(tmp_path, "packed", ENTRY)
    write(tmp_path, "padded", {**ENTRY, "element_stride_bytes": 128, "align_bytes": 128})
    for layout, stride in (("packed", 8), ("padded", 128)):
        found = of_image(tmp_path / "pix-padded.elf", layout, 1)  # type: ignore[arg-type]
        assert (found.name, found.assumed) == (layout, False)
        assert found.private_words("batch")[0].element_stride_bytes == stride


def test_without_an_image_the_default_says_that_it_is_assumed(tmp_path: Path) -> None:
    assert of_image(None, "packed", 2).assumed
    assert of_image(tmp_path / "pix-packed.elf", "packed", 2).assumed


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (({**ENTRY, "element_stride_bytes": 4},), r"queue.tx_packets\[1\] and queue.tx_packets\[0\] overlap at byte 4"),
        (
            (ENTRY, {**ENTRY, "name": "queue.tx_bytes", "offset_bytes": 60}),
            r"queue.tx_bytes\[0\] and queue.tx_packets\[7\] overlap",
        ),
        (({**ENTRY, "offset_bytes": -8},), "greater than or equal to 0"),
        (({"name": "nothing else"},), "Field required"),
    ],
)
def test_a_wrong_table_is_refused_with_its_place(
    tmp_path: Path, entries: tuple[dict[str, Any], ...], words: str
) -> None:
    path = write(tmp_path, "packed", *entries)
    with pytest.raises(UsageError, match=words) as caught:
        from_manifest(path)
    assert str(path) in str(caught.value)


def test_a_manifest_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pix.manifest.json"
    with pytest.raises(UsageError, match="build the image"):
        from_manifest(path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match="not a manifest"):
        from_manifest(path)
    path.write_text('{"layout": "mixed", "shared_structures": []}', encoding="utf-8")
    with pytest.raises(UsageError, match="packed, padded"):
        from_manifest(path)


def test_words_share_a_line_exactly_when_their_addresses_do() -> None:
    memory = Memory()
    memory.allocate(9, 8)
    memory.allocate(1, 8)
    lines = memory.lines(64)
    assert len(set(lines[:8])) == 1
    assert len({lines[0], lines[8], lines[9]}) == 3
    pairs = memory.lines(128)
    assert pairs[0] == pairs[8] != pairs[9]
