"""Calibrating what generates a testbed's traffic, before anything else is started."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lab import paths
from lab.machines import cores
from lab.machines.links import Links
from lab.testbed import Testbed
from lab.testbed.resources import Reference, TrexHost
from lab.traffic import calibration
from lab.traffic.load import Direction, PortAddresses
from lab.traffic.measurer import GeneratorMeasurer
from lab.traffic.serving import start_vtrex

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
        What is kept of this testbed; None for a generator that the lab does not start itself, whose ports it cannot
        join, and where polling loops share host cores.

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
    speed = testbed.speed_gbps
    with start_vtrex(testbed, Links(vtrex_options=("--wire",)), log) as server:
        generator = server.connect()
        try:
            measured = calibration.measure(
                GeneratorMeasurer(generator, _wire()),
                frame_sizes_bytes,
                directions=2,
                speed_gbps=speed,
                duration_s=CALIBRATION_TRIAL_S,
                progress=progress,
            )
        finally:
            generator.close()
    key = calibration.key_of(paths.NATIVE / "vtrex-engine", plan.generator)
    return calibration.keep(testbed.name, key, measured)


def _wire() -> tuple[Direction, ...]:
    """Both directions of a wire: no router between, so any addresses do."""
    first, second = (
        PortAddresses(
            port=i, mac=f"02:00:00:00:00:0{i}", dut_mac=f"02:00:00:00:00:0{1 - i}", first_host=host, hosts=250
        )
        for i, host in enumerate(("198.18.128.1", "198.19.128.1"))
    )
    return Direction(tx=first, rx=second, hops=0), Direction(tx=second, rx=first, hops=0)
