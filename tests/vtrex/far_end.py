"""The process of a far end that does wrong to some frames, as tests start and end it."""

from __future__ import annotations

import json
import subprocess
import sys

from lab import paths
from lab.process import dying_with_parent
from lab.vtrex.device_checks import in_netns


class FarEnd:
    """The process of forwarding.py in a namespace that was made with LINKS."""

    def __init__(self, netns: str, fault: str) -> None:
        command = in_netns(netns, [sys.executable, "-m", "tests.vtrex.forwarding", fault])
        self._process = subprocess.Popen(
            dying_with_parent(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=paths.ROOT
        )
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def tell(self, word: str) -> None:
        self._say(word)
        assert self._line() == "done"

    def _say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def end(self, frames: int) -> dict[str, list[int]]:
        """End it once so many frames have come in each direction, or some seconds are over."""
        self._say(str(frames))
        counts: dict[str, list[int]] = json.loads(self._line())
        self._process.communicate(timeout=5)
        return counts

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()
