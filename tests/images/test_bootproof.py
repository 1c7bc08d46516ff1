"""Whatever differs between what was asked for, served and booted stops the run, and is named."""

import hashlib

import pytest

from lab.errors import ImageMismatch
from lab.images import bootproof
from lab.images.manifest import digest_of

A, B, C = "a" * 64, "b" * 64, "c" * 64


def test_equal_digests_pass() -> None:
    bootproof.prove(A, A, A)
    bootproof.prove(A, A, None)
    bootproof.prove_build("b1", "b1")


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


def test_served_file_that_differs_where_the_system_does_not_know_what_it_booted() -> None:
    with pytest.raises(ImageMismatch, match="they differ"):
        bootproof.prove(A, B, None)


def test_build_id_that_differs() -> None:
    with pytest.raises(ImageMismatch, match="'old', and its manifest 'new'"):
        bootproof.prove_build("new", "old")


def test_digest_of_one_file_is_its_own_and_of_several_that_of_their_list() -> None:
    assert digest_of([("kernel", A)]) == A
    listed = hashlib.sha256(f"{B}  a\n{A}  b\n".encode()).hexdigest()
    assert digest_of([("b", A), ("a", B)]) == listed
