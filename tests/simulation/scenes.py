"""Timing and random scenes for the tests of the kernels."""

from hypothesis import strategies as st

from lab.simulation.scene import Scene
from lab.simulation.validation.random_scenes import COUNTED, TYPICAL, counting_scene, random_scene

__all__ = ["COUNTED", "TIMING", "counting_scenes", "scenes"]

TIMING = TYPICAL


def scenes() -> st.SearchStrategy[Scene]:
    """Any program on any machine, within reason."""
    return st.randoms(use_true_random=False).map(random_scene)


def counting_scenes() -> st.SearchStrategy[Scene]:
    """Cores that increment a word of their own, all words in one line, and halt: nothing may get lost."""
    return st.randoms(use_true_random=False).map(counting_scene)
