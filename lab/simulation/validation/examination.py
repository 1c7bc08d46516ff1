"""Looks at checks one after the other, whatever becomes of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from lab.errors import LabError, UsageError, near_misses
from lab.simulation.validation.check import Check


class SimulatorDoesNotHold(LabError):
    """A check of the simulator fails, or none could be looked at."""

    exit_code = 17


def examine(checks: Mapping[int, Callable[[], Check]], numbers: Iterable[int]) -> Iterator[Check]:
    """Look at the checks of those numbers in their order; measured ones measure anew.

    A check that cannot be looked at here (it raises a LabError) is one that neither holds nor fails.

    Raises:
        UsageError: there is no check of a number.

    """
    chosen = sorted(set(numbers))
    unknown = [number for number in chosen if number not in checks]
    if unknown:
        raise UsageError(f"no check {unknown[0]}: {near_misses(str(unknown[0]), map(str, checks))}")
    for number in chosen:
        try:
            yield checks[number]()
        except LabError as error:
            name = checks[number].__module__.rpartition(".")[2].replace("_", " ")
            yield Check(number=number, name=name, holds=None, figure=str(error))


def line(check: Check) -> str:
    """Return a check as lines of text: whether it holds, its figure, and what it is made of."""
    state = {True: "holds", False: "FAILS", None: "not looked at"}[check.holds]
    limit = f" ({check.relation} {check.limit:g} {check.unit}".rstrip() + ")" if check.relation else ""
    first = f"{check.number}  {state:13}  {check.name}: {check.figure}{limit}"
    return "\n".join([first, *map(_indented, check.detail)])


def _indented(text: str) -> str:
    return f"                  {text}"


def refuse(found: Iterable[Check]) -> None:
    """Raise unless every check that could be looked at holds, and there was one.

    Raises:
        SimulatorDoesNotHold: names those that fail.

    """
    looked = [check for check in found if check.holds is not None]
    failing = [check for check in looked if not check.holds]
    if not looked:
        raise SimulatorDoesNotHold("no check of the simulator could be looked at here: the reasons stand above")
    if failing:
        which = ", ".join(f"{check.number} ({check.name})" for check in failing)
        raise SimulatorDoesNotHold(f"{len(failing)} of {len(looked)} checks of the simulator fail: {which}")
