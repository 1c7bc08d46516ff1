"""What a benchmark prints."""

from __future__ import annotations

from lab.models import Model


class BenchResult(Model):
    """One line of output: ``ratio`` is ours over the thing that it ran against in the same run, over ``runs`` runs.

    ``ratio_low`` and ``ratio_high`` bound the ratio with a confidence of 95 % where that is known. ``c2c_latency_ns``
    is the median one-way latency between the host's cores while it ran, None where it does not matter; ``note`` says
    what a reader must know to compare.
    """

    bench: str
    value: float
    unit: str
    against: str
    ratio: float
    runs: int
    ratio_low: float | None = None
    ratio_high: float | None = None
    c2c_latency_ns: float | None = None
    note: str = ""
