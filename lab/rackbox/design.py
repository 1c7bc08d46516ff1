"""What a box is made of, read from the testbed that it is raised around."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address
from pathlib import Path

from lab.errors import UsageError
from lab.machines import cores, host
from lab.models import Model
from lab.rackbox.hardware import Cable, Hardware
from lab.rackbox.networks import BOOT, MANAGEMENT, TAP
from lab.testbed import Testbed
from lab.testbed.boots import PxeBoot
from lab.testbed.consoles import SolConsole
from lab.testbed.ports import Port
from lab.testbed.power import IpmiPower, RedfishPower
from lab.testbed.resources import Rackbox, Server, TrexHost

_SOCKET = "vhost:"


class Controller(Model):
    """A controller's address in the management network; port of UDP (IPMI) or of TCP (Redfish)."""

    address: str
    port: int


class Design(Model):
    """The parts of a box. ``trex_hosts``: SSH port of each by its address. ``system``: the Redfish system's name.

    ``generator_cores`` are the host's cores that TRex hosts run on.
    """

    hardware: Hardware
    boot_interface: str
    ipmi: Controller | None
    redfish: Controller | None
    https: bool
    system: str
    trex_hosts: dict[str, int]
    generator_cores: tuple[int, ...]


def read(testbed: Testbed, cables: Path) -> Design:
    """Return what is needed for a testbed.

    Args:
        testbed: with a box.
        cables: folder for the sockets of data ports.

    Raises:
        UsageError: the testbed has parts that no box has; with the place in the file.

    """
    assert testbed.box is not None, "the caller's check"
    machine = testbed.dut.machine
    if not isinstance(machine, Server):
        raise _refused(testbed, f"dut.machine.driver: it is {machine.driver!r}", "server")
    power, console, boot = machine.power, machine.console, machine.boot
    if not isinstance(power, IpmiPower | RedfishPower):
        raise _refused(testbed, f"dut.machine.power.driver: it is {power.driver!r}", "ipmi or redfish")
    if not isinstance(console, SolConsole):
        raise _refused(testbed, f"dut.machine.console.driver: it is {console.driver!r}", "sol")
    if not isinstance(boot, PxeBoot):
        raise _refused(testbed, f"dut.machine.boot.driver: it is {boot.driver!r}", "pxe")
    hosts = _trex_hosts(testbed)
    for address in (power.address, console.address, *hosts):
        if not _managed(address):
            wanted = f"an address of {MANAGEMENT.network} other than {MANAGEMENT.ip}"
            raise _refused(testbed, f"the address {address!r} is used", wanted)
    if boot.address not in BOOT.network or boot.address == BOOT.ip:
        raise _refused(testbed, f"dut.machine.boot.address: it is {boot.address}", f"another address of {BOOT}")
    ipmi = [Controller(address=each.address, port=each.port) for each in (power, console) if each.driver != "redfish"]
    if ipmi[0] != ipmi[-1]:
        raise _refused(testbed, "dut.machine.console: it is another controller than that of power", "the same one")
    redfish = isinstance(power, RedfishPower)
    plan = cores.plan(machine.exclusive_cores)
    return Design(
        hardware=_hardware(testbed, testbed.box, machine, boot, cables, plan),
        boot_interface=boot.interface,
        ipmi=ipmi[0],
        redfish=Controller(address=power.address, port=power.port) if redfish else None,
        https=isinstance(power, RedfishPower) and power.scheme == "https",
        system=(isinstance(power, RedfishPower) and power.system) or "dut",
        trex_hosts=hosts,
        generator_cores=(plan.generator, plan.housekeeping),
    )


def _hardware(
    testbed: Testbed, box: Rackbox, machine: Server, boot: PxeBoot, cables: Path, plan: cores.CorePlan
) -> Hardware:
    """Describe the server, which is emulated unless KVM is fast: nobody hands a server over while it runs."""
    native = host.plan().accelerator == "kvm" and not plan.sharing
    return Hardware(
        memory_mib=box.memory_mib,
        exclusive_cores=machine.exclusive_cores,
        firmware=box.firmware,
        accelerator="kvm" if native else "tcg",
        cpu="host,-arch-capabilities" if native else "qemu64,-svm",
        boot_mac=boot.mac,
        tap=TAP,
        cables=tuple(
            Cable(mac=port.mac, socket=cables / _socket_name(testbed, testbed.peer_of(port)), queue_pairs=pairs)
            for port, pairs in ((port, max(1, len(port.qgms))) for port in testbed.dut.ports)
        ),
        own_cores=plan.exclusive,
        other_core=plan.housekeeping,
    )


def _socket_name(testbed: Testbed, port: Port) -> str:
    if port.interface is None or not port.interface.startswith(_SOCKET):
        given = f"ports.{port.name}.interface of the generator: it is {port.interface or 'not given'!r}"
        raise _refused(testbed, given, "vhost:NAME, a socket where the cables are")
    return port.interface.removeprefix(_SOCKET).split(",")[0]


def _trex_hosts(testbed: Testbed) -> dict[str, int]:
    """Return the SSH port of each TRex host by its address."""
    hosts = {}
    for name, node in testbed.nodes.items():
        if isinstance(node.machine, TrexHost):
            ssh = node.machine.ssh
            if ssh is None or ssh.address != node.machine.address:
                found = f"{name}.machine.ssh: it is missing, or has another address"
                raise _refused(testbed, found, f"one at {node.machine.address}")
            hosts[ssh.address] = ssh.port
    return hosts


def _managed(address: str) -> bool:
    try:
        return IPv4Address(address) in MANAGEMENT.network and IPv4Address(address) != MANAGEMENT.ip
    except AddressValueError:
        return False


def _refused(testbed: Testbed, found: str, wanted: str) -> UsageError:
    return UsageError(f"testbed {testbed.name!r}: {found}, but a rack in a box has no such part: give it {wanted}")
