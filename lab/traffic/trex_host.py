"""Starting TRex where a testbed says: on a machine that is reached by SSH, or on this one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from lab import paths
from lab.machines import cores
from lab.machines.netns import NetworkNamespace
from lab.testbed import Testbed
from lab.testbed.resources import DualIf, Platform, TrexHost, TrexLocal
from lab.traffic import trex_config
from lab.traffic.trex_machine import LocalMachine, SshMachine
from lab.traffic.trex_server import TrexPlan, TrexServer

_ALWAYS = ("--iom", "0", "--no-scapy-server")
"""No status on its output, and no second daemon, which nobody would end."""


def start(
    testbed: Testbed,
    name: str,
    run_dir: Path,
    progress: Callable[[str], None],
    namespace: NetworkNamespace | None = None,
) -> TrexServer:
    """Start the TRex server of a generator's node and wait until it answers.

    Args:
        testbed: leased by the caller.
        name: of the node; its machine is a TrexHost with SSH, or TrexLocal.
        run_dir: folder for its logs.
        progress: told what happens.
        namespace: where the interfaces of a TrexLocal are; None: where this process is.

    Raises:
        TestbedUnreachable: its machine cannot be reached.
        UsageError: the release is not there, or is another one.
        GeneratorError: it cannot be installed, does not come up, or another server has its port.

    """
    machine = testbed.generators[name].machine
    assert isinstance(machine, TrexHost | TrexLocal), "no other generator is a TRex that the lab starts"
    if isinstance(machine, TrexHost):
        return _over_ssh(testbed, name, machine, run_dir, progress)
    return _here(testbed, name, machine, run_dir, progress, namespace)


def _over_ssh(
    testbed: Testbed, name: str, machine: TrexHost, run_dir: Path, progress: Callable[[str], None]
) -> TrexServer:
    access, release = machine.ssh, machine.release
    assert access is not None and release is not None, "a server that is not the lab's is not started"
    plan = TrexPlan(
        name=name,
        state=f"${{PIXLAB_STATE:-$HOME/.pixlab}}/trex-{machine.rpc_port}",
        config=trex_config.text(testbed, name),
        address=machine.address,
        rpc_port=machine.rpc_port,
        async_port=machine.async_port,
        program=(release.program,),
        options=("-c", str(machine.cores), *_ALWAYS, *machine.options),
        release=release,
    )
    return TrexServer(plan, lambda: SshMachine(access), run_dir, progress)


def _here(
    testbed: Testbed,
    name: str,
    machine: TrexLocal,
    run_dir: Path,
    progress: Callable[[str], None],
    namespace: NetworkNamespace | None,
) -> TrexServer:
    layout = cores.plan(testbed.dut.machine.exclusive_cores)
    platform = Platform(
        master_thread_id=layout.housekeeping,
        latency_thread_id=layout.housekeeping,
        dual_if=tuple(DualIf(socket=0, threads=(layout.generator,)) for _ in testbed.generators[name].ports[::2]),
    )
    release = machine.release
    vtrex = (sys.executable, "-m", "lab.vtrex.t_rex_64")
    plan = TrexPlan(
        name=name,
        state=str(paths.state_dir() / "trex" / f"{testbed.name}-{name}"),
        config=trex_config.text(testbed, name, platform=platform),
        address="127.0.0.1",
        rpc_port=machine.rpc_port,
        async_port=machine.async_port,
        program=vtrex if release is None else (release.program,),
        options=("-c", str(machine.cores), *_ALWAYS, *machine.options),
        release=release,
        folder=str(paths.ROOT),
        inside=nullcontext if namespace is None else namespace.inside,
        housekeeping_core=layout.housekeeping,
    )
    enter = list if namespace is None else namespace.enter
    return TrexServer(plan, lambda: LocalMachine(enter), run_dir, progress)
