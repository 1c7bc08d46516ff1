"""Numbers as people read them."""

import pytest

from lab.report.words import limit_words, microseconds, mpps, percent
from lab.results.model import Measurement


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (mpps(9_046_300.0), "9.046"),
        (mpps(29_761_905.0), "29.76"),
        (mpps(148_809_524.0), "148.8"),
        (mpps(None), "-"),
        (microseconds(9.046), "9.05"),
        (microseconds(10.69), "10.7"),
        (microseconds(3121.0), "3121"),
        (microseconds(None), "-"),
        (percent(0.0), "0 %"),
        (percent(0.304), "30.4 %"),
        (percent(0.0000021), "0.00021 %"),
    ],
)
def test_numbers(made: str, text: str) -> None:
    assert made == text


@pytest.mark.parametrize(
    ("high", "line", "ceiling", "words"),
    [
        (9.1e6, 29e6, 12e6, ""),
        (None, 29e6, 12e6, "generator ceiling or more"),
        (None, 1.6e6, 4e6, "line rate or more"),
        (None, 1.6e6, None, "line rate or more"),
    ],
)
def test_what_hides_an_upper_bound(high: float | None, line: float, ceiling: float | None, words: str) -> None:
    measurement = Measurement(
        test="t",
        frame_size_bytes=64,
        metric="NDR",
        value=9e6,
        unit="pps",
        high=high,
        line_rate_pps=line,
        ceiling_pps=ceiling,
    )
    assert limit_words(measurement) == words
