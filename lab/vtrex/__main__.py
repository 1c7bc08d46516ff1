"""``python -m lab.vtrex serve``."""

import signal
import sys

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while modules load is no traceback
from lab.vtrex.cli import main

sys.exit(main(sys.argv[1:]))
