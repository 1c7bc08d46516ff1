"""Durations as people write them."""

import pytest

from lab.duration import seconds


def test_durations() -> None:
    assert [seconds(text) for text in ("90s", "1h30m", "0.5h", "2d")] == [90.0, 5400.0, 1800.0, 172800.0]


@pytest.mark.parametrize("wrong", ["", "2", "h", "2h30", "-1h", "0s", "1w", "1h 30m"])
def test_what_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="is no duration: write 90s"):
        seconds(wrong)
