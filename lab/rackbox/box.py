"""Raises a box: its folder, its networks, and in them the server, its controllers and the TRex hosts."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lab import paths
from lab.errors import UsageError
from lab.rackbox import design, release, server
from lab.rackbox.design import Design
from lab.rackbox.folder import BoxFolder, clean_up
from lab.rackbox.ipmi_sim import IpmiSim
from lab.rackbox.networks import HAS_IPV6, Networks
from lab.rackbox.redfish import RedfishEmulator
from lab.rackbox.router import Router
from lab.rackbox.trex_host import TrexMachine, make_key
from lab.testbed import Testbed
from lab.testbed.secrets import Login

ENVIRONMENT = "PIXLAB_RACKBOX"
# Files of the folder that testbed files name.
BMC_LOGIN = "bmc"
BMC_CERTIFICATE = "bmc.pem"
TREX_KEY = "trex_key"
KNOWN_HOSTS = "known_hosts"
TREX_TARBALL = "trex.tar"

_SERIAL_PORT = 9000  # of the controller's own loopback


@contextmanager
def raise_box(testbed: Testbed, run_dir: Path) -> Iterator[None]:
    """Raise the box around the calling thread; as lab.rackbox.raised."""
    if testbed.box is None:
        raise UsageError(f"testbed {testbed.name!r} has no box: give it one (box: {{driver: rackbox}})")
    clean_up()
    with ExitStack() as stack:
        folder = BoxFolder()
        stack.callback(folder.remove)
        stack.callback(_keep_logs, folder.path, run_dir)
        cables = folder.path / "cables"
        cables.mkdir()
        plan = design.read(testbed, cables)
        stack.enter_context(_on_cores(plan.generator_cores))
        addresses = [each.address for each in (plan.ipmi, plan.redfish) if each is not None]
        networks = stack.enter_context(Networks(plan.boot_interface, addresses, list(plan.trex_hosts)))
        for pid in networks.pids:
            folder.add_process(pid)
        login = Login("pixlab", secrets.token_hex(8))
        folder.secret(BMC_LOGIN, f"{login.user}:{login.password}\n")
        if HAS_IPV6:
            with networks.server.inside():
                folder.add_process(stack.enter_context(Router(folder.path / "router")).pid)
        with networks.controller.inside():
            _start_server(stack, plan, folder, networks, run_dir)
            _start_controllers(stack, plan, folder, login, run_dir)
        _start_trex_hosts(stack, plan, folder, networks, cables)
        stack.enter_context(networks.lab.inside())
        stack.enter_context(_environment(folder.path))
        yield


def _keep_logs(folder: Path, run_dir: Path) -> None:
    """Copy what the services said to the other logs of the run; no secret is in it."""
    for log in folder.glob("*/*.log"):
        shutil.copyfile(log, run_dir / f"rackbox-{log.name}")


def _start_server(stack: ExitStack, plan: Design, folder: BoxFolder, networks: Networks, run_dir: Path) -> None:
    (folder.path / server.HARDWARE).write_text(plan.hardware.model_dump_json(), encoding="utf-8")
    started = server.start(folder.path, run_dir / "rackbox-server.log", networks.server.file, _SERIAL_PORT)
    folder.add_process(stack.enter_context(started).pid)
    program = folder.path / "machine"
    command = shlex.join([sys.executable, "-m", "lab.rackbox.machine", str(folder.path / server.POWER)])
    checkout = shlex.quote(str(paths.ROOT))
    program.write_text(f'#!/bin/sh\nPYTHONPATH={checkout} exec {command} "$@"\n', encoding="utf-8")
    program.chmod(0o700)


def _start_controllers(stack: ExitStack, plan: Design, folder: BoxFolder, login: Login, run_dir: Path) -> None:
    program = [str(folder.path / "machine")]
    if plan.ipmi is not None:
        started: IpmiSim | RedfishEmulator = IpmiSim(
            folder.path / "ipmi",
            address=plan.ipmi.address,
            port=plan.ipmi.port,
            login=login,
            program=program,
            sol=f"tcp:127.0.0.1:{_SERIAL_PORT}",
        )
        folder.add_process(stack.enter_context(started).pid)
    if plan.redfish is not None:
        started = RedfishEmulator(
            folder.path / "redfish",
            address=plan.redfish.address,
            port=plan.redfish.port,
            login=login,
            program=program,
            firmware=plan.hardware.firmware,
            system=plan.system,
            https=plan.https,
        )
        folder.add_process(stack.enter_context(started).pid)
        if plan.https:
            (folder.path / BMC_CERTIFICATE).symlink_to(started.certificate)


def _start_trex_hosts(stack: ExitStack, plan: Design, folder: BoxFolder, networks: Networks, cables: Path) -> None:
    release.write(folder.path / TREX_TARBALL)
    key = folder.path / TREX_KEY
    make_key(key)
    with (folder.path / KNOWN_HOSTS).open("w", encoding="ascii") as known:
        for number, (address, port) in enumerate(plan.trex_hosts.items()):
            with networks.trex_hosts[address].inside():
                machine = TrexMachine(
                    address,
                    port,
                    directory=folder.path / f"trex{number}",
                    key=key,
                    cables=cables,
                    cores=plan.generator_cores,
                )
            folder.add_process(stack.enter_context(machine).pid)
            known.write(machine.known_host)


@contextmanager
def _on_cores(cores: Sequence[int]) -> Iterator[None]:
    """Keep this thread, and what it starts, from the cores that the server polls on: it is another machine's."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def _environment(folder: Path) -> Iterator[None]:
    before = os.environ.get(ENVIRONMENT)
    os.environ[ENVIRONMENT] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[ENVIRONMENT]
        else:
            os.environ[ENVIRONMENT] = before
