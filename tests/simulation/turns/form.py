"""The form that a trace and a description are brought into to be compared.

Steps that order (acquire, release), and between two of them what was accessed, in any order. See
firmware-images/pix/qgm/accesses.yaml for what counts as one access.
"""

from __future__ import annotations

from collections import Counter

from lab.simulation.accesses import Description

Element = tuple[int, int]
Seen = tuple[str, str, Element]
Canonical = list[tuple[Counter[tuple[str, ...]], tuple[str, ...]]]

ORDERING = ("acquire", "release")


def of_trace(lines: list[str]) -> list[Seen]:
    """Read a trace: `kind structure owner.number` in each line."""
    seen = []
    for line in lines:
        verb, structure, element = line.split()
        owner, number = element.split(".")
        seen.append((verb, structure, (int(owner), int(number))))
    return seen


def canonical(description: Description, seen: list[Seen]) -> Canonical:
    """Return the steps that order, each with what was accessed since the one before.

    Raises:
        KeyError: a structure that is not in the description.

    """
    groups = {name: description.group(name) for _, name, _ in seen}
    segments: Canonical = []
    between: dict[tuple[str, ...], list[Element]] = {}
    for verb, name, element in [*seen, ("end", "", (0, 0))]:
        owner = f"{element[0]}.{element[1]}" if groups.get(name) == "shared" else ""
        owner = str(element[0]) if groups.get(name) == "device" else owner
        if verb in (*ORDERING, "end"):
            segments.append(
                (Counter({key: _count(groups[key[1]], of) for key, of in between.items()}), (verb, name, owner))
            )
            between = {}
        else:
            between.setdefault((verb, name, owner), []).append(element)
    return segments


def _count(group: str, elements: list[Element]) -> int:
    """Return how many accesses these are taken for."""
    if group == "shared":
        return len(elements)
    return 1 if group == "tables" else len(set(elements))


def difference(wanted: Canonical, found: Canonical) -> str:
    """Return the first step that two sequences differ in, and how; nothing if they are the same."""
    for i, (one, other) in enumerate(zip(wanted, found, strict=False)):
        if one != other:
            missing, more = one[0] - other[0], other[0] - one[0]
            what = f"not traced: {dict(missing)}; not expected: {dict(more)}"
            return f"step {i}: expected {one[1]}, traced {other[1]}; {what}"
    return "" if len(wanted) == len(found) else f"{len(found)} ordering steps were traced, {len(wanted)} expected"
