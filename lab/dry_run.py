"""What a run would do, in words, without doing any of it."""

from __future__ import annotations

from collections.abc import Iterator

from lab.dut.subject import Subject
from lab.images import Manifest
from lab.methods.profile import Profile
from lab.testbed import Testbed
from lab.testbed.boots import AnyBoot, BootServer
from lab.testbed.resources import Local, Qemu, Reference, Server, SshLease, TrexHost


def steps(testbed: Testbed, subject: Subject, profile: Profile) -> Iterator[str]:
    """Yield the steps of a run, in their order, one line each.

    Args:
        testbed: where.
        subject: what is put to the test.
        profile: how thoroughly.

    """
    lease = testbed.lease
    where = f"{lease.directory} on {lease.ssh.address}" if isinstance(lease, SshLease) else "a file of this machine"
    yield f"take the lease of testbed {testbed.name} ({where})"
    if testbed.box is not None:
        yield f"raise the {testbed.box.driver} around it: namespaces, controllers, a virtual server"
    if testbed.kind == "rack":
        yield f"ask whether all of it is there (pixlab testbed check {testbed.name})"
    yield from _generator(testbed)
    yield from _device(testbed, subject)
    ports = len(testbed.dut.ports)
    yield f"configure {ports} ports and {len(testbed.dut.routes)} routes, and check that every link carries frames"
    sizes = ", ".join(map(str, profile.frame_sizes_bytes))
    yield f"run the tests below in profile {profile.name}: frames of {sizes} bytes"
    machine = testbed.dut.machine
    if isinstance(machine, Server):
        yield f"leave the server {machine.when_done}; where it does not boot or the lab breaks: {machine.when_failed}"
    yield "write results and report into reports/, and put them into the store"


def _generator(testbed: Testbed) -> Iterator[str]:
    for name, node in testbed.nodes.items():
        machine = node.machine
        if isinstance(machine, Local):
            yield "calibrate vtrex on a wire where it is not yet, and start it on this machine"
        elif isinstance(machine, TrexHost) and machine.ssh is not None and machine.release is not None:
            release = machine.release
            install = f" (else installed from {release.tarball})" if release.tarball else ""
            yield f"{name}: TRex {release.version} in {release.folder} of {machine.ssh.address}{install}"
            yield f"{name}: write its trex_cfg.yaml, start {release.program} -i, wait for port {machine.rpc_port}"
        elif isinstance(machine, TrexHost):
            yield f"{name}: connect to the TRex that runs at {machine.address} port {machine.rpc_port}"
        elif not isinstance(machine, Reference | Server | Qemu):
            yield f"{name}: start TRex on this machine and wait for port {machine.rpc_port}"


def _device(testbed: Testbed, subject: Subject) -> Iterator[str]:
    machine = testbed.dut.machine
    if isinstance(machine, Reference):
        yield f"bring up the reference {subject.name} {subject.version}: nothing is booted"
        return
    assert isinstance(subject, Manifest), "a machine boots an image"
    files = ", ".join(
        f"{file.name} ({file.size_bytes} bytes, sha256 {file.sha256[:12]})" for file in subject.boot_files
    )
    if isinstance(machine, Qemu):
        yield f"serve {files} to {machine.boot_mac} in a network of its own"
        yield f"start QEMU: {machine.memory_mib} MiB, {1 + machine.exclusive_cores} processors; it boots over PXE"
    else:
        yield f"{_served(machine.boot)}: {files}"
        yield f"open the console ({machine.console.driver})"
        power = machine.power.driver
        yield f"switch the server off, have it boot from the network once, and switch it on ({power})"
        patience = f"{machine.ready_limit_s:g} s, {machine.boot_attempts} attempts"
        yield f"wait for {subject.ready_text!r} on the console ({patience})"
    yield f"prove that what booted is what was asked for: {subject.name} {subject.version}, build {subject.build_id}"


def _served(boot: AnyBoot) -> str:
    if isinstance(boot, BootServer):
        return f"put files for {boot.mac} below {boot.directory} of the boot server {boot.ssh.address}"
    dhcp = "DHCP of its own" if boot.mode == "own" else "proxy-DHCP beside the DHCP server that is there"
    return f"serve {boot.mac} on interface {boot.interface} ({boot.firmware}, {dhcp})"
