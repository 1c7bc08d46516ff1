"""What a sweep asks: axes of values, and the points of their product. Nothing here simulates."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import get_args

from pydantic import Field, ValidationError

from lab.errors import UsageError, near_misses
from lab.models import Model
from lab.simulation.workload.case import Case

CHOICES = ("machine", "workload", "layout")
"""Axes besides the fields of a case and the numbers of a machine; their values are names or files."""

MAX_POINTS = 100_000
NOTHING = "none"


class Point(Model):
    """One question as its user asks it: names (or files) and numbers.

    ``numbers`` replaces numbers of the machine, by the names of its ranges and in their units.
    """

    machine: str
    workload: str
    layout: str
    case: Case = Field(default_factory=Case)
    numbers: dict[str, float] = Field(default_factory=dict)


@dataclass(frozen=True)
class Axis:
    """A name and the values that it takes, as they were written."""

    name: str
    values: tuple[str, ...]


def parse(text: str) -> Axis:
    """Read ``NAME=VALUE,VALUE`` or ``NAME=FIRST:LAST:STEP`` (both ends included; numbers only).

    Raises:
        UsageError: it is neither, has no value, one twice, or a range that ends nowhere.

    """
    name, equals, values = text.partition("=")
    name = name.strip().replace("-", "_")
    if not equals or not name:
        raise UsageError(f"--sweep {text!r}: write NAME=VALUE,VALUE or NAME=FIRST:LAST:STEP")
    return axis(name, values, f"--sweep {text!r}")


def axis(name: str, values: str, said: str) -> Axis:
    """Return an axis from its values as they were written; raises as :func:`parse`, after what was ``said``."""
    found: list[str] = []
    for value in (each.strip() for each in values.split(",")):
        ends = None if name in CHOICES else _range(value)
        found += _steps(said, *ends) if ends else [value] if value else []
    if not found:
        raise UsageError(f"{said}: an empty sweep: write at least one value")
    if len(set(found)) < len(found):
        twice = next(value for value in found if found.count(value) > 1)
        raise UsageError(f"{said}: {twice} stands there twice: remove one")
    return Axis(name, tuple(found))


def _range(value: str) -> tuple[float, float, float] | None:
    """Return first, last and step; None where it is no range of numbers."""
    try:
        first, last, step = (float(part) for part in value.split(":"))
    except ValueError:
        return None
    return first, last, step


def _steps(said: str, first: float, last: float, step: float) -> list[str]:
    if not (math.isfinite(first) and math.isfinite(last) and math.isfinite(step)) or step <= 0 or last < first:
        raise UsageError(f"{said}: an empty sweep: FIRST:LAST:STEP needs FIRST <= LAST and STEP above 0")
    count = math.floor((last - first) / step + 1e-9) + 1
    if count > MAX_POINTS:
        raise UsageError(f"{said}: {count} values; at most {MAX_POINTS}: take a greater step")
    return [f"{first + i * step:.12g}" for i in range(count)]


def check_names(axes: Sequence[Axis], numbers: Collection[str]) -> None:
    """Refuse axes that do not exist, and one given twice.

    Args:
        axes: of a sweep.
        numbers: names of the numbers of its machines.

    Raises:
        UsageError: the name is no field of a case, no number of the machines, and none of :data:`CHOICES`.

    """
    known = {*CHOICES, *Case.model_fields, *numbers}
    seen: set[str] = set()
    for axis in axes:
        if axis.name not in known:
            raise UsageError(f"--sweep {axis.name}: there is no such field: {near_misses(axis.name, known)}")
        if axis.name in seen:
            raise UsageError(f"--sweep {axis.name}: given twice: write all its values into one")
        seen.add(axis.name)


def points(base: Point, axes: Sequence[Axis]) -> tuple[tuple[dict[str, str], Point], ...]:
    """Return every combination of values, the last axis fastest, each with the point that it makes of ``base``.

    Raises:
        UsageError: a value cannot be, or there are more than :data:`MAX_POINTS` points.

    """
    count = math.prod(len(axis.values) for axis in axes)
    if count > MAX_POINTS:
        raise UsageError(f"--sweep: {count} points; at most {MAX_POINTS}: take fewer values")
    found = []
    for values in product(*(axis.values for axis in axes)):
        chosen = dict(zip((axis.name for axis in axes), values, strict=True))
        found.append((chosen, _point(base, chosen)))
    return tuple(found)


def _point(base: Point, chosen: Mapping[str, str]) -> Point:
    names = {name: value for name, value in chosen.items() if name in CHOICES}
    fields = {name: value for name, value in chosen.items() if name in Case.model_fields}
    numbers = {name: _number(name, chosen[name]) for name in chosen if name not in names and name not in fields}
    case = case_of(base.case, fields, "--sweep ")
    return base.model_copy(update={**names, "case": case, "numbers": {**base.numbers, **numbers}})


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise UsageError(f"--sweep {name}={text}: a number of a machine is 0 or more: correct it")
    return value


def case_of(base: Case, texts: Mapping[str, str], prefix: str = "--") -> Case:
    """Return a case with some fields replaced by what was written; ``none`` stands for no value.

    Args:
        base: has the other fields.
        texts: by the names of fields.
        prefix: of a name in error messages.

    Raises:
        UsageError: a field cannot have that value.

    """
    changed = {name: None if text.lower() == NOTHING else text for name, text in texts.items()}
    try:
        return Case.model_validate({**base.model_dump(), **changed})
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        option = (prefix + field.replace("_", "-")).strip()
        raise UsageError(f"{option} {texts.get(field, first['input'])}: {_complaint(field, first, texts)}") from error


def _complaint(field: str, first: Mapping[str, object], texts: Mapping[str, str]) -> str:
    if first["type"] == "literal_error":
        return near_misses(texts[field], get_args(Case.model_fields[field].annotation))
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"{message[0].lower()}{message[1:]}: correct it"
