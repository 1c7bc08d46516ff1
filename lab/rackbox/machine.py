"""``python -m lab.rackbox.machine SOCKET on|off|state|reset|boot pxe|boot none``: what controllers run for the server.

The server itself is a process of its own (lab.rackbox.server), which this asks. Prints the state afterwards, on or off;
ends with code 1 and one line where it could not be done.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence

_LIMIT_S = 60.0
_FAILED = "failed: "


def ask(path: str, words: Sequence[str]) -> str:
    """Ask the server that listens at a unix socket; returns its line of answer. OSError: it does not answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_LIMIT_S)
        connection.connect(path)
        connection.sendall(" ".join(words).encode() + b"\n")
        with connection.makefile("r", encoding="utf-8") as answers:
            return answers.readline().rstrip("\n")


def failure(answer: str) -> str:
    """Return the reason of an answer that says that it could not be done; empty where it was done."""
    return answer.removeprefix(_FAILED) if answer.startswith(_FAILED) or not answer else ""


def failed(reason: str) -> str:
    """Write the answer that says why it could not be done."""
    return _FAILED + " ".join(reason.split())


def main(words: Sequence[str]) -> int:
    """Ask and print; returns the exit code."""
    if len(words) < 2:
        print("usage: python -m lab.rackbox.machine SOCKET on|off|state|reset|boot pxe|boot none", file=sys.stderr)
        return 1
    try:
        answer = ask(words[0], words[1:])
    except OSError as error:
        answer = failed(f"the machine at {words[0]} does not answer: {error}: is its box still raised?")
    if failure(answer) or not answer:
        print(f"pixlab: {failure(answer) or 'the machine gave no answer'}", file=sys.stderr)
        return 1
    print(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
