"""A testbed in use: lease, generator, device under test, and what measures on them; all undone in reverse order."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lab import paths, rackbox
from lab.dut.bring_up import BootedImage, BringUp, Deployed, KnownDevice, ReferenceUp
from lab.dut.computed import ComputedDut
from lab.dut.counted import Countable, Counted
from lab.dut.on_taps import OnTaps
from lab.dut.reference import WireDut
from lab.dut.subject import Known, Subject
from lab.errors import LabError
from lab.images import Manifest
from lab.machines.links import Links
from lab.methods.trial import Measurer
from lab.routing.table import RouteTable
from lab.testbed import Testbed, health, lease, load
from lab.testbed.resources import Reference
from lab.traffic.learning import learner
from lab.traffic.load import Direction
from lab.traffic.measurer import GeneratorMeasurer
from lab.traffic.modifiers import Modifier
from lab.traffic.nothing import NoGenerator
from lab.traffic.protocol import TrafficGenerator
from lab.traffic.restartable import RestartableGenerator
from lab.traffic.router import QUIET_S, RouterPort, RouterTester, pairs, router_ports
from lab.traffic.serving import serving

Progress = Callable[[str], None]
MeasurerOf = Callable[[Sequence[Direction], Sequence[Modifier]], Measurer]


@dataclass(frozen=True)
class Session:
    """A deployed DUT with its generator. ``speed_gbps`` is that of each link.

    ``measurer_of`` makes what runs trials with traffic in given directions, with frames beside the test frames where
    there are modifiers; ``measurer`` is that of ``directions`` alone. ``learn`` sends learning frames (RFC 2544 section
    23), and ``wait`` lets seconds pass for a DUT, which one that is computed does not need.
    ``recover`` starts the generator anew and brings the links to the DUT up again, when either has failed in a trial
    (``Conditions.recover``); it raises LabError where that cannot be.
    """

    testbed: Testbed
    deployed: Deployed
    generator: TrafficGenerator
    router: RouterTester
    measurer: Measurer
    measurer_of: MeasurerOf
    learn: Callable[[], None]
    directions: tuple[Direction, ...]
    speed_gbps: float
    wait: Callable[[float], None] = time.sleep
    recover: Callable[[], None] | None = None

    def with_traffic(self, directions: Sequence[Direction], modifiers: Sequence[Modifier] = ()) -> Session:
        """Return the same session with other directions of traffic, and with modifiers."""
        return replace(self, directions=tuple(directions), measurer=self.measurer_of(directions, modifiers))


def speed_gbps(testbed: Testbed) -> float:
    """Return the speed of the slowest data port, which bounds the rate of every direction alike."""
    return testbed.speed_gbps


@contextlib.contextmanager
def hold(testbed: Testbed, run: str) -> Iterator[None]:
    """Hold the testbed's lease; TestbedBusy when somebody else does."""
    with lease.take(testbed, run):
        yield


@contextlib.contextmanager
def standing(testbed: Testbed, run_dir: Path, progress: Progress) -> Iterator[Testbed]:
    """Raise the box around a testbed that is in one, see that all of it is there, and take it away at the end.

    Args:
        testbed: leased by the caller, who is the process's main thread.
        run_dir: folder for logs.
        progress: told what happens.

    Yields:
        The testbed: loaded anew where it is in a box, whose folder its file then names.

    Raises:
        LabError: the box cannot be raised, or something in it does not answer.

    """
    if testbed.box is None:
        yield testbed
        return
    progress(f"raising the {testbed.box.driver}")
    with rackbox.raised(testbed, run_dir):
        inside = load(testbed.name)
        health.check_reachable(inside)
        yield inside


@contextlib.contextmanager
def use(
    testbed: Testbed, subject: Subject, run_dir: Path, progress: Progress, table: RouteTable | None = None
) -> Iterator[Session]:
    """Make the links, start the generator, bring the device under test up, and connect them.

    Args:
        testbed: leased by the caller.
        subject: the image to boot, or the reference that the testbed has.
        run_dir: folder for logs.
        progress: told what happens.
        table: of routes that the DUT gets as its route file; it loads none of them by itself.

    Raises:
        LabError: anything fails; what was started is stopped.

    """
    reference = testbed.dut.machine
    if isinstance(reference, Reference) and reference.program == "computed":
        assert isinstance(subject, Known), "a reference testbed has a reference"
        yield _computed(testbed, reference, subject)
        return
    with contextlib.ExitStack() as stack:
        folder = paths.runtime_dir() / run_dir.name
        shutil.rmtree(folder, ignore_errors=True)  # sockets of the same run, which was killed
        folder.mkdir()
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        bring_up = _bring_up(testbed, subject, folder, run_dir, progress, table)
        links = stack.enter_context(bring_up.links())
        servers = stack.enter_context(serving(testbed, links, run_dir, progress))
        deployed = stack.enter_context(bring_up.device())
        deployed.dut.start()
        generator = RestartableGenerator(servers.connect)
        stack.callback(generator.close)

        def recover() -> None:
            progress("starting the generator anew")
            generator.close()
            servers.restart()
            deployed.relink()
            generator.reconnect()

        yield replace(_session(testbed, deployed, generator, links), recover=recover)


def _bring_up(
    testbed: Testbed, subject: Subject, folder: Path, run_dir: Path, progress: Progress, table: RouteTable | None
) -> BringUp:
    machine = testbed.dut.machine
    if isinstance(machine, Reference):
        assert isinstance(subject, Known), "a reference testbed has a reference"
        return KnownDevice(testbed, machine, subject, folder=folder, run_dir=run_dir, progress=progress)
    assert isinstance(subject, Manifest), "a machine boots an image"
    return BootedImage(testbed, subject, folder=folder, run_dir=run_dir, progress=progress, table=table)


def _session(testbed: Testbed, deployed: Deployed, generator: TrafficGenerator, links: Links) -> Session:
    counting: Countable = deployed
    if links.namespace is not None:
        names = {number: str(testbed.peer_of(port).interface) for number, port in enumerate(testbed.dut.ports)}
        counting = OnTaps(deployed, links.namespace, names)
    dut_ports = {theirs: own for own, theirs in testbed.wiring()}

    def measurer_of(directions: Sequence[Direction], modifiers: Sequence[Modifier]) -> Measurer:
        # On taps QEMU's copying shares the core of what polls: waiting for it is the DUT's own doing, not the host's.
        probes = [] if links.namespace is not None else deployed.probes()
        measurer = GeneratorMeasurer(generator, directions, probes=probes, modifiers=modifiers)
        return Counted(measurer, counting, dut_ports)

    ports = _ports(testbed, deployed)
    return _with(testbed, deployed, generator, measurer_of, learner(generator, ports, answered=not deployed.no_router))


def _computed(testbed: Testbed, machine: Reference, known: Known) -> Session:
    """Return a session without a generator and a device: what they would do is computed."""
    behaviour = machine.behaviour
    assert behaviour is not None, "the testbed's own check"
    dut = WireDut(known, testbed.dut, [port.mac for port in testbed.dut.ports])
    no_router = f"{known.name} is a reference and no router: its trials are computed, and no frame is sent"
    speed = speed_gbps(testbed)

    def measurer_of(directions: Sequence[Direction], modifiers: Sequence[Modifier]) -> Measurer:
        if modifiers:
            raise LabError(f"{known.name}: frames beside the test frames are not computed: take another testbed")
        return ComputedDut(behaviour, directions=len(directions), speed_gbps=speed)

    generator = NoGenerator(len(testbed.generator.ports), speed)
    used = _with(testbed, ReferenceUp(dut, behaviour.hops, no_router), generator, measurer_of, lambda: None)
    return replace(used, wait=lambda _duration_s: None)


def _with(
    testbed: Testbed,
    deployed: Deployed,
    generator: TrafficGenerator,
    measurer_of: MeasurerOf,
    learn: Callable[[], None],
) -> Session:
    ports = _ports(testbed, deployed)
    directions = pairs(ports, deployed.hops)
    return Session(
        testbed=testbed,
        deployed=deployed,
        generator=generator,
        # vCPUs that wait for each other may be late with what they should not send at all.
        router=RouterTester(generator, ports, quiet_s=4 * QUIET_S if deployed.sharing else QUIET_S),
        measurer=measurer_of(directions, ()),
        measurer_of=measurer_of,
        learn=learn,
        directions=directions,
        speed_gbps=speed_gbps(testbed),
    )


def _ports(testbed: Testbed, deployed: Deployed) -> tuple[RouterPort, ...]:
    return router_ports(testbed, [str(port["mac"]) for port in deployed.dut.ports()])
