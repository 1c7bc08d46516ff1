"""What can stand in a journal: one frozen record a line, told apart by ``event``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from lab.methods.bounds import Bounds
from lab.methods.latency import LatencyAtLoad
from lab.methods.reordering import ReorderingAtLoad
from lab.methods.repeat import TrialEvent
from lab.models import Model
from lab.results.finding import Finding
from lab.results.model import (
    Boot,
    Dut,
    Environment,
    Generator,
    Image,
    LayoutComparison,
    Measurement,
    Outcome,
    PathCycles,
)
from lab.simulation.consistency import Consistency
from lab.simulation.facts import HostFacts
from lab.traffic.calibration import Calibration


class RunStarted(Model):
    """The first line of every journal. ``at_s`` is Unix time in all events.

    ``subject`` is the name of what is put to the test, ``selection`` what pytest was told to run of the suite.
    """

    event: Literal["run-started"] = "run-started"
    at_s: float
    run_id: str
    suite: str
    testbed: str
    profile: str
    environment: Environment
    subject: str = ""
    selection: tuple[str, ...] = ()


class RunResumed(Model):
    """The run was killed and goes on here: what follows is whole, with the trials from before among it again."""

    event: Literal["run-resumed"] = "run-resumed"
    at_s: float


class Noted(Model):
    """Something that a reader of the results should know."""

    event: Literal["noted"] = "noted"
    at_s: float
    text: str


class HostMeasured(Model):
    """What the simulated baselines know of the machine that ran the lab."""

    event: Literal["host-measured"] = "host-measured"
    at_s: float
    facts: HostFacts


class Booted(Model):
    """The DUT is up, and what booted is proved; ``image`` and ``boot`` are None of a reference, which is not booted."""

    event: Literal["booted"] = "booted"
    at_s: float
    image: Image | None
    boot: Boot | None
    dut: Dut


class Calibrated(Model):
    """The generator was calibrated, or is known by name; ``calibration`` only of the former."""

    event: Literal["calibrated"] = "calibrated"
    at_s: float
    generator: Generator
    calibration: Calibration | None = None


class SearchStarted(Model):
    """A method begins its trials at one frame size."""

    event: Literal["search-started"] = "search-started"
    at_s: float
    test: str
    kind: str
    frame_size_bytes: int


class TrialEnded(Model):
    """One trial, valid or not, with all its counts."""

    event: Literal["trial"] = "trial"
    at_s: float
    test: str
    trial: TrialEvent
    disturbed: tuple[str, ...] = ()


class SearchEnded(Model):
    """A method came to its end: with bounds (none for a method that seeks none), or with an error."""

    event: Literal["search-ended"] = "search-ended"
    at_s: float
    test: str
    kind: str
    frame_size_bytes: int
    bounds: tuple[Bounds, ...] = ()
    error: str | None = None


class Measured(Model):
    """One number that is to be published."""

    event: Literal["measured"] = "measured"
    at_s: float
    measurement: Measurement


class LatencyMeasured(Model):
    """Latency of one load and direction."""

    event: Literal["latency"] = "latency"
    at_s: float
    test: str
    latency: LatencyAtLoad


class ReorderingMeasured(Model):
    """Reordering at one load."""

    event: Literal["reordering"] = "reordering"
    at_s: float
    test: str
    reordering: ReorderingAtLoad


class Found(Model):
    """A method came to a result that is more than one number."""

    event: Literal["found"] = "found"
    at_s: float
    finding: Finding


class Compared(Model):
    """Two layouts were compared."""

    event: Literal["compared"] = "compared"
    at_s: float
    comparison: LayoutComparison


class PathMeasured(Model):
    """Busy cycles a packet of the running image were measured and predicted."""

    event: Literal["path-measured"] = "path-measured"
    at_s: float
    path: PathCycles


class PublishedChecked(Model):
    """A published rate was compared with what is predicted of its machine."""

    event: Literal["published-checked"] = "published-checked"
    at_s: float
    consistency: Consistency


class TestEnded(Model):
    """How a test of the suite ended."""

    __test__ = False  # not a test class, whatever its name begins with
    event: Literal["test"] = "test"
    at_s: float
    outcome: Outcome


class RunEnded(Model):
    """The last line of a run that was not killed."""

    event: Literal["run-ended"] = "run-ended"
    at_s: float
    exit_code: int


Event = Annotated[
    RunStarted
    | RunResumed
    | Noted
    | HostMeasured
    | Booted
    | Calibrated
    | SearchStarted
    | TrialEnded
    | SearchEnded
    | Measured
    | LatencyMeasured
    | ReorderingMeasured
    | Found
    | Compared
    | PathMeasured
    | PublishedChecked
    | TestEnded
    | RunEnded,
    Field(discriminator="event"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
