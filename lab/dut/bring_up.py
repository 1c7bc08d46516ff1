"""From a testbed to a device under test between the ports of a generator: an image that is booted, or a reference.

The links come first, as a generator needs them to start; then the generator; then the device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from lab.dut.deploy import deploy
from lab.dut.model import ModelForwarder
from lab.dut.namespace import VethLinks, namespace_router
from lab.dut.protocol import Dut
from lab.dut.record import BootRecord
from lab.dut.reference import TestpmdDut, WireDut
from lab.dut.reference_kernel import NamespaceDut
from lab.dut.reference_model import ModelDut
from lab.dut.reset import ResetRecord, require_kind
from lab.dut.subject import Known
from lab.dut.testpmd import Testpmd
from lab.images import Manifest
from lab.machines import cores
from lab.machines.links import Links
from lab.machines.taps import taps
from lab.metrics.hops import Tally
from lab.routing.table import RouteTable
from lab.testbed import Testbed
from lab.testbed.resources import Qemu, Reference, TrexHost
from lab.traffic.disturbance import ThreadProbe

Progress = Callable[[str], None]


class Deployed(Protocol):
    """A device under test that is up and configured.

    ``sharing`` says why polling loops share host cores, so that nothing can be measured, ``no_router`` why no test of a
    router can pass; both are empty where that is not so. Frames arrive with a TTL that is less by ``hops``. ``boot`` is
    the record of the last boot, None where nothing is booted.
    """

    dut: Dut
    data_ports: int
    sharing: str
    no_router: str
    hops: int

    @property
    def boot(self) -> BootRecord | None:
        """The record of its last boot."""

    def probes(self) -> list[ThreadProbe]:
        """Return probes of its polling threads, which tell what disturbed them in a trial."""

    def tally(self) -> Tally:
        """Return what it has counted; see lab.dut.protocol."""

    def restore(self) -> None:
        """Bring it back to the state that it was deployed and then configured in, where it has lost that."""

    def resets(self) -> tuple[str, ...]:
        """Return the kinds of resets that it has; none for what cannot be reset."""

    def reset(self, kind: str) -> ResetRecord:
        """Reset it, in any thread and while frames come, and return when it forwards again, configured as before.

        Raises:
            UsageError: it has no such reset.
            LabError: it does not come back.

        """

    def relink(self) -> None:
        """Bring its ends of the links up, and it to forwarding, when the generator at the others was started anew."""


class BringUp(Protocol):
    """What brings a device up."""

    def links(self) -> AbstractContextManager[Links]:
        """Make the links; the value are their ends for a generator."""

    def device(self) -> AbstractContextManager[Deployed]:
        """Bring the device up on its links, at the other ends of which a generator is ready."""


class BootedImage:
    """Boots an image on the machine of a testbed."""

    def __init__(
        self,
        testbed: Testbed,
        image: Manifest,
        *,
        folder: Path,
        run_dir: Path,
        progress: Progress,
        table: RouteTable | None = None,
    ) -> None:
        """Say what to boot where.

        Args:
            testbed: leased by the caller.
            image: to boot.
            folder: for sockets; its path is short.
            run_dir: folder for logs.
            progress: told what happens.
            table: of routes that the DUT gets as its route file; it loads none of them by itself.

        """
        self._testbed = testbed
        self._image = image
        self._run_dir = run_dir
        self._folder = folder
        self._progress = progress
        self._table = table
        self._on_taps = isinstance(testbed.dut.machine, Qemu) and testbed.dut.machine.links == "tap"
        here = not isinstance(testbed.generator.machine, TrexHost)  # else it is cabled
        self._sockets = _sockets(testbed, folder) if here and not self._on_taps else []
        self._taps: tuple[int, ...] = ()

    @contextmanager
    def links(self) -> Iterator[Links]:
        """Name the sockets, which the generator makes, or make the taps, which it opens."""
        if self._on_taps:
            with taps(self._tap_names()) as made:
                self._taps = made.descriptors
                yield Links(namespace=made.namespace)
            return
        options: list[str] = []
        for socket, port in zip(self._sockets, self._testbed.dut.ports, strict=False):
            queues = f",queues={len(port.qgms)}" if len(port.qgms) > 1 else ""
            options += ["--port", f"vhost:{socket}{queues}"]
        yield Links(vtrex_options=tuple(options))

    @contextmanager
    def device(self) -> Iterator[Deployed]:
        """Boot, prove and configure; raises what ``deploy`` raises."""
        route_file = None
        if self._table is not None:
            self._progress(f"writing a route file of {len(self._table.prefixes)} routes")
            route_file = self._folder / "routes"
            self._table.write(route_file)
        with deploy(
            self._testbed,
            self._image,
            vhost_sockets=self._sockets,
            taps=self._taps,
            run_dir=self._run_dir,
            progress=self._progress,
            route_file=route_file,
        ) as deployed:
            yield deployed

    def _tap_names(self) -> dict[str, int]:
        """Return what the generator calls the taps, with queues as long as those of the machine's ports."""
        machine = self._testbed.dut.machine
        assert isinstance(machine, Qemu)
        names = [self._testbed.peer_of(port).interface for port in self._testbed.dut.ports]
        return {name: machine.queue_size for name in names if name is not None}


class ReferenceUp:
    """A reference that is up; see Deployed."""

    boot: BootRecord | None = None
    sharing = ""

    def __init__(
        self,
        dut: WireDut,
        hops: int,
        no_router: str = "",
        *,
        tid: int | None = None,
        core: int = 0,
        again: Callable[[], int] | None = None,
    ) -> None:
        """Describe it.

        Args:
            dut: how it is told what to do.
            hops: by how much the TTL of frames is less behind it.
            no_router: why no test of a router can pass.
            tid: of the thread that polls, where one does.
            core: host core on which that thread is alone.
            again: makes its program anew and returns the new ``tid``; None: its links do not end with a generator.

        """
        self.dut: Dut = dut
        self.data_ports = len(dut.ports())
        self.hops = hops
        self.no_router = no_router
        self._polls = None if tid is None else (tid, core)
        self._again = again

    def probes(self) -> list[ThreadProbe]:
        """Return a probe of the thread that polls, if one does."""
        return [] if self._polls is None else [ThreadProbe("polling thread of the DUT", self._tid, self._polls[1])]

    def _tid(self) -> int:
        assert self._polls is not None
        return self._polls[0]

    def tally(self) -> Tally:
        """Return what it has counted."""
        return self.dut.tally()

    def restore(self) -> None:
        """Do nothing: it keeps its state as long as it lives, and one that has ended says so when it is asked."""

    def resets(self) -> tuple[str, ...]:
        """Return none, but for the model, which can be dead for a while."""
        return ("model",) if isinstance(self.dut, ModelDut) else ()

    def reset(self, kind: str) -> ResetRecord:
        """Have the model lose everything for a known time."""
        require_kind(kind, self.resets(), str(self.dut.version()["name"]))
        assert isinstance(self.dut, ModelDut)
        return self.dut.reset(kind)

    def relink(self) -> None:
        """Make its program anew: a virtio-user port does not connect again (DPDK, "Poll Mode Driver for Virtio")."""
        if self._again is not None and self._polls is not None:
            self._polls = (self._again(), self._polls[1])
            self.dut.start()


class KnownDevice:
    """Brings up the reference of a testbed."""

    def __init__(
        self, testbed: Testbed, machine: Reference, known: Known, *, folder: Path, run_dir: Path, progress: Progress
    ) -> None:
        """Say which; arguments as of ``BootedImage``."""
        self._testbed = testbed
        self._machine = machine
        self._known = known
        self._folder = folder
        self._run_dir = run_dir
        self._progress = progress
        self._plan = cores.plan(1)
        self._node = testbed.dut
        self._peers = [testbed.peer_of(port) for port in testbed.dut.ports]
        self._sockets = _sockets(testbed, folder)
        self._veth: VethLinks | None = None

    @contextmanager
    def links(self) -> Iterator[Links]:
        """Make what the program is linked by; LabError where that cannot be."""
        if self._machine.program == "wire":
            yield Links(vtrex_options=("--wire",))
        elif self._machine.program == "namespace":
            ports, routes = self._node.ports, self._node.routes
            with namespace_router(ports, self._peers, routes, core=self._plan.exclusive[0]) as self._veth:
                devices = [word for name in self._veth.to_dut for word in ("--port", f"af_packet:{name}")]
                yield Links(vtrex_options=(*devices, "--netns", self._veth.netns))
        else:
            yield Links(vtrex_options=tuple(w for socket in self._sockets for w in ("--port", f"vhost:{socket}")))

    @contextmanager
    def device(self) -> Iterator[Deployed]:
        """Bring it up; DutError or LabError where it does not come."""
        self._progress(f"bringing up {self._known.name} {self._known.version}")
        makers = {"wire": self._wire, "testpmd": self._testpmd, "namespace": self._namespace, "model": self._model}
        with makers[self._machine.program]() as up:
            up.dut.configure(self._node, self._peers)
            yield up

    @contextmanager
    def _wire(self) -> Iterator[ReferenceUp]:
        """Frames for a port carry the address of the port at the other end: a wire leaves them as they are."""
        far_macs = [self._peers[number ^ 1].mac for number in range(len(self._peers))]
        yield ReferenceUp(WireDut(self._known, self._node, far_macs), 0, self._says("carries frames"))

    @contextmanager
    def _testpmd(self) -> Iterator[ReferenceUp]:
        def make() -> Testpmd:
            return Testpmd(
                *self._links(),
                core=self._plan.exclusive[0],
                housekeeping_core=self._plan.housekeeping,
                queue_size=self._machine.queue_size,
                log=self._run_dir / "testpmd.log",
            )

        def again() -> int:
            dut.testpmd.close()
            dut.testpmd = make()
            return dut.testpmd.forwarding_tid

        dut = TestpmdDut(self._known, self._node, make())
        try:
            says = self._says("writes new MAC addresses")
            tid, core = dut.testpmd.forwarding_tid, self._plan.exclusive[0]
            yield ReferenceUp(dut, 0, says, tid=tid, core=core, again=again)
        finally:
            dut.testpmd.close()

    @contextmanager
    def _namespace(self) -> Iterator[ReferenceUp]:
        assert self._veth is not None, "the links come first"
        yield ReferenceUp(NamespaceDut(self._known, self._node, self._veth), 1)

    @contextmanager
    def _model(self) -> Iterator[ReferenceUp]:
        behaviour = self._machine.behaviour
        assert behaviour is not None, "the testbed's own check"

        def make() -> ModelForwarder:
            return ModelForwarder(
                *self._links(),
                behaviour=behaviour,
                core=self._plan.exclusive[0],
                housekeeping_core=self._plan.housekeeping,
                queue_size=self._machine.queue_size,
                log=self._run_dir / "model.log",
            )

        def again() -> int:
            dut.model.close()
            dut.model = make()
            return dut.model.forwarding_tid

        dut = ModelDut(self._known, self._node, make())
        try:
            says = self._says("does what its testbed says")
            tid, core = dut.model.forwarding_tid, self._plan.exclusive[0]
            yield ReferenceUp(dut, behaviour.hops, says, tid=tid, core=core, again=again)
        finally:
            dut.model.close()

    def _links(self) -> tuple[list[Path], list[str], list[str]]:
        """Return the sockets of a forwarder, and the addresses at both ends of its links."""
        return self._sockets, [port.mac for port in self._node.ports], [peer.mac for peer in self._peers]

    def _says(self, what: str) -> str:
        return f"{self._known.name} is a reference and no router: it {what}, from port 0 to 1 and back, and no more"


def _sockets(testbed: Testbed, folder: Path) -> list[Path]:
    return [folder / f"v{number}" for number in range(len(testbed.dut.ports))]
