"""Long runs of successive numbers, which need no looking at packet by packet."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def long_lines(numbers: npt.NDArray[np.int64], least: int) -> list[tuple[int, int]]:
    """Return where runs of at least ``least`` successive numbers begin and end, in order; ends are not in them."""
    edges = np.concatenate(([0], np.flatnonzero(np.diff(numbers) != 1) + 1, [numbers.size]))
    long = np.flatnonzero(np.diff(edges) >= least)
    return list(zip(edges[long].tolist(), edges[long + 1].tolist(), strict=True))
