"""Errors of the simulator."""

from __future__ import annotations

from lab.errors import LabError


class SimulationError(LabError):
    """A scene cannot be simulated: a program or its machine is wrong."""
