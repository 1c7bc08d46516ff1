"""A structure whose words different cores write, and where its elements lie."""

from __future__ import annotations

from collections.abc import Iterable
from math import isqrt
from typing import Literal, Self

from pydantic import Field, model_validator

from lab.document import Record

Touch = Literal["packet", "batch", "rare"]


class Structure(Record):
    """An array whose elements belong to different cores; an entry of a manifest's ``shared_structures`` or of a file.

    Attributes:
        name: the structure's name in the image's source.
        offset_bytes: of element 0 within the shared block.
        size_bytes: of one element, or of the whole array.
        align_bytes: alignment of the array, or of the struct that it is a field of.
        element_stride_bytes: from one element to the next.
        count: number of elements; a matrix (producer, consumer) has a square count, row by row.
        owner: who writes an element: the "core" it belongs to, or the "producer" or "consumer" of ring (i // n, i % n).
        indexed_by: what i counts: "core", "queue" (queue pairs; with one a port, ports) or "pair".
        why: what it is for.
        touch: how often forwarding writes it; None where nobody said: rarely.

    """

    name: str = Field(min_length=1)
    offset_bytes: int = Field(ge=0)
    size_bytes: int = Field(ge=1)
    align_bytes: int = Field(default=1, ge=1)
    element_stride_bytes: int = Field(ge=0)
    count: int = Field(ge=1, le=1 << 16)
    owner: Literal["core", "producer", "consumer"]
    indexed_by: Literal["core", "queue", "pair"] = "core"
    why: str = ""
    touch: Touch | None = None

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.align_bytes & (self.align_bytes - 1):
            raise ValueError(f"align_bytes {self.align_bytes}: must be a power of two")
        if self.indexed_by == "pair" and self.side**2 != self.count:
            raise ValueError(f"count {self.count}: rings of n cores with each other are n x n, a square")
        return self

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
        return self.touch or "rare"

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

    def moved(self, offset_bytes: int, element_stride_bytes: int) -> Structure:
        """Return it at another offset, its elements a stride apart."""
        changes = {
            "offset_bytes": offset_bytes,
            "size_bytes": self.element_bytes,
            "align_bytes": 1,
            "element_stride_bytes": element_stride_bytes,
        }
        return self.model_copy(update=changes)


def overlap(structures: Iterable[Structure]) -> tuple[str, str] | None:
    """Find elements that share bytes: two owners of one byte is a mistake in the table.

    Returns:
        The name of the structure that begins within another element, and what is wrong; None where nothing is.

    """
    elements = sorted(
        (each.address(index), each.address(index) + each.element_bytes, order, each.name, index)
        for order, each in enumerate(structures)
        for index in range(each.count)
    )
    furthest, holder = 0, ""
    for start, end, _, name, index in elements:
        if start < furthest:
            return name, f"{name}[{index}] and {holder} overlap at byte {start} of the shared block"
        furthest, holder = end, f"{name}[{index}]"
    return None
