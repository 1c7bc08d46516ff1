"""Whatever differs between what was asked for, served and booted stops the run, and is named."""

import pytest

from lab.errors import ImageMismatch
from lab.images import bootproof

A, B, C = "a" * 64, "b" * 64, "c" * 64


def test_equal_digests_pass() -> None:
    bootproof.prove(A, A, A)


@pytest.mark.parametrize(
    ("digests", "said"),
    [
        ((B, A, A), "the asked one"),
        ((A, B, A), "the served one"),
        ((A, A, B), "the booted one"),
        ((A, B, C), "all three"),
    ],
)
def test_the_one_that_differs_is_named(digests: tuple[str, str, str], said: str) -> None:
    with pytest.raises(ImageMismatch, match=said):
        bootproof.prove(*digests)
