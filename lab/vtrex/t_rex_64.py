"""``python -m lab.vtrex.t_rex_64 -i --cfg FILE``: the server, started with TRex's own options."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from lab.vtrex import trex_config, trex_options
from lab.vtrex.cli import one_line_errors, start
from lab.vtrex.notes import say
from lab.vtrex.settings import combine


def run(words: Sequence[str]) -> None:
    """Serve as a TRex command line asks.

    Raises:
        LabError: it asks for what cannot be, or the engine is gone.

    """
    options = trex_options.read(words)
    if options.wants_help:
        print(trex_options.HELP, end="")
        return
    if options.unused:
        say(f"note: without effect here: {', '.join(dict.fromkeys(options.unused))}")
    start(combine(options.said, trex_config.said_in(options.config, options.port_limit, options.threads)))


if __name__ == "__main__":
    sys.exit(one_line_errors(lambda: run(sys.argv[1:])))
