"""The random numbers of a simulation: splitmix64 (Steele, Lea, Flood 2014), the same in Python and in the C kernel."""

from __future__ import annotations

MASK = (1 << 64) - 1


class SplitMix:
    """A stream of 64-bit numbers; ``state`` is all there is to it."""

    def __init__(self, seed: int) -> None:
        self.state = seed & MASK

    def below(self, bound: int) -> int:
        """Return a number in 0 .. bound - 1; bound at most 2**16, so that the bias stays below 2**-15."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return ((z ^ (z >> 31)) >> 33) % bound
