"""Where the words lie that cores share, or share a line with: from an image's manifest or documented defaults.

``packed`` and ``padded`` are two tables of the same structures, not two code paths.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lab.errors import UsageError

LayoutName = Literal["padded", "packed"]
Touch = Literal["packet", "batch", "rare"]
PADDED_STRIDE_BYTES = 128  # the adjacent-line prefetcher pairs lines: the range of false sharing (Intel SDM vol. 1, 11)

# How often the image's forwarding path (firmware-images/pix/qgm/qgm.c) writes a word, where its manifest does not say
# ("touch"). By the last part of the word's name; others count as rare.
TOUCHES: dict[str, Touch] = {
    **dict.fromkeys(("pool_head", "ring_out"), "packet"),
    **dict.fromkeys(("busy_cycles", "busy_packets", "busy_polls", "polls", "ring_in"), "batch"),
    **dict.fromkeys(("rx_posted", "rx_taken", "rx_packets", "rx_bytes"), "batch"),
    **dict.fromkeys(("tx_posted", "tx_reclaimed", "tx_packets", "tx_bytes"), "batch"),
}
ASSUMED = "documented default (docs/simulation.md)"


class Structure(BaseModel):
    """An array whose elements belong to different cores; the schema of a manifest's ``shared_structures``.

    Attributes:
        name: the structure's name in the image's source.
        offset_bytes: of element 0 within the shared block.
        size_bytes: of one element, or of the whole array.
        align_bytes: alignment of element 0.
        element_stride_bytes: from one element to the next.
        count: number of elements; a matrix (producer, consumer) has a square count, row by row.
        owner: who writes an element: the "core" it belongs to, or the "producer" or "consumer" of ring (i // n, i % n).
        indexed_by: what i counts: "core", "queue" (queue pairs; with one a port, ports) or "pair".
        why: what it is for.
        touch: how often forwarding writes it; None: as :data:`TOUCHES` says.

    """

    model_config = ConfigDict(frozen=True)

    name: str
    offset_bytes: int = Field(ge=0)
    size_bytes: int = Field(ge=1)
    align_bytes: int = Field(default=1, ge=1)
    element_stride_bytes: int = Field(ge=0)
    count: int = Field(ge=1)
    owner: str
    indexed_by: Literal["core", "queue", "pair"] = "core"
    why: str = ""
    touch: Touch | None = None

    def address(self, index: int) -> int:
        """Return the offset in bytes of an element within the shared block.

        Raises:
            IndexError: there is no such element.

        """
        if not 0 <= index < self.count:
            raise IndexError(f"{self.name}[{index}]: it has {self.count} elements")
        return self.offset_bytes + index * self.element_stride_bytes

    @property
    def touched(self) -> Touch:
        """How often forwarding writes it."""
        return self.touch or TOUCHES.get(self.name.rpartition(".")[2], "rare")

    @property
    def element_bytes(self) -> int:
        """Size of one element in bytes, whichever of the two size_bytes is."""
        whole = self.count > 1 and self.size_bytes > self.element_stride_bytes * (self.count - 1)
        return self.size_bytes // self.count if whole else self.size_bytes

    @property
    def end_bytes(self) -> int:
        """Offset just after the last element."""
        return self.address(self.count - 1) + self.element_bytes

    @property
    def side(self) -> int:
        """Number of cores that a matrix is for."""
        return isqrt(self.count)


@dataclass(frozen=True)
class Layout:
    """A table of structures within one shared block.

    Attributes:
        name: padded or packed.
        source: where the table comes from.
        structures: the table.

    """

    name: LayoutName
    source: str
    structures: tuple[Structure, ...]

    @property
    def assumed(self) -> bool:
        """Whether the table is a guess, so that how many of its words a packet touches is unknown as well."""
        return self.source == ASSUMED

    def private_words(self, touch: Touch) -> tuple[Structure, ...]:
        """Return the structures of words that belong to one core each, and are written that often."""
        return tuple(each for each in self.structures if each.owner == "core" and each.touched == touch)

    def matrix(self, owner: Literal["producer", "consumer"], cores: int) -> Structure | None:
        """Return the index matrix of the inter-core rings that owner writes; None if there is none large enough."""
        for structure in self.structures:
            if structure.owner == owner and structure.side**2 == structure.count and structure.side >= cores:
                return structure
        return None


def default(name: LayoutName, cores: int) -> Layout:
    """Return the structures that a system like the talk's could have shared, for a number of cores.

    What was shared there is not published. Packed: the words of all cores side by side, array after array. Padded: each
    element on 128 bytes of its own.
    """
    table = (
        ("ring_tail", 2, cores * cores, "producer", "next entry that the producer fills, [producer][consumer]"),
        ("ring_head", 2, cores * cores, "consumer", "next entry that the consumer takes, [producer][consumer]"),
        ("packets", 8, cores, "core", "forwarded packets of the core"),
        ("pool_head", 8, cores, "core", "top of the core's pool of buffers"),
        ("soft_head", 8, cores, "core", "the core's next receive descriptor"),
    )
    structures = []
    offset = 0
    for field, size, count, owner, why in table:
        stride = size if name == "packed" else PADDED_STRIDE_BYTES
        align = 64 if name == "packed" else PADDED_STRIDE_BYTES
        offset = -(-offset // align) * align
        structures.append(
            Structure(
                name=field, offset_bytes=offset, size_bytes=size, align_bytes=align, element_stride_bytes=stride,
                count=count, owner=owner, why=why, touch="packet",
            )
        )  # fmt: skip
        offset += stride * count
    return Layout(name, ASSUMED, tuple(structures))


def from_manifest(path: Path) -> Layout:
    """Read the table of an image's manifest.

    Raises:
        UsageError: the file cannot be read, has no such table, or its structures overlap.

    """
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        structures = tuple(Structure.model_validate(entry) for entry in manifest["shared_structures"])
        name = manifest["layout"]
    except OSError as error:
        raise UsageError(
            f"{path}: cannot read the image's manifest ({error.strerror}); build the image first"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        detail = error.errors()[0]["msg"] if isinstance(error, ValidationError) else repr(error)
        raise UsageError(f"{path}: not a manifest with a layout and shared_structures: {detail}") from error
    if name not in ("padded", "packed"):
        raise UsageError(f"{path}: layout {name!r}; there are: packed, padded")
    _check_apart(path, structures)
    return Layout(name, f"manifest {path.name}", structures)


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


def _check_apart(path: Path, structures: tuple[Structure, ...]) -> None:
    """Refuse elements that share bytes: two owners of one byte is a mistake in the table."""
    taken: dict[int, str] = {}
    for structure in structures:
        for index in range(structure.count):
            address = structure.address(index)
            element = f"{structure.name}[{index}]"
            for byte in range(address, address + structure.element_bytes):
                if byte in taken:
                    raise UsageError(f"{path}: {element} and {taken[byte]} overlap at byte {byte} of the shared block")
                taken[byte] = element
