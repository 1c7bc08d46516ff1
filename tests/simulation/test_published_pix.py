"""The layouts that published rates are compared with."""

from __future__ import annotations

import pytest

from lab.simulation.layout import Layout
from lab.simulation.published_pix import ROUTING, WORDS, layouts


def shares_lines(layout: Layout, name: str) -> bool:
    """Whether elements of a structure share a line with each other."""
    (structure,) = (each for each in layout.structures if each.name == name)
    lines = [structure.address(i) // 64 for i in range(structure.count)]
    return len(set(lines)) < len(lines)


@pytest.mark.parametrize("layout", layouts(), ids=lambda layout: layout.name)
def test_a_layout_shares_what_its_name_says(layout: Layout) -> None:
    for name in ("ring_tail", "ring_head"):
        assert shares_lines(layout, name) == ("ring indices packed" in layout.name)
    assert f", {sum(shares_lines(layout, word) for word in WORDS)} private word" in layout.name
    lines = {
        structure.name: {structure.address(i) // 128 for i in range(structure.count)} for structure in layout.structures
    }
    assert sum(map(len, lines.values())) == len(set().union(*lines.values()))  # no two structures share a line
    assert len(layout.private_words("packet")) == len(WORDS)
    assert layout.matrix("producer", ROUTING.cores) is not None


def test_each_combination_is_there_once() -> None:
    assert len({layout.name for layout in layouts()}) == len(layouts()) == 2 * (len(WORDS) + 1)
