"""What a benchmark prints."""

from __future__ import annotations

from lab.models import Model


class BenchResult(Model):
    """One line of output: ``ratio`` is ours over the thing that it ran against in the same run, over ``runs`` runs."""

    bench: str
    value: float
    unit: str
    against: str
    ratio: float
    runs: int
