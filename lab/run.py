"""The folder of a run: its journal while it lasts, results and report at its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from lab import paths
from lab.dut.protocol import Dut
from lab.dut.record import BootRecord
from lab.dut.subject import Subject
from lab.errors import LabError
from lab.images import Manifest
from lab.machines.cores import CorePlan
from lab.methods.bounds import Bounds
from lab.methods.profile import Profile
from lab.methods.repeat import Progress, Recall, TrialEvent
from lab.methods.trial import TrialRequest, TrialResult
from lab.methods.validity import ValidityLimits, disturbed
from lab.report.html import write_report
from lab.results import events as ev
from lab.results import model, resumable
from lab.results.environment import environment
from lab.results.finding import Finding
from lab.results.journal import FILE_NAME, Journal
from lab.results.memory import Memory
from lab.results.writer import REPORT_NAME, RESULTS_NAME, point_latest, read_results, write_results
from lab.simulation.consistency import Consistency
from lab.simulation.facts import HostFacts
from lab.simulation.verdict import in_words
from lab.testbed import Testbed
from lab.traffic.calibration import Calibration
from lab.traffic.models import GeneratorInfo


def finish(folder: Path) -> Path:
    """Make results.json and index.html of a run from its journal.

    Args:
        folder: of the run, in reports/.

    Returns:
        The report.

    Raises:
        UsageError: its journal is missing or damaged.

    """
    report = folder / REPORT_NAME
    write_report(write_results(folder), report)
    return report


class Run:
    """A run that is going on. All that is noted is in the journal, on the disk, when the call returns."""

    def __init__(self, folder: Path, subject: Subject, remembered: Sequence[ev.Event] = ()) -> None:
        """Create the folder and its journal, or go on with those of a run that was killed."""
        self.folder = folder
        self.name = folder.name
        self._journal = Journal(folder / FILE_NAME, resume=bool(remembered))
        self._memory = Memory(remembered)
        self._say: Callable[[str], None] = lambda _text: None
        self._not_stored: LabError | None = None
        self._generator: model.Generator | None = None
        self._subject = subject

    @classmethod
    def begin(
        cls, *, suite: str, testbed: Testbed, subject: Subject, profile: Profile, selection: Sequence[str] = ()
    ) -> Run:
        """Begin a run: its folder is named after time, suite, testbed and what is put to the test.

        Args:
            suite: name of the folder of the tests.
            testbed: where.
            subject: what is put to the test.
            profile: how thoroughly.
            selection: what pytest was told to run.

        """
        stamp = time.strftime("%Y%m%d-%H%M%S")
        name = f"{stamp}-{suite}-{testbed.name}-{subject.name}"
        number = 1
        while (paths.REPORTS / name).exists():
            number += 1
            name = f"{stamp}-{suite}-{testbed.name}-{subject.name}-{number}"
        run = cls(paths.REPORTS / name, subject)
        run._note(
            ev.RunStarted(
                at_s=time.time(),
                run_id=run.name,
                suite=suite,
                testbed=testbed.name,
                profile=profile.name,
                environment=environment(),
                subject=subject.name,
                selection=tuple(selection),
            )
        )
        return run

    @classmethod
    def resume(
        cls,
        name: str | None,
        *,
        suite: str,
        testbed: Testbed,
        subject: Subject,
        profile: Profile,
        selection: Sequence[str] = (),
    ) -> Run:
        """Go on with a run that was killed: its trials are taken from its journal and not run again.

        Args:
            name: of the run; None: the newest that did not end and is of the same kind.
            suite: as of ``begin``, like all that follows; of the run that is resumed they must be the same.
            testbed: where.
            subject: what is put to the test.
            profile: how thoroughly.
            selection: what pytest was told to run.

        Raises:
            UsageError: there is no such run, it ended, it is still going on, or was of another kind.

        """
        kind = {
            "suite": suite,
            "testbed": testbed.name,
            "image": subject.name,
            "profile": profile.name,
            "tests": " ".join(selection),
        }
        folder, events = resumable.named(name, kind) if name else resumable.newest(kind)
        (folder / REPORT_NAME).unlink(missing_ok=True)  # of what it had when it was killed
        run = cls(folder, subject, events)
        run._note(ev.RunResumed(at_s=time.time()))
        return run

    def say_by(self, say: Callable[[str], None]) -> None:
        """Have progress printed by ``say``."""
        self._say = say

    def say(self, text: str) -> None:
        """Tell a person who watches one line."""
        self._say(text)

    def note_calibration(self, calibration: Calibration) -> None:
        """Note what the generator can do by itself."""
        self._generator = model.Generator(
            name="vtrex",
            version="",
            ceilings_pps={s.frame_size_bytes: s.ceiling_pps for s in calibration.sizes},
            latency_floor_us={s.frame_size_bytes: s.floor_p50_us for s in calibration.sizes if s.floor_p50_us},
        )
        self._note(ev.Calibrated(at_s=time.time(), generator=self._generator, calibration=calibration))

    def note_host(self, facts: HostFacts) -> None:
        """Note what was measured of this machine for the simulated baselines."""
        self._note(ev.HostMeasured(at_s=time.time(), facts=facts))

    @property
    def remembered(self) -> Memory:
        """What is known from before the run was killed; nothing where it was not."""
        return self._memory

    def note_device(self, boot: BootRecord | None, dut: Dut, info: GeneratorInfo) -> None:
        """Note what is put to the test, where and how it booted if it did, and which generator drives it."""
        version = dut.version()
        subject = model.Dut(
            name=str(version["name"]),
            version=str(version["version"]),
            cores=sum(core["role"] == "exclusive" for core in dut.cores()),
            ports=len(dut.ports()),
            details={} if boot else _details(version),
        )
        shown, how = (None, None) if boot is None else (self._shown(boot), _how(boot))
        self._note(ev.Booted(at_s=time.time(), image=shown, boot=how, dut=subject))
        known = self._generator or model.Generator(name="", version="", ceilings_pps={}, latency_floor_us={})
        name = f"{'vtrex' if info.watches_itself else 'TRex'} ({info.client})"
        named = known.model_copy(update={"name": name, "version": info.version})
        self._note(ev.Calibrated(at_s=time.time(), generator=named))

    def _shown(self, boot: BootRecord) -> model.Image:
        image = self._subject
        assert isinstance(image, Manifest), "what boots is an image"
        return model.Image(
            name=image.name,
            layout=image.layout_name,
            version=image.version,
            build_id=image.build_id,
            asked_sha256=boot.asked_sha256,
            served_sha256=boot.served_sha256,
            booted_sha256=boot.booted_sha256,
            booted_build_id=boot.booted_build_id,
        )

    def watch(self, test: str) -> Progress:
        """Return who is told of each trial of a test: the journal, and the person who watches."""

        def told(event: TrialEvent) -> None:
            marks = disturbed(event.result, ValidityLimits())
            self._note(ev.TrialEnded(at_s=time.time(), test=test, trial=event, disturbed=marks))
            self.say(_trial_line(event))

        return told

    def recall(self, test: str) -> Recall:
        """Return what knows the trials of a test that were run before the run was killed."""

        def recalled(search: str, request: TrialRequest) -> TrialResult | None:
            try:
                return self._memory.recall(test, search, request)
            except LookupError as error:
                self._note(ev.Noted(at_s=time.time(), text=str(error)))
                self.say(str(error))
                return None

        return recalled

    @contextmanager
    def search(self, test: str, kind: str, frame_size_bytes: int) -> Iterator[list[Bounds]]:
        """Note the begin and the end of a method; what is put into the list are its bounds.

        An error of the lab ends up in the journal and is raised on.
        """
        self.say(f"{kind} at {frame_size_bytes} bytes")
        self._note(ev.SearchStarted(at_s=time.time(), test=test, kind=kind, frame_size_bytes=frame_size_bytes))
        bounds: list[Bounds] = []
        error: str | None = None
        try:
            yield bounds
        except LabError as broken:
            error = str(broken)
            raise
        finally:
            self._note(
                ev.SearchEnded(
                    at_s=time.time(),
                    test=test,
                    kind=kind,
                    frame_size_bytes=frame_size_bytes,
                    bounds=tuple(bounds),
                    error=error,
                )
            )

    def record(self, measurement: model.Measurement) -> None:
        """Note a number that is to be published, and say it."""
        self._note(ev.Measured(at_s=time.time(), measurement=measurement))
        self.say(_measurement_line(measurement))

    def record_value(self, *, test: str, metric: str, value: float, unit: str) -> None:
        """Note a number that has no frame size and no bounds."""
        self.record(model.Measurement(test=test, frame_size_bytes=0, metric=metric, value=value, unit=unit))

    def record_comparison(self, comparison: model.LayoutComparison) -> None:
        """Note a comparison of the two layouts, and say it."""
        self._note(ev.Compared(at_s=time.time(), comparison=comparison))
        self.say(_comparison_line(comparison))

    def record_path(self, path: model.PathCycles) -> None:
        """Note busy cycles a packet of the running image, measured and predicted, and say them."""
        self._note(ev.PathMeasured(at_s=time.time(), path=path))
        self.say(
            f"busy cycles a packet, {path.c2c_ns:.0f} ns core to core: measured {path.measured_cycles:.0f}, simulated "
            f"{path.predicted_median:.0f} ({path.predicted_low:.0f} to {path.predicted_high:.0f})"
        )

    def record_published(self, consistency: Consistency) -> None:
        """Note which layouts a published rate would be consistent with, and say them."""
        self._note(ev.PublishedChecked(at_s=time.time(), consistency=consistency))
        self.say(
            f"{consistency.about} ({consistency.published_pps / 1e6:g} Mpps): consistent with "
            f"{'; '.join(consistency.holding) or 'no layout that was simulated'}"
        )

    def record_finding(self, finding: Finding) -> None:
        """Note what a method found that is more than one number."""
        self._note(ev.Found(at_s=time.time(), finding=finding))

    def note(self, event: ev.LatencyMeasured | ev.ReorderingMeasured) -> None:
        """Note a record of latency or reordering."""
        self._note(event)

    def note_test(
        self,
        test: str,
        title: str,
        outcome: Literal["passed", "failed", "skipped", "error"],
        duration_s: float,
        message: str,
    ) -> None:
        """Note how a test ended."""
        self._note(
            ev.TestEnded(
                at_s=time.time(),
                outcome=model.Outcome(test=test, title=title, outcome=outcome, duration_s=duration_s, message=message),
            )
        )

    def end(self, exit_code: int) -> None:
        """Note the end, and make the results."""
        self._note(ev.RunEnded(at_s=time.time(), exit_code=exit_code))
        self._journal.close()
        write_results(self.folder)
        point_latest(self.folder)

    def keep(self, store: str | None) -> LabError | None:
        """Put the run, which has ended, into a store (lab.results.store); returns why it is not in it, if so.

        Journal, results and report are there in any case, and the summary says what went wrong. The report is made
        last: a run without one was killed, if only while it was put away, and can be resumed.
        """
        from lab.results.store import put  # not where tests are only collected: SQLAlchemy takes a while

        try:
            put(self.folder, store)
        except LabError as error:
            self._not_stored = error
        write_report(self.folder / RESULTS_NAME, self.folder / REPORT_NAME)
        return self._not_stored

    def summary(self) -> Sequence[str]:
        """Return what to tell at the end: what was measured, what went wrong in the lab, where the report is."""
        results = read_results(self.folder / RESULTS_NAME)
        lines = [_measurement_line(m) for m in results.measurements if m.unit == "pps"]
        lines += [f"lab error: {error}" for error in results.lab_errors]
        if self._not_stored:
            lines.append(f"not stored: {self._not_stored}; then: pixlab store import {self.name}")
        return [*lines, f"report: {self.folder / REPORT_NAME}"]

    def _note(self, event: ev.Event) -> None:
        self._journal.append(event)


def _details(version: dict[str, Any]) -> dict[str, str]:
    """Return what a reference says of itself beyond name and version."""
    more = {key: str(value) for key, value in version.items() if key not in ("name", "version", "build_id")}
    return {"reference": f"nothing is booted; build {version['build_id']}", **more}


def _how(boot: BootRecord) -> model.Boot:
    served = ", ".join(f"{file.name} ({file.size_bytes} bytes)" for file in boot.served.sent)
    if boot.accelerator is None or boot.cores is None:
        details = {"served": f"{served}, to {boot.served.mac}"}
        return model.Boot(accelerator="none", reason="a real server", phases_s=boot.phases_s, details=details)
    return model.Boot(
        accelerator=boot.accelerator.accelerator,
        reason=boot.accelerator.reason,
        phases_s=boot.phases_s,
        details={
            "qemu": boot.accelerator.qemu_version,
            "guest processor": boot.processor,
            "host core of the generator": str(boot.cores.generator),
            "host cores of the exclusive vCPUs": ", ".join(map(str, boot.cores.exclusive)) + _shared(boot.cores),
            "served": f"{served}, to {boot.served.mac}",
        },
    )


def _shared(cores: CorePlan) -> str:
    """Say that nothing was measured, where polling loops shared host cores."""
    return f" (shared: {cores.sharing}; no rate or time is a measurement)" if cores.sharing else ""


def _trial_line(event: TrialEvent) -> str:
    result = event.result
    outcome = f"loss {100 * result.loss_ratio:.4f} %" if result.lost_frames else "no loss"
    if result.invalid:
        outcome = f"invalid: {'; '.join(result.invalid)}"
    remains = "" if event.remaining_s is None else f" (about {event.remaining_s:.0f} s remain)"
    return (
        f"{event.search} trial {event.number}, {result.request.frame_size_bytes} bytes: "
        f"{result.request.rate_pps / 1e6:.3f} Mpps for {result.duration_s:g} s: {outcome}{remains}"
    )


def _measurement_line(m: model.Measurement) -> str:
    where = f" at {m.frame_size_bytes} bytes" if m.frame_size_bytes else ""
    if m.value is None:
        return f"{m.metric}{where}: none: {m.error or m.reason or 'no load met the goal'}"
    value = f"{m.value / 1e6:.3f} Mpps" if m.unit == "pps" else f"{m.value:.6g} {m.unit}"
    return f"{m.metric}{where}: {value}{_simulated(m)}"


def _simulated(m: model.Measurement) -> str:
    """Say what is simulated beside a rate: verdict, likelihood ratio, bands of the measured machine."""
    own = [b for b in m.baselines if b.machine == "host"]
    if m.verdict is None or m.likelihood_ratio is None:
        return f" ({m.verdict})" if m.verdict else ""
    bands = ", ".join(f"{b.layout} {b.low_pps / 1e6:.2f} to {b.high_pps / 1e6:.2f}" for b in own)
    return f" ({m.verdict}: {in_words(m.likelihood_ratio)}; simulated {bands} Mpps)"


def _comparison_line(c: model.LayoutComparison) -> str:
    batch = f", batch {c.batch}" if c.batch is not None else ""
    state = f", {c.c2c_ns:.0f} ns core to core" if c.c2c_ns is not None else ""
    simulated = f"; simulated {c.predicted_median:.2f}" if c.predicted_median is not None else ""
    return (
        f"{c.bench} on {c.cores} cores ({c.where}{batch}{state}): packed / padded {c.ratio:.3f} "
        f"({c.low:.3f} to {c.high:.3f}){simulated}"
    )
