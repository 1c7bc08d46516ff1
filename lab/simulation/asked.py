"""What a user asks of the simulator in names and texts, made into questions. What is wrong is told before any runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from lab.errors import UsageError, near_misses
from lab.simulation import host, machines
from lab.simulation import layout as layouts
from lab.simulation.calibration import frozen
from lab.simulation.calibration.frozen import Frozen
from lab.simulation.layout import Layout
from lab.simulation.machine import Machine, exactly
from lab.simulation.machine import host as machine_of_host
from lab.simulation.prediction.question import DRAWS_PER_SEED, SEEDS, WINDOW_US, Question
from lab.simulation.sweep import Axis, Point, check_names, points

HOST = "host"


@dataclass(frozen=True)
class Asked:
    """A point, the axes along which it is varied, and what is the same for all.

    Attributes:
        base: the point without its axes.
        axes: may be none.
        image_elf: image whose manifests have the layouts padded and packed; None for the documented defaults.
        cycles_per_packet: measured work; None for the machine's own number.
        seeds: each gives draws of its own.
        draws_per_seed: at least one.
        window_us: simulated time that counts.
        calibration: ``here`` for that of this host, a file of one, or ``none``; None: that of this host for the machine
            ``host`` if there is one, else none.

    """

    base: Point
    axes: tuple[Axis, ...] = ()
    image_elf: Path | None = None
    cycles_per_packet: float | None = None
    seeds: tuple[int, ...] = SEEDS
    draws_per_seed: int = DRAWS_PER_SEED
    window_us: float = WINDOW_US
    calibration: str | None = None


def questions(asked: Asked) -> tuple[tuple[dict[str, str], Question], ...]:
    """Return the questions of all points, each with the values of its axes.

    Raises:
        LabError: a name, a file or a value is wrong; or the machine is this host, and cannot be measured.

    """
    swept = next((axis.values for axis in asked.axes if axis.name == "machine"), (asked.base.machine,))
    check_names(asked.axes, {name for each in swept for name in machine(each, asked.calibration).ranges})
    return tuple((values, _question(asked, point)) for values, point in points(asked.base, asked.axes))


def _question(asked: Asked, point: Point) -> Question:
    found = _with_numbers(machine(point.machine, asked.calibration), point)
    if asked.cycles_per_packet is not None:
        found = found.with_work(asked.cycles_per_packet)
    return Question(
        machine=found,
        workload=point.workload,
        layout=_layout(point.layout, point.case.cores, asked.image_elf),
        case=point.case,
        seeds=asked.seeds,
        draws_per_seed=asked.draws_per_seed,
        window_us=asked.window_us,
        frozen=calibration(point.machine, asked.calibration),
    )


@cache
def machine(name: str, calibrated: str | None = None) -> Machine:
    """Return the machine of a name or file; ``host`` as it was calibrated, else measured, once a process.

    Raises:
        LabError: there is none, its file is wrong, or the host cannot be measured.

    """
    if name != HOST:
        return machines.load(name)
    found = calibration(name, calibrated)
    return machine_of_host(host.measure()) if found is None else found.machine()


@cache
def calibration(name: str, calibrated: str | None) -> Frozen | None:
    """Return the calibrated parameters to predict a machine with; the names are those of :class:`Asked`.

    Raises:
        UsageError: what was named is not there, or is none that can be used.

    """
    if calibrated == "none" or (calibrated is None and name != HOST):
        return None
    if calibrated is not None and calibrated != "here":
        return _calibration_in(Path(calibrated))
    found = frozen.load()
    if found is None and calibrated is not None:
        raise UsageError("--calibration here: this host was not calibrated yet: run pixlab calibrate")
    return found


def _calibration_in(path: Path) -> Frozen | None:
    if not path.is_file():
        raise UsageError(f"--calibration {path}: no such file: name one of pixlab calibrate, or write here or none")
    return frozen.load(path)


def _with_numbers(found: Machine, point: Point) -> Machine:
    for name in point.numbers:
        if name not in found.ranges:
            known = near_misses(name, found.ranges)
            raise UsageError(f"--sweep {name}: machine {point.machine} has no such number: {known}")
    fixed = {name: exactly(value, found.ranges[name].unit, "asked for") for name, value in point.numbers.items()}
    return replace(found, ranges={**found.ranges, **fixed})


@cache
def _layout(name: str, cores: int, elf: Path | None) -> Layout:
    return layouts.load(name, cores, elf)
