"""The pytest plugin: options, fixtures of a testbed in use, progress, and exit codes.

It wakes only where tests of ``suites/`` are collected; the tests of the lab itself run without a testbed.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from lab import baselines, dry_run, images, paths, session
from lab.dut.bring_up import Deployed
from lab.dut.protocol import Dut
from lab.dut.subject import Subject, known
from lab.errors import LabError, UsageError, near_misses
from lab.images import Manifest, PixManifest
from lab.machines import cores
from lab.machines.host import Accelerator
from lab.measurements import Measurements
from lab.methods.profile import Profile
from lab.methods.profiles import profile
from lab.methods.repeat import TooDisturbed
from lab.routing.regions import Region
from lab.routing.regions import regions as routing_regions
from lab.routing.table import ROUTES, RouteTable, generate
from lab.run import Run
from lab.simulation import host
from lab.simulation.calibration import frozen
from lab.simulation.calibration.frozen import Frozen
from lab.testbed import Testbed, health, load
from lab.testbed.resources import Reference, Server
from lab.traffic.calibrate import calibrate
from lab.traffic.calibration import Calibration
from lab.traffic.router import RouterTester

DEFAULT_IMAGE = "pix-padded"


class _Broken(Exception):
    """The lab broke in a test."""


_BED: pytest.StashKey[Testbed] = pytest.StashKey()
_SUBJECT: pytest.StashKey[Subject] = pytest.StashKey()
_PROFILE: pytest.StashKey[Profile] = pytest.StashKey()
_RUN: pytest.StashKey[Run] = pytest.StashKey()
_BROKEN: pytest.StashKey[LabError] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a run."""
    group = parser.getgroup("pixlab")
    group.addoption("--testbed", default="virtual", metavar="NAME", help="a file of testbeds/ (default: virtual)")
    group.addoption("--image", metavar="NAME", help=f"what to boot (default: {DEFAULT_IMAGE})")
    group.addoption("--against", metavar="NAME", help="what suites/comparison compares it with")
    group.addoption("--profile", default="quick", metavar="NAME", help="quick, standard or rfc2544 (default: quick)")
    group.addoption("--resume", action="store_true", help="go on with the newest run like this one that was killed")
    group.addoption("--resume-run", metavar="NAME", help="go on with this run of reports/")
    group.addoption(
        "--store", metavar="URL", help="database of all runs (default: $PIXLAB_STORE, reports/store.sqlite)"
    )
    group.addoption("--dry-run", action="store_true", help="tell what a run would do, and do nothing")
    group.addoption("--accelerator", default="auto", metavar="NAME", help="auto, kvm, tcg-then-kvm or tcg")


def _runs_suites(config: pytest.Config) -> bool:
    """Say whether any argument lies in suites/."""
    for argument in config.args:
        path = Path(str(argument).split("::")[0]).resolve()
        if path == paths.SUITES or paths.SUITES in path.parents:
            return True
    return False


def _exclusive_cores(config: pytest.Config) -> int:
    """Return how many exclusive cores the testbed's DUT has; 1 while only collecting a testbed that is not there."""
    try:
        bed = config.stash.get(_BED, None) or load(config.option.testbed)
    except UsageError:
        return 1  # told by pytest_cmdline_main where it matters
    return bed.dut.machine.exclusive_cores


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Check what was asked for before anything starts: one line and an exit code of its own for each mistake."""
    if not _runs_suites(config) or config.option.collectonly or config.option.help:
        return None
    try:
        _prepare(config)
    except LabError as error:
        print(f"pixlab: {error}", file=sys.stderr)
        return error.exit_code
    return None


def _prepare(config: pytest.Config) -> None:
    if getattr(config.option, "numprocesses", None):  # of pytest-xdist, where that is installed
        raise UsageError(f"-n {config.option.numprocesses}: a testbed serves one test at a time: leave the option out")
    accelerator = config.option.accelerator
    if accelerator != "auto":
        known = ("auto", *get_args(Accelerator))
        if accelerator not in known:
            raise UsageError(f"--accelerator={accelerator} is unknown: {near_misses(accelerator, known)}")
        os.environ["PIXLAB_ACCELERATOR"] = accelerator
    config.stash[_PROFILE] = profile(config.option.profile)
    if not config.option.dry_run:
        _check_store(config.option.store)
    bed = config.stash[_BED] = load(config.option.testbed)
    subject = config.stash[_SUBJECT] = _subject(bed, config.option.image)
    if config.option.dry_run:
        config.option.collectonly = True
        print(*dry_run.steps(bed, subject, config.stash[_PROFILE]), sep="\n")
        return
    if bed.box is None:  # else it is there once the box is raised
        health.require(bed)
    config.stash[_RUN] = _run(config, bed, subject)


def _check_store(url: str | None) -> None:
    """Have a store that cannot be had told now, and not after an hour of measuring."""
    from lab.results.store import check  # not where tests are only collected: SQLAlchemy takes a while

    check(url)


def _run(config: pytest.Config, bed: Testbed, subject: Subject) -> Run:
    """Begin a run, or go on with one that was killed."""
    option = config.option
    filters = (f"-k {option.keyword}" if option.keyword else "", f"-m {option.markexpr}" if option.markexpr else "")
    kind: dict[str, Any] = {
        "suite": _suite_name(config),
        "testbed": bed,
        "subject": subject,
        "profile": config.stash[_PROFILE],
        "selection": (*map(str, config.args), *filter(None, filters)),
    }
    if option.resume or option.resume_run:
        return Run.resume(option.resume_run, **kind)
    return Run.begin(**kind)


def _subject(bed: Testbed, asked: str | None) -> Subject:
    """Return what is put to the test: the image asked for, or the reference that the testbed has."""
    machine = bed.dut.machine
    if not isinstance(machine, Reference):
        images.build()
        return images.find(asked or DEFAULT_IMAGE).for_firmware(machine.firmware)
    if asked is not None:
        raise UsageError(
            f"--image={asked}: testbed {bed.name!r} has a reference, {machine.program}, and boots nothing: leave the "
            "option out, or take another testbed"
        )
    return known(machine)


def pytest_configure(config: pytest.Config) -> None:
    """Have the JUnit XML written into the folder of the run, and its progress to the terminal."""
    if _RUN not in config.stash:
        return
    run = config.stash[_RUN]
    if not config.option.xmlpath:
        config.option.xmlpath = str(run.folder / "junit.xml")
    run.say_by(_speaker(config))


def _suite_name(config: pytest.Config) -> str:
    """Return the name of the suite that runs, or ``suites`` when it is more than one."""
    names = set()
    for argument in config.args:
        path = Path(str(argument).split("::")[0]).resolve()
        names.add(path.relative_to(paths.SUITES).parts[0] if path != paths.SUITES else "suites")
    return names.pop() if len(names) == 1 else "suites"


def _speaker(config: pytest.Config) -> Any:
    """Return a function that prints a line past pytest's capture."""

    def say(text: str) -> None:
        capture = config.pluginmanager.getplugin("capturemanager")
        terminal = config.pluginmanager.getplugin("terminalreporter")
        if terminal is None:
            return
        with capture.global_and_fixture_disabled():
            terminal.ensure_newline()
            terminal.write_line(f"  {text}")

    return say


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Note the outcome of each test in the journal, and remember a lab that broke."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    run = item.config.stash.get(_RUN, None)
    if run is not None:
        error = call.excinfo.value if call.excinfo else None
        if isinstance(error, LabError):
            if not isinstance(error, TooDisturbed):  # the host may be quiet again for the next test
                item.config.stash.setdefault(_BROKEN, error)
            report.longrepr = f"{type(error).__name__}: {error}"
        if report.when == "call" or report.outcome != "passed":
            outcome = "error" if report.outcome == "failed" and report.when != "call" else report.outcome
            run.note_test(item.nodeid, _title(item), outcome, report.duration, _first_line(report))
    return report  # type: ignore[return-value]


def _title(item: pytest.Item) -> str:
    """Return a test's name as the sentence that it is, with its parameters."""
    name, bracket, parameters = item.name.removeprefix("test_").partition("[")
    return f"{name.replace('_', ' ').capitalize()}{f' ({parameters[:-1]})' if bracket else ''}"


def _first_line(report: pytest.TestReport) -> str:
    """Say in one line why a test did not pass; empty when it did."""
    if report.outcome == "passed":
        return ""
    if isinstance(report.longrepr, tuple):  # a skip: (file, line, reason)
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr)
    return str(text).splitlines()[0] if text else ""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give tests that ask for one the frame sizes of the profile."""
    try:
        sizes = profile(metafunc.config.option.profile)
    except UsageError:
        return  # told by pytest_cmdline_main where it matters
    for name, words in (("reset_kind", sizes.reset_kinds), ("mix", sizes.mixes)):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, words or [_off(sizes, "")], scope="session")
    if "qgm_count" in metafunc.fixturenames:
        counts = range(1, 1 + _exclusive_cores(metafunc.config))
        metafunc.parametrize("qgm_count", counts, ids=[f"{count}QGM" for count in counts], scope="session")
    for name in metafunc.fixturenames:
        test, size, rest = name.partition("frame_size")
        if not size or rest:
            continue
        values = _sizes_of(sizes, test.removesuffix("_"))
        if values is None:
            continue
        metafunc.parametrize(
            name, values or [_off(sizes, 0)], ids=[f"{value}B" for value in values] or None, scope="session"
        )


def _off(chosen: Profile, value: object) -> Any:
    """Return the parameter of a test that the profile leaves out."""
    return pytest.param(value, id="-", marks=pytest.mark.skip(reason=f"not in profile {chosen.name}"))


def _sizes_of(chosen: Profile, test: str) -> tuple[int, ...] | None:
    """Return the frame sizes for the fixture ``frame_size`` (empty ``test``) or ``<test>_frame_size``."""
    plain = {"": chosen.frame_sizes_bytes, "throughput": chosen.throughput_sizes_bytes}
    return plain[test] if test in plain else chosen.sizes_bytes(test)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip the rest once the lab has broken, with the first reason, instead of failing one by one."""
    broken = item.config.stash.get(_BROKEN, None)
    if broken is not None:
        pytest.skip(f"the lab broke before: {broken}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """End the run: results and report; an error of the lab decides the exit code."""
    run = session.config.stash.get(_RUN, None)
    if run is None:
        return
    broken = session.config.stash.get(_BROKEN, None)
    if broken is not None:
        session.exitstatus = broken.exit_code
    run.end(int(session.exitstatus))
    not_stored = run.keep(session.config.option.store)
    if not_stored and not session.exitstatus:
        session.exitstatus = not_stored.exit_code


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say where the report is."""
    run = config.stash.get(_RUN, None)
    if run is not None:
        for line in run.summary():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def run(pytestconfig: pytest.Config) -> Run:
    """Return the run that results are recorded in."""
    return pytestconfig.stash[_RUN]


@pytest.fixture(scope="session")
def testbed(pytestconfig: pytest.Config, run: Run) -> Iterator[Testbed]:
    """Return the testbed, leased for this run, and its box raised around it where it is in one."""
    bed = pytestconfig.stash[_BED]
    with session.hold(bed, run.name), session.standing(bed, run.folder, run.say) as standing:
        yield standing


@pytest.fixture(scope="session")
def image(pytestconfig: pytest.Config) -> Subject:
    """Return what is put to the test: the manifest of the image to boot, or what a reference is."""
    return pytestconfig.stash[_SUBJECT]


@pytest.fixture(scope="session", name="profile")
def profile_fixture(pytestconfig: pytest.Config) -> Profile:
    """Return how thoroughly to measure."""
    return pytestconfig.stash[_PROFILE]


@pytest.fixture(scope="session")
def calibration(testbed: Testbed, profile: Profile, run: Run) -> Calibration | None:
    """Return what the generator can do by itself; measured before the DUT starts."""
    measured = run.remembered.calibration
    if measured is None:
        measured = calibrate(testbed, profile.frame_sizes_bytes, run.folder / "calibration.log", run.say)
    if measured is not None:
        run.note_calibration(measured)
    return measured


@pytest.fixture(scope="session")
def in_use(request: pytest.FixtureRequest, testbed: Testbed, image: Subject, run: Run) -> Iterator[session.Session]:
    """Return the testbed in use: generator connected, DUT deployed, configured and started."""
    asked_for = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    for name in sorted({"calibration", "predictions"} & asked_for):
        request.getfixturevalue(name)  # before a DUT polls on the other core
    takes_file = "route_table" in asked_for and isinstance(image, Manifest)
    table = request.getfixturevalue("route_table") if takes_file else None
    stash = request.config.stash
    with contextlib.suppress(_Broken), session.use(testbed, image, run.folder, run.say, table) as used:
        run.note_device(used.deployed.boot, used.deployed.dut, used.generator.info())
        yield used
        if _BROKEN in stash:
            raise _Broken  # what is in use is left as after any failure; the error itself has been told


@pytest.fixture(scope="session")
def regions(testbed: Testbed) -> tuple[Region, ...]:
    """Return which addresses lie behind which port of the DUT in tests with a large routing table."""
    ports = testbed.dut.ports
    return routing_regions(ports, [testbed.peer_of(port) for port in ports])


@pytest.fixture(scope="session")
def route_table(regions: tuple[Region, ...], run: Run) -> RouteTable:
    """Return a table in the shape of the public one; a run with a test that asks for it deploys the DUT with it."""
    run.say(f"drawing {ROUTES} routes")
    return generate(regions)


@pytest.fixture(scope="session")
def deployed(in_use: session.Session) -> Deployed:
    """Return what was deployed, with the record of its boot."""
    return in_use.deployed


@pytest.fixture(scope="session")
def dut(in_use: session.Session) -> Dut:
    """Return the device under test."""
    return in_use.deployed.dut


@pytest.fixture(scope="session")
def router(in_use: session.Session) -> RouterTester:
    """Return the tester of the router: sends single packets and sees what comes out; skip what is no router."""
    if in_use.deployed.no_router:
        pytest.skip(in_use.deployed.no_router)
    return in_use.router


@pytest.fixture(scope="session")
def calibrated(run: Run) -> Frozen | None:
    """Return the calibrated parameters of this host; a file that cannot be used is told, and priors have to do."""
    try:
        return frozen.load()
    except UsageError as error:
        run.say(f"simulated baselines without calibration: {error}")
        return None


@pytest.fixture(scope="session")
def predictions(testbed: Testbed, image: Subject, run: Run, calibrated: Frozen | None) -> baselines.Baselines | None:
    """Return the simulated baselines of the machine that is measured; None where nothing is, or not PIX."""
    device = testbed.dut.machine
    if not isinstance(image, PixManifest):
        run.say(f"no simulated baselines: the lab does not know how {image.name} lays out its memory")
        return None
    size: dict[str, Any] = {"ports": len(testbed.dut.ports), "cores": device.exclusive_cores}
    size["speed_gbps"] = session.speed_gbps(testbed)
    if isinstance(device, Server):
        if device.simulated_as is None:
            run.say(f"no simulated baselines: testbeds/{testbed.name}.yaml does not say what machine the DUT is")
            return None
        return baselines.of_server(image, device.simulated_as, **size)
    if cores.plan(device.exclusive_cores).sharing:
        return None
    facts = run.remembered.host
    if facts is None:
        run.say("measuring this machine for the simulated baselines")
        facts = host.measure()
    run.note_host(facts)
    return baselines.of_host(image, facts, **size, frozen=calibrated)


@pytest.fixture(scope="session")
def _measurements(
    in_use: session.Session,
    run: Run,
    profile: Profile,
    calibration: Calibration | None,
    predictions: baselines.Baselines | None,
) -> Measurements:
    return Measurements(used=in_use, run=run, profile=profile, calibration=calibration, baselines=predictions)


@pytest.fixture
def order(_measurements: Measurements, request: pytest.FixtureRequest) -> Measurements:
    """Return what looks at the order of frames, also where no rate can be measured."""
    _measurements.test = request.node.originalname
    return _measurements


@pytest.fixture
def measure(order: Measurements) -> Measurements:
    """Return what measures, recording under the name of the test that asks."""
    if order.used.deployed.sharing:
        pytest.skip(f"nothing can be measured: {order.used.deployed.sharing}")
    return order
