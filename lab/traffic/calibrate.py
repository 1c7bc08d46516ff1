"""Calibrating what generates a testbed's traffic, before anything else is started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import paths
from lab.machines import cores
from lab.machines.links import Links
from lab.machines.netns import NetworkNamespace
from lab.testbed import Testbed
from lab.testbed.resources import Reference, TrexHost, TrexLocal
from lab.traffic import calibration, trex_config, trex_host
from lab.traffic.load import Direction, PortAddresses
from lab.traffic.measurer import GeneratorMeasurer
from lab.traffic.serving import Server, start_vtrex

Progress = Callable[[str], None]

CALIBRATION_TRIAL_S = 0.5


def calibrate(
    testbed: Testbed, frame_sizes_bytes: tuple[int, ...], log: Path, progress: Progress
) -> calibration.Calibration | None:
    """Measure what the testbed's generator can do by itself, and keep the best figures.

    Args:
        testbed: leased by the caller.
        frame_sizes_bytes: with FCS.
        log: file for the generator's messages.
        progress: told what runs.

    Returns:
        What is kept of this testbed; None for a generator that the lab does not start on this machine, whose ports it
        cannot join, and where polling loops share host cores.

    Raises:
        LabError: the generator does not work.

    """
    if isinstance(testbed.generator.machine, TrexHost):
        progress("generator: not calibrated, its ports are cabled to the DUT")
        return None
    if isinstance(testbed.dut.machine, Reference) and testbed.dut.machine.program == "computed":
        progress("generator: not calibrated, it is computed")
        return None
    plan = cores.plan(testbed.dut.machine.exclusive_cores)
    if plan.sharing:
        progress(f"generator: not calibrated: {plan.sharing}")
        return None
    on_sockets = isinstance(testbed.generator.machine, TrexLocal)
    with _joined(testbed, log, progress) if on_sockets else _wired(testbed, log) as server:
        generator = server.connect()
        try:
            measured = calibration.measure(
                GeneratorMeasurer(generator, _wire()),
                frame_sizes_bytes,
                directions=2,
                speed_gbps=testbed.speed_gbps,
                duration_s=CALIBRATION_TRIAL_S,
                progress=progress,
                collapses=on_sockets,
            )
        finally:
            generator.close()
    engine = paths.NATIVE / "vtrex-engine"
    return calibration.keep(testbed.name, calibration.key_of(engine, plan.generator, _path_of(testbed)), measured)


@contextmanager
def _wired(testbed: Testbed, log: Path) -> Iterator[Server]:
    """Start vtrex with two ports that its engine joins."""
    with start_vtrex(testbed, Links(vtrex_options=("--wire",)), log) as server:
        yield server


@contextmanager
def _joined(testbed: Testbed, log: Path, progress: Progress) -> Iterator[Server]:
    """Start TRex as the testbed has it, by the same file and command, on interfaces that the kernel joins in pairs.

    A packet socket on a veth pair is what it has on a tap, with the same rings; behind a tap is a machine, and here
    there is none.
    """
    bed, pairs = _on_veth(testbed)
    (name,) = bed.generators
    with NetworkNamespace("the generator's packet sockets are joined in a network namespace") as namespace:
        commands = ["link set lo up"]
        for near, far in pairs:
            commands.append(f"link add {near} type veth peer name {far}")
            commands += [f"link set {end} addrgenmode none up" for end in (near, far)]
        namespace.configure(commands, "the calibration of the generator")
        server = trex_host.start(bed, name, log.parent, progress, namespace)
        try:
            yield server
        finally:
            server.stop()


def _on_veth(testbed: Testbed) -> tuple[Testbed, list[tuple[str, str]]]:
    """Return the testbed with its generator on other interfaces, and these in pairs."""
    ((name, node),) = testbed.generators.items()
    ports = tuple(port.model_copy(update={"interface": f"cal{n}"}) for n, port in enumerate(node.ports))
    nodes = {**testbed.nodes, name: node.model_copy(update={"ports": ports})}
    names = [f"cal{number}" for number in range(len(ports))]
    return testbed.model_copy(update={"nodes": nodes}), list(zip(names[::2], names[1::2], strict=True))


def _path_of(testbed: Testbed) -> str:
    """Say what a ceiling on packet sockets depends on besides: release, command and configuration (rings, CPUs)."""
    machine = testbed.generator.machine
    if not isinstance(machine, TrexLocal):
        return ""
    return f" {machine.model_dump_json()} {trex_config.RING_FRAMES} by qdisc"


def _wire() -> tuple[Direction, ...]:
    """Both directions of a wire: no router between, so any addresses do."""
    first, second = (
        PortAddresses(
            port=i, mac=f"02:00:00:00:00:0{i}", dut_mac=f"02:00:00:00:00:0{1 - i}", first_host=host, hosts=250
        )
        for i, host in enumerate(("198.18.128.1", "198.19.128.1"))
    )
    return Direction(tx=first, rx=second, hops=0), Direction(tx=second, rx=first, hops=0)
