"""Layout files: those that are there, one's own, what may be done to a layout, and every error in one line."""

from pathlib import Path

import pytest

from lab import paths
from lab.errors import UsageError
from lab.simulation import layout as layouts
from lab.simulation.layout import Layout, default

GOOD = """\
description: two counters
source: here
structures:
  - name: first
    offset_bytes: 0
    size_bytes: 8
    align_bytes: 8
    element_stride_bytes: 16
    count: 4
    owner: core
  - name: second
    offset_bytes: 8
    size_bytes: 8
    align_bytes: 8
    element_stride_bytes: 16
    count: 4
    owner: core
    touch: packet
"""


def lines(layout: Layout, name: str, of_bytes: int = 64) -> set[int]:
    structure = layout.structure(name)
    return {structure.address(i) // of_bytes for i in range(structure.count)}


def load(tmp_path: Path, text: str) -> Layout:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return layouts.load(str(path))


@pytest.mark.parametrize("name", layouts.names())
def test_every_layout_that_is_listed_can_be_loaded(name: str) -> None:
    layout = layouts.load(name)
    assert layout.source
    assert layout.private_words("packet")
    assert layout.matrix("producer", 8) is not None
    assert layout.matrix("consumer", 8) is not None


def test_ones_own_layout_is_loaded_by_its_path(tmp_path: Path) -> None:
    layout = load(tmp_path, GOOD)
    assert (layout.name, layout.assumed) == ("mine", False)
    assert [each.touched for each in layout.structures] == ["rare", "packet"]


def test_without_an_image_the_defaults_stand_in_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "FIRMWARE_IMAGES", tmp_path)
    for name in ("packed", "padded"):
        assert layouts.load(name) == layouts.load(f"default-{name}")
        assert layouts.load(name).assumed


def test_the_rings_of_2016_share_a_line_within_a_ring_and_none_between_rings() -> None:
    rings = layouts.load("fe-2016")
    tail, head = rings.matrix("producer", 9), rings.matrix("consumer", 9)
    assert tail is not None and head is not None
    assert (tail.name, head.name) == ("ring_tail", "ring_head")
    assert [tail.address(i) // 64 for i in range(9)] == [head.address(i) // 64 for i in range(9)]
    assert len(lines(rings, "ring_tail", 128)) == 289
    assert not lines(rings, "pool_head", 128) & lines(rings, "ring_tail", 128)


def test_the_example_differs_from_padded_in_two_counters_only() -> None:
    example, padded = layouts.load("what-if-two-counters"), default("padded", 8)
    assert lines(example, "packets", 128) == lines(example, "soft_head", 128)
    assert len(lines(example, "packets", 128)) == 1
    for name in ("ring_tail", "ring_head", "pool_head"):
        assert len(lines(example, name, 128)) == len(lines(padded, name, 128))


def test_a_structure_alone_shares_no_pair_of_lines_and_the_others_stay() -> None:
    packed = default("packed", 8)
    alone = packed.alone("pool_head")
    assert len(lines(alone, "pool_head", 128)) == 8
    for structure in packed.structures:
        if structure.name != "pool_head":
            assert alone.structure(structure.name) == structure
            assert not lines(alone, "pool_head", 128) & lines(alone, structure.name, 128)
    assert alone.name == "packed, pool_head alone"


def test_what_is_alone_already_stays_so() -> None:
    padded = default("padded", 4)
    assert len(lines(padded.alone("packets"), "packets", 128)) == len(lines(padded, "packets", 128)) == 4


def test_two_structures_together_take_turns() -> None:
    padded = default("padded", 4)
    both = padded.together("packets", "soft_head")
    packets, soft_head = both.structure("packets"), both.structure("soft_head")
    assert [soft_head.address(i) - packets.address(i) for i in range(4)] == [8] * 4
    assert len(lines(both, "packets") | lines(both, "soft_head")) == 1
    assert lines(both, "pool_head") == lines(padded, "pool_head")


def test_a_change_may_stand_behind_the_name() -> None:
    padded = default("padded", 4)
    assert layouts.load("default-padded:packets", 4) == padded.alone("packets")
    assert layouts.load("default-padded:packets+soft_head", 4) == padded.together("packets", "soft_head")
    with pytest.raises(UsageError, match="name one or two"):
        layouts.load("default-padded:packets+soft_head+pool_head")
    with pytest.raises(UsageError, match="no structure 'packet': did you mean 'packets'"):
        layouts.load("default-padded:packet")


def test_structures_that_cannot_be_moved_are_refused() -> None:
    padded = default("padded", 4)
    with pytest.raises(UsageError, match="no structure 'pool_heat': did you mean 'pool_head'"):
        padded.alone("pool_heat")
    with pytest.raises(UsageError, match="cannot take turns"):
        padded.together("packets", "ring_tail")


@pytest.mark.parametrize(
    ("right", "wrong", "line", "words"),
    [
        ("offset_bytes: 8", "offset_bytes: 16", 11, r"structures[1]: second[0] and first[1] overlap at byte 16"),
        ("offset_bytes: 8", "offset_bytes: 9", 12, "structures[1].offset_bytes: 9 is no multiple of align_bytes 8"),
        ("align_bytes: 8", "align_bytes: 24", 4, "structures[0]: align_bytes 24: must be a power of two"),
        ("owner: core", "owner: kernel", 10, "structures[0].owner: input should be 'core', 'producer' or 'consumer'"),
        ("size_bytes: 8", "size_bytes: 0", 6, "structures[0].size_bytes: input should be greater than or equal to 1"),
        ("count: 4", "counts: 4", 9, "structures[0].counts: unknown key: did you mean 'count'?"),
        ("    count: 4\n", "", 4, "structures[0].count: the key is missing"),
        ("name: second", "name: first", 11, "structures[1]: a structure 'first' stands above already"),
        ("count: 4", "count: 5\n    indexed_by: pair", 4, "structures[0]: count 5: rings of n cores with each other"),
        ("source: here\n", "", 1, "source: the key is missing"),
        ("touch: packet", "touch: always", 18, "touch: input should be 'packet', 'batch' or 'rare'"),
    ],
)
def test_an_error_is_one_line_with_its_place(tmp_path: Path, right: str, wrong: str, line: int, words: str) -> None:
    assert right in GOOD

    with pytest.raises(UsageError) as caught:
        load(tmp_path, GOOD.replace(right, wrong, 1))
    message = str(caught.value)
    assert f"mine.yaml line {line}: " in message
    assert words in message
    assert "\n" not in message


def test_an_unknown_layout_names_the_near_miss() -> None:
    with pytest.raises(UsageError, match="unknown layout 'paked': did you mean 'packed'"):
        layouts.load("paked")
    with pytest.raises(UsageError, match="build the image first"):
        layouts.load("nowhere/pix.manifest.json")
