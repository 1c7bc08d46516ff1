"""One check of the simulator, with its figure, whether it holds or not."""

from __future__ import annotations

from typing import Literal

from lab.models import Model


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
