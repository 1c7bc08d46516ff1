"""What the operator is told on stderr."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Write one line on stderr."""
    print(f"vtrex: {text}", file=sys.stderr, flush=True)
