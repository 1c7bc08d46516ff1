"""Testbeds: what machines there are, how they are wired, whether they answer, and who uses them."""

from lab.testbed.loader import load
from lab.testbed.model import Testbed
from lab.testbed.reach import check_reachable

__all__ = ["Testbed", "check_reachable", "load"]
