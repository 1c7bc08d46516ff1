"""``python -m lab.vtrex serve``."""

from lab.vtrex.cli import app

app(prog_name="vtrex")
