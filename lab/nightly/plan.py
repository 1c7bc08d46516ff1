"""The plan of a night: which suites run with which images, in which order and for how long at most."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from lab import duration, paths
from lab.document import Document, Record
from lab.errors import near_misses
from lab.methods.profiles import PROFILES
from lab.models import Model
from lab.testbed import Testbed
from lab.testbed.resources import Reference

DEFAULT = Path(__file__).with_name("plan.yaml")

_NIGHT = ("--testbed", "--image", "--profile", "--resume", "--resume-run", "--store")


def _seconds(value: object) -> object:
    return duration.seconds(value) if isinstance(value, str) else value


Duration = Annotated[float, BeforeValidator(_seconds), Field(gt=0)]
"""Seconds; in a file 90s, 30m or 2h."""


def _known_profile(name: str | None) -> str | None:
    if name is not None and name not in PROFILES:
        raise ValueError(f"no profile {name!r}: {near_misses(name, PROFILES)}")
    return name


class SuitePlan(Record):
    """One suite of a plan. ``images`` and ``profile`` are those of the plan where they are not given.

    It is stopped after ``limit`` (seconds; None: at the end of the night). ``arguments`` are given to pytest.
    """

    suite: str
    images: tuple[str, ...] | None = None
    profile: str | None = None
    limit: Duration | None = None
    arguments: tuple[str, ...] = ()

    _profile_is_known = field_validator("profile")(_known_profile)

    @field_validator("suite")
    @classmethod
    def _suite_is_known(cls, name: str) -> str:
        known = sorted(path.parent.name for path in paths.SUITES.glob("*/__init__.py"))
        if name not in known:
            raise ValueError(f"no suite {name!r}: {near_misses(name, known)}")
        return name

    @field_validator("arguments")
    @classmethod
    def _arguments_are_not_the_night_s(cls, arguments: tuple[str, ...]) -> tuple[str, ...]:
        for argument in arguments:
            if argument.split("=")[0] in _NIGHT:
                raise ValueError(f"{argument!r} is what the night itself says: use the keys of the plan")
        return arguments


class Plan(Record):
    """A plan. Each measurement is judged by the last ``history_runs`` of its kind.

    It is a regression where it is worse by more than chance and not surely by less than ``matters_percent``.
    """

    description: str = Field(min_length=1)
    images: tuple[str, ...] = Field(min_length=1)
    profile: str = "standard"
    suites: tuple[SuitePlan, ...] = Field(min_length=1)
    history_runs: int = Field(default=20, ge=4)
    matters_percent: float = Field(default=2.0, gt=0, lt=100)

    _profile_is_known = field_validator("profile")(_known_profile)


class Job(Model):
    """One suite with one image; None on a testbed whose reference boots nothing."""

    suite: str
    image: str | None
    profile: str
    limit_s: float | None
    arguments: tuple[str, ...]

    @property
    def name(self) -> str:
        """What to call it."""
        return self.suite if self.image is None else f"{self.suite} with {self.image}"

    def command(self, testbed: str, store: str | None) -> list[str]:
        """Return what pytest is given."""
        words = [f"suites/{self.suite}", f"--testbed={testbed}", f"--profile={self.profile}", *self.arguments]
        words += [] if self.image is None else [f"--image={self.image}"]
        return words + ([] if store is None else [f"--store={store}"])


def load(path: Path) -> Plan:
    """Read a plan; UsageError where something in it is wrong, with its line."""
    return Document.read(path, "description, images and suites").validated(Plan)


def jobs(plan: Plan, testbed: Testbed) -> tuple[Job, ...]:
    """Return what the plan has to be run on a testbed, in order; one job for each suite of a reference."""
    boots = not isinstance(testbed.dut.machine, Reference)
    return tuple(
        Job(
            suite=one.suite,
            image=image,
            profile=one.profile or plan.profile,
            limit_s=one.limit,
            arguments=one.arguments,
        )
        for one in plan.suites
        for image in ((one.images or plan.images) if boots else (None,))
    )
