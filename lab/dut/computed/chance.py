"""The chance of the model (lab/dut/model-dut/chance.h) for whole arrays: the same numbers for the same seed."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_MASK = (1 << 64) - 1


class Purpose(IntEnum):
    """What a chance is drawn for, as ``enum purpose``."""

    LOSE = 1
    DUPLICATE = 2
    MOVE = 3
    JITTER = 4
    SLOW = 5
    NOISE_1 = 6
    NOISE_2 = 7


def chance(seed: int, purpose: Purpose, direction: int, indices: Numbers) -> Floats:
    """Return a number in [0, 1) for each index."""
    stream = _mix_one(seed ^ (purpose << 56) ^ (direction << 48))
    with np.errstate(over="ignore"):
        mixed = _mix(np.uint64(stream) + indices.astype(np.uint64))
    return np.asarray((mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def gauss(seed: int, indices: Numbers) -> Floats:
    """Return a number of the standard normal distribution for each index (Box and Muller, as capacity.c)."""
    radius = np.sqrt(-2 * np.log(1 - chance(seed, Purpose.NOISE_1, 0, indices)))
    return np.asarray(radius * np.cos(2 * np.pi * chance(seed, Purpose.NOISE_2, 0, indices)))


def _mix(z: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Mix as the finalizer of splitmix64 (Steele, Lea, Flood 2014)."""
    z = z + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def _mix_one(z: int) -> int:
    with np.errstate(over="ignore"):
        return int(_mix(np.array([z & _MASK], dtype=np.uint64))[0])
