"""Which layouts a published rate would be consistent with: never what anything is fitted to or validated by."""

from __future__ import annotations

from lab.models import Model
from lab.simulation.prediction.model import Band


class Fit(Model):
    """What is predicted with one layout, and whether 5 to 95 % of it hold the published rate."""

    layout: str
    rate_pps: Band
    limited_by: str
    holds: bool


class Consistency(Model):
    """A published rate beside what is predicted of its machine with each of several layouts.

    ``about`` says what was measured there, and ``case`` what was simulated.
    """

    about: str
    published_pps: float
    machine: str
    case: str
    fits: tuple[Fit, ...]

    @property
    def holding(self) -> tuple[str, ...]:
        """The layouts whose prediction holds the published rate."""
        return tuple(fit.layout for fit in self.fits if fit.holds)
