"""Power of servers: one driver a file, all of them seen to have done what they were asked."""

from __future__ import annotations

from lab.machines.power.command import CommandSwitch
from lab.machines.power.ipmi import IpmiSwitch
from lab.machines.power.qemu import QemuSwitch
from lab.machines.power.verified import Switch, VerifiedPower
from lab.machines.protocol import Power
from lab.testbed.boots import Firmware
from lab.testbed.power import AnyPower, CommandPower, IpmiPower, PduPower, QemuPower


def connect(power: AnyPower, *, firmware: Firmware = "bios") -> Power:
    """Return the power of a server. Nobody is asked anything yet, but the credentials are read.

    Args:
        power: how it is switched.
        firmware: what the server boots with; IPMI must be told when it is to boot from the network.

    Raises:
        UsageError: the credentials are not where the testbed says.

    """
    return VerifiedPower(_switch(power, firmware), power.limit_s)


def _switch(power: AnyPower, firmware: Firmware) -> Switch:
    if isinstance(power, IpmiPower):
        return IpmiSwitch(power, firmware)
    if isinstance(power, QemuPower):
        return QemuSwitch(power)
    if isinstance(power, CommandPower):
        return CommandSwitch(power)
    # The libraries of these two take long to import, and most testbeds need neither.
    if isinstance(power, PduPower):
        from lab.machines.power.pdu import PduSwitch

        return PduSwitch(power)
    from lab.machines.power.redfish import RedfishSwitch

    return RedfishSwitch(power)
