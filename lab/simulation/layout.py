"""Where the words lie that cores share, or share a line with: from an image's manifest, a file or documented defaults.

``packed`` and ``padded`` are two tables of the same structures, not two code paths.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from lab import paths
from lab.document import Document, Misplaced, Record, named_file
from lab.errors import UsageError, near_misses
from lab.simulation import accesses
from lab.simulation.memory import SEPARATION_BYTES
from lab.simulation.structure import Structure as Structure  # both for importers of this module as well
from lab.simulation.structure import Touch as Touch
from lab.simulation.structure import overlap

LayoutName = Literal["padded", "packed"]
ASSUMED = "documented default (docs/simulation.md)"
FOLDER = Path(__file__).parent / "layouts"
VARIANTS: tuple[LayoutName, ...] = ("packed", "padded")
DEFAULTS: dict[str, LayoutName] = {f"default-{name}": name for name in VARIANTS}


@dataclass(frozen=True)
class Layout:
    """A table of structures within one shared block.

    Attributes:
        name: packed, padded, or that of its file.
        source: where the table comes from.
        structures: the table.

    """

    name: str
    source: str
    structures: tuple[Structure, ...]

    @property
    def assumed(self) -> bool:
        """Whether the table is a guess, so that how many of its words a packet touches is unknown as well."""
        return self.source == ASSUMED

    @property
    def size_bytes(self) -> int:
        """Size of the shared block."""
        return max((structure.end_bytes for structure in self.structures), default=1)

    def structure(self, name: str) -> Structure:
        """Return a structure by its name.

        Raises:
            UsageError: there is none.

        """
        for structure in self.structures:
            if structure.name == name:
                return structure
        known = (structure.name for structure in self.structures)
        raise UsageError(f"layout {self.name!r} has no structure {name!r}: {near_misses(name, known)}")

    def private_words(self, touch: Touch) -> tuple[Structure, ...]:
        """Return the structures of words that belong to one core each, and are written that often."""
        return tuple(each for each in self.structures if each.owner == "core" and each.touched == touch)

    def matrix(self, owner: Literal["producer", "consumer"], cores: int) -> Structure | None:
        """Return the index matrix of the inter-core rings that owner writes; None if there is none large enough."""
        for structure in self.structures:
            if structure.owner == owner and structure.indexed_by == "pair" and structure.side >= cores:
                return structure
        return None

    def alone(self, structure: str) -> Layout:
        """Return the same layout but for each element of one structure, which gets 128 bytes of its own.

        All others stay where they are, so the difference of two simulations is what sharing lines with this one costs.

        Raises:
            UsageError: there is no such structure.

        """
        chosen = self.structure(structure)
        stride = _up(chosen.element_bytes)
        return self._with(f"{structure} alone", {structure: chosen.moved(_up(self.size_bytes), stride)})

    def together(self, one: str, other: str) -> Layout:
        """Return the same layout but for two structures whose elements take turns, without a gap.

        That is an unpadded array of structs of the two: what if these two counters shared a line?

        Raises:
            UsageError: there is no such structure, or they do not have as many elements.

        """
        first, second = self.structure(one), self.structure(other)
        if first.count != second.count or one == other:
            raise UsageError(
                f"layout {self.name!r}: {one} ({first.count} elements) and {other} ({second.count}) cannot take turns: "
                "choose two structures with as many elements"
            )
        start, stride = _up(self.size_bytes), first.element_bytes + second.element_bytes
        moved = {one: first.moved(start, stride), other: second.moved(start + first.element_bytes, stride)}
        return self._with(f"{one} and {other} together", moved)

    def _with(self, change: str, moved: dict[str, Structure]) -> Layout:
        structures = tuple(moved.get(each.name, each) for each in self.structures)
        return Layout(f"{self.name}, {change}", f"{self.source}; {change}", structures)


class LayoutFile(Record):
    """What a layout file says."""

    description: str = Field(min_length=1)
    source: str = Field(min_length=1)
    structures: tuple[Structure, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names = [each.name for each in self.structures]
        for i, each in enumerate(self.structures):
            if each.name in names[:i]:
                raise Misplaced(f"a structure {each.name!r} stands above already: name it otherwise", "structures", i)
            if each.offset_bytes % each.align_bytes:
                problem = f"{each.offset_bytes} is no multiple of align_bytes {each.align_bytes}: correct one of them"
                raise Misplaced(problem, "structures", i, "offset_bytes")
        found = overlap(self.structures)
        if found:
            raise Misplaced(f"{found[1]}: move one of them", "structures", names.index(found[0]))
        return self


def names() -> tuple[str, ...]:
    """Return the names that :func:`load` knows."""
    return (*VARIANTS, *DEFAULTS, *sorted(path.stem for path in FOLDER.glob("*.yaml")))


def load(name: str, cores: int = 8, elf: Path | None = None) -> Layout:
    """Return a layout.

    Args:
        name: ``packed`` or ``padded`` for that of the image, a name of :func:`names`, or the path of a layout file
            (.yaml) or of an image's manifest (.json). With ``:STRUCTURE`` behind it that structure is moved away from
            all others (:meth:`Layout.alone`), with ``:ONE+OTHER`` these two share lines (:meth:`Layout.together`).
        cores: that a default is for.
        elf: the image; None for the one that is built in this checkout. Where there is none, ``packed`` and ``padded``
            are the documented defaults, and their ``source`` says so.

    Raises:
        UsageError: there is no such layout, or something in its file is wrong.

    """
    name, _, change = name.partition(":")
    if change:
        found, structures = load(name, cores, elf), change.split("+")
        if len(structures) > 2:
            raise UsageError(f"layout {name}:{change}: it moves one structure away, or two together: name one or two")
        return found.alone(change) if len(structures) == 1 else found.together(*structures)
    for variant in VARIANTS:
        if name == variant:
            return of_image(elf or paths.FIRMWARE_IMAGES / "pix" / "build" / f"pix-{variant}.elf", variant, cores)
    if name in DEFAULTS:
        return default(DEFAULTS[name], cores)
    if name.endswith(".json"):
        return from_manifest(Path(name))
    path = named_file(name, FOLDER, "layout", [*VARIANTS, *DEFAULTS])
    file = Document.read(path, "description, source and structures").validated(LayoutFile)
    return Layout(path.stem, f"layout file {path.name}: {file.source}", file.structures)


def default(name: LayoutName, cores: int) -> Layout:
    """Return the structures that a system like the talk's could have shared, for a number of cores.

    What was shared there is not published. Packed: the words of all cores side by side, array after array. Padded: each
    element on 128 bytes of its own.
    """
    table: tuple[tuple[str, int, Literal["core", "producer", "consumer"], str], ...] = (
        ("ring_tail", 2, "producer", "next entry that the producer fills, [producer][consumer]"),
        ("ring_head", 2, "consumer", "next entry that the consumer takes, [producer][consumer]"),
        ("packets", 8, "core", "forwarded packets of the core"),
        ("pool_head", 8, "core", "top of the core's pool of buffers"),
        ("soft_head", 8, "core", "the core's next receive descriptor"),
    )
    structures = []
    offset = 0
    for field, size, owner, why in table:
        of_core = owner == "core"
        count = cores if of_core else cores * cores
        stride, align = (size, 64) if name == "packed" else (SEPARATION_BYTES, SEPARATION_BYTES)
        offset = _up(offset, align)
        structures.append(
            Structure(
                name=field, offset_bytes=offset, size_bytes=size, align_bytes=align, element_stride_bytes=stride,
                count=count, owner=owner, indexed_by="core" if of_core else "pair", why=why, touch="packet",
            )
        )  # fmt: skip
        offset += stride * count
    return Layout(name, ASSUMED, tuple(structures))


def from_manifest(path: Path) -> Layout:
    """Read the table of an image's manifest.

    Where it does not say how often forwarding writes a word (``touch``), the description of the image's accesses does.

    Raises:
        UsageError: the file cannot be read, has no such table, or its structures overlap.

    """
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        entries = tuple(Structure.model_validate(entry) for entry in manifest["shared_structures"])
        name = manifest["layout"]
    except OSError as error:
        raise UsageError(
            f"{path}: cannot read the image's manifest ({error.strerror}); build the image first"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        detail = error.errors()[0]["msg"] if isinstance(error, ValidationError) else repr(error)
        raise UsageError(f"{path}: not a manifest with a layout and shared_structures: {detail}") from error
    if name not in VARIANTS:
        raise UsageError(f"{path}: layout {name!r}; there are: packed, padded")
    found = overlap(entries)
    if found:
        raise UsageError(f"{path}: {found[1]}")
    said = accesses.of_image()
    structures = (each.model_copy(update={"touch": each.touch or said.get(each.name)}) for each in entries)
    return Layout(name, f"manifest {path.name}", tuple(structures))


def of_image(elf: Path | None, name: LayoutName, cores: int) -> Layout:
    """Return the layout ``name`` of the image that elf belongs to, or the documented default when there is none.

    An image comes as two variants: asked for the other one than elf is, its sibling's manifest is read.

    Raises:
        UsageError: the manifest is wrong.

    """
    if elf is not None:
        for stem in (elf.stem, elf.stem.replace("padded", name).replace("packed", name)):
            manifest = elf.with_name(f"{stem}.manifest.json")
            if manifest.exists():
                layout = from_manifest(manifest)
                if layout.name == name:
                    return layout
    return default(name, cores)


def _up(offset_bytes: int, align_bytes: int = SEPARATION_BYTES) -> int:
    """Return the next multiple of an alignment."""
    return -(-offset_bytes // align_bytes) * align_bytes
