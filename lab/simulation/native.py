"""Runs scenes in the C kernel (kernel/, built by ``make native``), or in the plain-Python reference without it.

The kernel runs without Python's global lock: several threads simulate at once.
"""

from __future__ import annotations

import ctypes
import hashlib
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lab.paths import NATIVE
from lab.simulation import reference
from lab.simulation.buckets import BUCKETS
from lab.simulation.check import Tables, check
from lab.simulation.errors import SimulationError
from lab.simulation.program import STATS
from lab.simulation.scene import FIRST_TOUCH, Outcome, Scene

LIBRARY = NATIVE / "libpixsim.so"
SOURCES = Path(__file__).parent / "kernel"

_Numbers = npt.NDArray[np.int64]
_FAILURES = {
    1: "instructions without time passing",
    2: "a word outside its memory",
    3: "a register that does not exist",
    4: "no memory left for its lines",
    5: "a sample that begins in the future",
}
_TIMING_FIELDS = (
    *("l1_ps", "issue_ps", "shared_cache_ps", "commit_ps", "locked_ps", "hold_ps", "window_ps", "overlap_ps"),
    *("home_ps", "remote_ps", "from_memory_ps"),
    *("concurrent_misses", "store_buffer_entries", "jitter", "upgrade", "protocol", "hit_ps", "restart_ps"),
    *("snoop_ps", "together"),
)
_SCENE_ARRAYS = ("code", "first", "socket", "mates", "device", "transfer_ps", "word_lines", "line_homes")
_OUTCOME_ARRAYS = (
    *("stats", "warm_stats", "memory", "clocks_ps", "transactions", "word_transactions", "latency_counts"),
)


class _Timing(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in _TIMING_FIELDS]


class _Scene(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("agents", "words", "lines", "instructions")),
        *((name, ctypes.c_void_p) for name in _SCENE_ARRAYS),
        ("timing", _Timing),
        ("seed", ctypes.c_uint64),
        ("warm_ps", ctypes.c_int64),
        ("end_ps", ctypes.c_int64),
    ]


class _Outcome(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_void_p) for name in _OUTCOME_ARRAYS),
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
            f"the simulator's C kernel {path} is not built; using the plain-Python reference, about 150 times slower "
            "(build it with: make native)",
            RuntimeWarning,
            stacklevel=3,
        )
        return None
    library = ctypes.CDLL(str(path))
    _check_sources(library, path)
    library.pixsim_run.argtypes = [ctypes.POINTER(_Scene), ctypes.POINTER(_Outcome)]
    library.pixsim_run.restype = ctypes.c_int
    return library


def _check_sources(library: ctypes.CDLL, path: Path) -> None:
    """Refuse a kernel of other sources than those here: what it is given it would take for something else."""
    try:
        built_from = ctypes.c_int64.in_dll(library, "pixsim_sources").value
    except ValueError:
        built_from = 0
    if built_from != _digest():
        raise SimulationError(f"{path}: the C kernel was built from other sources than {SOURCES}; run: make native")


def _digest() -> int:
    """Return the digest that kernel/Makefile builds in."""
    sources = sorted(SOURCES.glob("*.[ch]"))
    return int(hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:15], 16)


def available() -> bool:
    """Whether the C kernel is built."""
    return LIBRARY.exists()


def simulate(scene: Scene) -> Outcome:
    """Run a scene in the C kernel, or in the reference (with a RuntimeWarning, once) when the kernel is not built.

    Raises:
        SimulationError: the scene is not well formed, a program misbehaves, or the kernel was built from other sources.

    """
    library = _load(LIBRARY)
    if library is None:
        return reference.simulate(scene)
    return _run(library, scene, check(scene))


def _run(library: ctypes.CDLL, scene: Scene, tables: Tables) -> Outcome:
    agents, words = len(scene.agents), len(scene.word_lines)
    given = _arrays(scene, tables)  # lives as long as the kernel reads it
    flat = _Scene(
        agents,
        words,
        tables.lines,
        sum(len(program) for program in tables.programs),
        *(given[name].ctypes.data for name in _SCENE_ARRAYS),
        _Timing(*(int(getattr(scene.timing, name)) for name in _TIMING_FIELDS)),
        scene.seed,
        scene.warm_ps,
        scene.end_ps,
    )
    sizes = (agents * STATS, agents * STATS, words, agents, agents, words, BUCKETS)
    made = {name: np.zeros(size, dtype=np.int64) for name, size in zip(_OUTCOME_ARRAYS, sizes, strict=True)}
    result = _Outcome(*(made[name].ctypes.data for name in _OUTCOME_ARRAYS))
    status = library.pixsim_run(ctypes.byref(flat), ctypes.byref(result))
    if status:
        raise SimulationError(
            f"agent {result.failed_agent}: {_FAILURES.get(status, 'unknown failure')}, at {result.failed_at}"
        )
    return Outcome(
        stats=_rows(made["stats"], agents),
        warm_stats=_rows(made["warm_stats"], agents),
        memory=tuple(made["memory"].tolist()),
        clocks_ps=tuple(made["clocks_ps"].tolist()),
        accesses=int(result.accesses),
        transactions=tuple(made["transactions"].tolist()),
        word_transactions=tuple(made["word_transactions"].tolist()),
        latency_counts=tuple(made["latency_counts"].tolist()),
        fingerprint=int(result.fingerprint),
    )


def _arrays(scene: Scene, tables: Tables) -> dict[str, _Numbers]:
    """Return the scene's tables as the kernel wants them (kernel/scene.h)."""
    lengths = [len(program) for program in tables.programs]
    places = [agent.place for agent in scene.agents]
    mates = [sum(1 << number for number, other in enumerate(places) if other == place) for place in places]
    arrays = {
        "code": np.concatenate(tables.programs),
        "first": np.cumsum([0, *lengths[:-1]]),
        "socket": [agent.socket for agent in scene.agents],
        "mates": np.array(mates, dtype=np.uint64).view(np.int64),
        "device": [agent.device for agent in scene.agents],
        "transfer_ps": scene.transfer_ps,
        "word_lines": tables.word_lines,
        "line_homes": scene.line_homes or np.full(tables.lines, FIRST_TOUCH),
    }
    return {name: np.ascontiguousarray(table, dtype=np.int64) for name, table in arrays.items()}


def _rows(flat: _Numbers, count: int) -> tuple[tuple[int, ...], ...]:
    return tuple(map(tuple, flat.reshape(count, STATS).tolist()))
