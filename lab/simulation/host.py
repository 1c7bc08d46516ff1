"""Measures what a simulation needs to know of this very machine, with the native probe (kernel/hostprobe.c)."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import numpy as np

from lab.paths import NATIVE
from lab.simulation.errors import SimulationError
from lab.simulation.facts import HostFacts

PROBE = NATIVE / "hostprobe"
DURATION_S = 1.0
TIMEOUT_S = 20.0
MAX_PARTNERS = 8
INTERRUPTED = 5.0  # a window this many times the median had a thread off its CPU


def measure(duration_s: float = DURATION_S) -> HostFacts:
    """Measure the time stamp counter and the core-to-core latency between the CPUs that this process may use.

    Many short windows: on a shared host the latency of a pair may change from one second to the next.

    Args:
        duration_s: time to measure for, in all.

    Raises:
        SimulationError: the probe is not built, fails, or there are not two CPUs.

    """
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        raise SimulationError("host: core-to-core latency needs two CPUs; this process may use only one")
    if not PROBE.exists():
        raise SimulationError(f"host: the probe {PROBE} is not built; run: make native")
    command = [str(PROBE), str(duration_s), *(str(cpu) for cpu in cpus[: MAX_PARTNERS + 1])]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    except subprocess.TimeoutExpired as error:
        raise SimulationError(f"host: the probe did not end within {TIMEOUT_S:.0f} s; are the CPUs busy?") from error
    except subprocess.CalledProcessError as error:
        raise SimulationError(f"host: the probe failed: {error.stderr.strip()}") from error
    return facts(json.loads(done.stdout))


def facts(measured: dict[str, Any]) -> HostFacts:
    """Summarize what the probe printed.

    Args:
        measured: {"tsc_hz": Hz, "windows": [{"cpus": [a, b], "one_way_ns": ns}, ...]}.

    Raises:
        SimulationError: there is no window.

    """
    windows = np.array([window["one_way_ns"] for window in measured["windows"]], dtype=float)
    if not windows.size:
        raise SimulationError("host: the probe finished no window; the CPUs are too busy to measure")
    whole = windows[windows < INTERRUPTED * np.median(windows)]
    low, median, high = (float(q) for q in np.quantile(whole, (0.1, 0.5, 0.9)))
    return HostFacts(
        tsc_hz=float(measured["tsc_hz"]),
        c2c_latency_ns_low=low,
        c2c_latency_ns_median=median,
        c2c_latency_ns_high=high,
        windows=int(whole.size),
        interrupted_windows=int(windows.size - whole.size),
    )
