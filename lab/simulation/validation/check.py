"""One check of the simulator, with its figure, whether it holds or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from lab.models import Model

SHOWN = 5
"""Faults that a check shows."""


class Check(Model):
    """What one check says.

    ``holds`` is None where it could not be looked at here, and ``figure`` then says why. ``value`` is compared with
    ``limit`` by ``relation``; both are None where the figure is more than one number.
    """

    number: int
    name: str
    holds: bool | None
    figure: str
    value: float | None = None
    relation: Literal["at most", "at least", "equal"] | None = None
    limit: float | None = None
    unit: str = ""
    detail: tuple[str, ...] = ()

    @classmethod
    def without_faults(cls, number: int, name: str, faults: Sequence[str], figure: str) -> Self:
        """Return a check that holds where there are no faults; it shows the first of those there are."""
        return cls(
            number=number,
            name=name,
            holds=not faults,
            figure=figure,
            value=len(faults),
            relation="equal",
            limit=0,
            unit="faults",
            detail=tuple(faults[:SHOWN]),
        )
