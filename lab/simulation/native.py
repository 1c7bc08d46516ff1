"""Runs scenes in the C kernel (kernel/, built by ``make native``), or in the plain-Python reference without it."""

from __future__ import annotations

import ctypes
import warnings
from functools import cache
from pathlib import Path

from lab.paths import NATIVE
from lab.simulation import reference
from lab.simulation.buckets import BUCKETS
from lab.simulation.check import check
from lab.simulation.errors import SimulationError
from lab.simulation.program import STATS
from lab.simulation.scene import Outcome, Scene

LIBRARY = NATIVE / "libpixsim.so"

_I64P = ctypes.POINTER(ctypes.c_int64)
_FAILURES = {
    1: "instructions without time passing",
    2: "a word outside its memory",
    3: "a register that does not exist",
    4: "no memory left for its lines",
    5: "a sample that begins in the future",
}


class _Instruction(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in ("op", "a", "b", "c")]


_TIMING_FIELDS = (
    *("l1_ps", "issue_ps", "shared_cache_ps", "commit_ps", "locked_ps", "hold_ps", "window_ps", "overlap_ps"),
    *("concurrent_misses", "store_buffer_entries", "jitter", "upgrade", "protocol"),
)


class _Timing(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in _TIMING_FIELDS]


class _Scene(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("agents", "words", "lines")),
        ("code", ctypes.POINTER(_Instruction)),
        *((name, _I64P) for name in ("first", "socket", "device", "transfer_ps", "word_lines")),
        ("timing", _Timing),
        ("seed", ctypes.c_uint64),
        ("warm_ps", ctypes.c_int64),
        ("end_ps", ctypes.c_int64),
    ]


class _Outcome(ctypes.Structure):
    _fields_ = [
        *((name, _I64P) for name in ("stats", "warm_stats", "memory", "clocks_ps", "transactions")),
        *((name, _I64P) for name in ("word_transactions", "latency_counts")),
        ("accesses", ctypes.c_int64),
        ("fingerprint", ctypes.c_uint64),
        ("failed_agent", ctypes.c_int64),
        ("failed_at", ctypes.c_int64),
    ]


@cache
def _load(path: Path) -> ctypes.CDLL | None:
    """Load the kernel; None, with a notice, when it is not built."""
    if not path.exists():
        warnings.warn(
            f"the simulator's C kernel {path} is not built; using the plain-Python reference, about 100 times slower "
            "(build it with: make native)",
            RuntimeWarning,
            stacklevel=3,
        )
        return None
    library = ctypes.CDLL(str(path))
    library.pixsim_run.argtypes = [ctypes.POINTER(_Scene), ctypes.POINTER(_Outcome)]
    library.pixsim_run.restype = ctypes.c_int
    return library


def available() -> bool:
    """Whether the C kernel is built."""
    return LIBRARY.exists()


def simulate(scene: Scene) -> Outcome:
    """Run a scene in the C kernel, or in the reference (with a RuntimeWarning, once) when the kernel is not built.

    Raises:
        SimulationError: the scene is not well formed, or a program misbehaves.

    """
    library = _load(LIBRARY)
    if library is None:
        return reference.simulate(scene)
    check(scene)
    return _run(library, scene)


def _run(library: ctypes.CDLL, scene: Scene) -> Outcome:
    agents, words = len(scene.agents), len(scene.word_lines)
    instructions = [instruction for agent in scene.agents for instruction in agent.code]
    first, position = [], 0
    for agent in scene.agents:
        first.append(position)
        position += len(agent.code)
    timing = scene.timing
    flat = _Scene(
        agents,
        words,
        max(scene.word_lines) + 1,
        (_Instruction * len(instructions))(*(_Instruction(*fields) for fields in instructions)),
        _array(first),
        _array([agent.socket for agent in scene.agents]),
        _array([int(agent.device) for agent in scene.agents]),
        _array([value for row in scene.transfer_ps for value in row]),
        _array(scene.word_lines),
        _Timing(*(int(getattr(timing, name)) for name in _TIMING_FIELDS)),
        scene.seed,
        scene.warm_ps,
        scene.end_ps,
    )
    stats, warm = (ctypes.c_int64 * (agents * STATS))(), (ctypes.c_int64 * (agents * STATS))()
    memory, clocks = (ctypes.c_int64 * words)(), (ctypes.c_int64 * agents)()
    transactions, by_word = (ctypes.c_int64 * agents)(), (ctypes.c_int64 * words)()
    latency_counts = (ctypes.c_int64 * BUCKETS)()
    result = _Outcome(stats, warm, memory, clocks, transactions, by_word, latency_counts)
    status = library.pixsim_run(ctypes.byref(flat), ctypes.byref(result))
    if status:
        raise SimulationError(
            f"agent {result.failed_agent}: {_FAILURES.get(status, 'unknown failure')}, at {result.failed_at}"
        )
    return Outcome(
        stats=_rows(stats, agents),
        warm_stats=_rows(warm, agents),
        memory=tuple(memory),
        clocks_ps=tuple(clocks),
        accesses=int(result.accesses),
        transactions=tuple(transactions),
        word_transactions=tuple(by_word),
        latency_counts=tuple(latency_counts),
        fingerprint=int(result.fingerprint),
    )


def _array(values: list[int] | tuple[int, ...]) -> ctypes.Array[ctypes.c_int64]:
    return (ctypes.c_int64 * len(values))(*values)


def _rows(flat: ctypes.Array[ctypes.c_int64], count: int) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(flat[i * STATS : (i + 1) * STATS]) for i in range(count))
