"""``python -m lab.vtrex serve``."""

import signal
import sys

signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while modules load is no traceback
from lab.vtrex.cli import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
