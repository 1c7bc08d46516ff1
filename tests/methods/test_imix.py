"""Mixes of frame sizes (RFC 6985) and the sizes of IPv6 (RFC 5180)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import UsageError
from lab.methods import ip6
from lab.methods.imix import GENOME_BYTES, MIXES, Imix, parse


def test_the_examples_of_the_rfc() -> None:
    assert parse("aaafg").mix_bytes == (64, 64, 64, 1280, 1518)
    long = parse("20(abcd)5(ggga)10(dcba)").mix_bytes  # the table of section 6.1
    assert len(long) == 20 * 4 + 5 * 4 + 10 * 4
    assert long[:5] == (64, 128, 256, 512, 64)
    assert long[-1] == 64


def test_told_sizes() -> None:
    assert parse("z=9000 aaz").mix_bytes == (64, 64, 9000)
    assert parse("A=64 B=570 C=1518 7(A)4(B)C").mix_bytes == (64,) * 7 + (570,) * 4 + (1518,)


def test_the_simple_mix() -> None:
    """7 : 4 : 1 frames of 64, 570 and 1518 bytes: 353.83 bytes in the mean, 3.34 Mpps at 10 Gb/s."""
    simple = parse("simple")
    assert sorted(simple.mix_bytes) == [64] * 7 + [570] * 4 + [1518]
    assert simple.mean_bytes == pytest.approx(353.833, abs=1e-3)
    assert simple.frame_size_bytes == 354
    assert simple.line_rate_pps(10.0) == pytest.approx(10e9 / (8 * (4246 / 12 + 20)))
    assert parse("a").line_rate_pps(10.0) == pytest.approx(14_880_952, abs=1)


parts = st.lists(
    st.tuples(st.integers(0, 9), st.text(st.sampled_from("abcdefghijzAQZ"), min_size=1, max_size=5)), min_size=1
)


@given(parts, st.integers(64, 16000))
def test_what_is_written_is_read_again(drawn: list[tuple[int, str]], size: int) -> None:
    told = tuple((letter, size + i) for i, letter in enumerate("zAQZ"))
    genome = "".join(f"{count}({letters})" if count else letters for count, letters in drawn)
    written = Imix(genome=genome, told_bytes=told)
    expected = [{**GENOME_BYTES, **dict(told)}[x] for count, letters in drawn for x in letters * max(1, count)]
    assert parse(str(written)) == written
    assert list(written.mix_bytes) == expected
    assert all(parse(str(mix)) == mix for mix in MIXES.values())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no genome such as aaafg"),
        ("simpel ", "did you mean 'simple'"),
        ("aaz", "nobody tells the size of 'z': write z=1500"),
        ("aAb", "nobody tells the size of 'A'"),
        ("a=70 aa", "'a=70' must be a letter of A to Z, or z"),
        ("A=40 A", "'A=40' must be"),
        ("7(a", "no genome"),
        ("99999(a)", "a round of 99999 frames"),
        ("0(a)", "a round of 0 frames"),
    ],
)
def test_what_is_no_mix_is_one_clear_line(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_ip6_needs_more_than_the_least_frame_of_ethernet() -> None:
    assert ip6.least_frame_bytes() == 66
    assert ip6.frame_sizes_bytes(16) == (82, 128, 256, 512, 1024, 1280, 1518)
    assert ip6.frame_sizes_bytes(0, (64, 65, 70)) == (66, 70)
    assert ip6.ETHERNET_SIZES_BYTES[0] == 64
