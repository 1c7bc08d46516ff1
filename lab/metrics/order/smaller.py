"""How much of what came earlier has smaller numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


def earlier_smaller(numbers: Integers, weights: Integers) -> Integers:
    """Return for each element the sum of the weights of the earlier ones with smaller numbers.

    The elements are sorted by their ranks one bit after the other, the highest first, as in a wavelet tree. Among
    elements whose higher bits are the same and that stand in their old order, one with a 1 is greater than each with
    a 0 before it. So it takes O(n log n), in operations on whole arrays.

    Args:
        numbers: 1-d, no two the same.
        weights: as many.

    """
    size = numbers.size
    rank = np.empty(size, dtype=np.int64)
    rank[np.argsort(numbers)] = np.arange(size)
    total = np.zeros(size, dtype=np.int64)
    at = np.arange(size)  # which element stands at each place; a group of 2^(bit+1) ranks begins at the place `start`
    for bit in reversed(range(max(size - 1, 0).bit_length())):
        ranks = rank[at]
        one = (ranks >> bit) & 1 == 1
        start = (ranks >> (bit + 1)) << (bit + 1)
        weight_of_zeros = np.concatenate(([0], np.cumsum(np.where(one, 0, weights[at]))))
        total[at[one]] += (weight_of_zeros[:-1] - weight_of_zeros[start])[one]
        zeros = np.concatenate(([0], np.cumsum(~one)))
        zeros_before = zeros[:-1] - zeros[start]
        places = np.where(one, np.arange(size) + (1 << bit) - zeros_before, start + zeros_before)
        moved = np.empty(size, dtype=np.int64)
        moved[places] = at
        at = moved
    return total
