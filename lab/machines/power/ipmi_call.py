"""One request to a baseboard controller by IPMI, as a process of its own (started by lab.machines.power.ipmi).

pyghmi keeps sockets, threads and sessions for the life of a process: in the network namespace that the first of them
was made in, shared with a console on the same controller, and with minutes of patience. Here they end with the request.

Reads one JSON object from standard input (address, port, user, password, request, uefi) and prints one as its last
line: ``{"state": "on"}``, ``{}``, or what is wrong: ``{"at": "login", "error": TEXT or null}`` with ``at`` being
``login`` or ``request``, and null where nothing came back. Imports nothing of the lab, for its start to be short.
"""

from __future__ import annotations

import json
import socket
import sys
from typing import Any

from pyghmi.exceptions import PyghmiException
from pyghmi.ipmi.command import Command, select_simplesession

_CHASSIS = 0  # network function (IPMI 2.0, table 5-1)
_GET_STATUS = 1  # Get Chassis Status (28.2): bit 0 of the first byte is the power
_CONTROL = 2  # Chassis Control (28.3)
_CONTROLS = {"off": 0, "on": 1, "reset": 3}


def main() -> dict[str, Any]:
    """Carry out the request of standard input."""
    asked = json.load(sys.stdin)
    select_simplesession()  # one without a thread: the other kind often misses an answer, and asks again a second later
    at = "login"
    try:
        socket.getaddrinfo(asked["address"], asked["port"], type=socket.SOCK_DGRAM)  # for its message
        controller = Command(asked["address"], asked["user"], asked["password"], port=asked["port"])
        at = "request"
        try:
            return _answer(controller, asked["request"], asked["uefi"])
        finally:
            controller.ipmi_session.logout()
    except (PyghmiException, OSError) as error:
        text = getattr(error, "strerror", None) or str(error)
        return {"at": at, "error": None if text in ("None", "timeout", "Session no longer connected") else text}


def _answer(controller: Command, request: str, uefi: bool) -> dict[str, Any]:
    if request == "boot":
        controller.set_bootdev("network", persist=False, uefiboot=uefi)
        return {}
    if request == "state":
        status = controller.raw_command(netfn=_CHASSIS, command=_GET_STATUS)
    else:
        status = controller.raw_command(netfn=_CHASSIS, command=_CONTROL, data=[_CONTROLS[request]])
    if "error" in status:
        raise PyghmiException(status["error"])
    return {"state": "on" if status["data"][0] & 1 else "off"} if request == "state" else {}


if __name__ == "__main__":
    print("\n" + json.dumps(main()))
