"""Testbeds: what machines there are, how they are wired, whether they answer, and who uses them."""

from lab.testbed.loader import load
from lab.testbed.model import Testbed

__all__ = ["Testbed", "load"]
