"""The queue and capacity of the native model (capacity.c) in time that is made up."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from typing import Any

from lab import paths
from lab.dut.model import values_of
from lab.testbed.behaviour import Behaviour

SOURCES = paths.ROOT / "lab" / "dut" / "model-dut"
TICKS_PER_S = 1e9


class ServerInC:
    """capacity.c; times are in seconds."""

    def __init__(self, library: Path) -> None:
        self._c = ctypes.CDLL(str(library))
        self._c.behaviour_set.restype = ctypes.c_char_p
        self._c.capacity_begin.argtypes = [ctypes.c_double]
        self._c.capacity_admit.argtypes = [ctypes.c_double, ctypes.POINTER(ctypes.c_double)]
        self._c.capacity_admit.restype = ctypes.c_bool

    def begin(self, **values: Any) -> None:
        self._c.behaviour_clear()
        for name, value in values_of(Behaviour(**values)):
            assert self.set(name.encode(), value.encode()) is None
        self._c.capacity_begin(TICKS_PER_S)

    def set(self, name: bytes, value: bytes) -> bytes | None:
        said: bytes | None = self._c.behaviour_set(name, value)
        return said

    def admit(self, at_s: float) -> float | None:
        """Return when a frame that arrives at that time is served, None when it is dropped."""
        served = ctypes.c_double()
        if not self._c.capacity_admit(at_s * TICKS_PER_S, ctypes.byref(served)):
            return None
        return served.value / TICKS_PER_S

    def passed(self, rate_pps: float, begin_s: float, end_s: float) -> int:
        """Offer frames at even distances; returns how many were not dropped."""
        count = round((end_s - begin_s) * rate_pps)
        return sum(self.admit(begin_s + number / rate_pps) is not None for number in range(count))


def build(folder: Path) -> ServerInC:
    """Compile it."""
    library = folder / "capacity.so"
    sources = [str(SOURCES / name) for name in ("capacity.c", "behaviour.c")]
    subprocess.run(["gcc", "-std=gnu11", "-O2", "-shared", "-fPIC", "-o", str(library), *sources, "-lm"], check=True)
    return ServerInC(library)
