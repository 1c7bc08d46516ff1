"""Power by an outlet of a switched PDU that speaks SNMP v2c."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from pysnmp.error import PySnmpError
from pysnmp.hlapi.v1arch.asyncio import (
    CommunityData,
    SnmpDispatcher,
    Udp6TransportTarget,
    UdpTransportTarget,
    get_cmd,
    set_cmd,
)
from pysnmp.proto.rfc1902 import Integer32, Null, ObjectIdentifier

from lab.errors import LabError, TestbedUnreachable
from lab.machines.protocol import PowerState
from lab.testbed.power import PduPower
from lab.testbed.secrets import secret

_ANSWER_LIMIT_S = 2.0
_RETRIES = 2  # datagrams are lost


class PduSwitch:
    """Asks the PDU. It has no reset line, and no say in what the server boots from."""

    def __init__(self, power: PduPower) -> None:
        """Take where it is; UsageError where the credentials are not."""
        self.where = f"outlet {power.outlet} of the PDU {power.address} (SNMP, port {power.port})"
        self.off_s = power.off_s
        self._power = power
        self._oid = ObjectIdentifier(f"{power.outlet_oid.lstrip('.')}.{power.outlet}")
        self._community = secret(power.credentials, self.where)

    def state(self) -> PowerState:
        """Ask for the state."""
        value = asyncio.run(self._ask(None))
        states: dict[str, PowerState] = {str(self._power.on): "on", str(self._power.off): "off"}
        if value not in states:
            raise LabError(
                f"{self.where}: its state is {value!r}, which is neither on ({self._power.on}) nor off "
                f"({self._power.off}): correct outlet, outlet_oid, on and off"
            )
        return states[value]

    def switch(self, wanted: PowerState) -> None:
        """Ask for the other state."""
        asyncio.run(self._ask(self._power.on if wanted == "on" else self._power.off))

    def reset(self) -> bool:
        """Return False: there is no reset line."""
        return False

    def boot_from_network(self) -> None:
        """Do nothing: the server's own boot order must begin with its PXE NIC."""

    def close(self) -> None:
        """Do nothing: there is no connection."""

    async def _ask(self, value: int | None) -> str:
        """Read the object, or write a value to it; returns the value it has then."""
        with SnmpDispatcher() as dispatcher:
            community = CommunityData(self._community, mpModel=1)  # v2c
            try:
                if value is None:
                    asked = get_cmd(dispatcher, community, await self._target(), (self._oid, Null("")))
                else:
                    asked = set_cmd(dispatcher, community, await self._target(), (self._oid, Integer32(value)))
                problem, status, _, binds = await asked
            except (PySnmpError, OSError) as error:
                raise TestbedUnreachable(f"{self.where}: {_short(error)}: check its address") from error
        if problem:
            # SNMP v2c has no answer to a wrong community (RFC 1157, 4.1).
            raise TestbedUnreachable(
                f"{self.where} does not answer: check its address, and whether the community may read and write there"
            )
        if status:
            raise LabError(
                f"{self.where}: {'reading' if value is None else 'switching'} was refused: {status.prettyPrint()}: "
                f"check outlet and outlet_oid, and what the community may do"
            )
        return str(binds[0][1].prettyPrint())

    async def _target(self) -> Any:
        address = self._power.address, self._power.port
        kind = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0][0]
        transport = Udp6TransportTarget if kind == socket.AF_INET6 else UdpTransportTarget
        return await transport.create(address, timeout=_ANSWER_LIMIT_S, retries=_RETRIES)


def _short(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(text.split()).lower()
