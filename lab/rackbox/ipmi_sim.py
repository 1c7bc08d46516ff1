"""A baseboard controller that speaks IPMI: OpenIPMI's ipmi_sim, which switches a machine by a command."""

from __future__ import annotations

import re
import shlex
import socket
import uuid
from collections.abc import Sequence
from pathlib import Path

from lab.errors import UsageError
from lab.rackbox.child import Child
from lab.testbed.probes import RMCP_PING
from lab.testbed.secrets import Login

_ANSWER_LIMIT_S = 0.2
# ipmi_sim splits its configuration at white space and ends a quoted word at the next quote; IPMI 2.0 (22.30) has room
# for 20 characters.
_WORD = re.compile(r"[!#-\[\]-~]{1,20}")
_MC = "0x20"


class IpmiSim(Child):
    """An ipmi_sim process: power, reset, boot device and serial over LAN of one machine."""

    def __init__(
        self,
        directory: Path,
        *,
        address: str,
        port: int,
        login: Login,
        program: Sequence[str],
        sol: str | None = None,
    ) -> None:
        """Start it and wait until it answers.

        Args:
            directory: for its configuration (mode 0600: the password is in it), its state and its log; is created.
            address: IPv4 address to listen at.
            port: UDP port.
            login: of its only user, an administrator.
            program: command line that is called with ``on``, ``off``, ``state`` (prints the word on or off), ``reset``
                or ``boot pxe`` added, and ends with code 0 when it was done. Requests wait for its end.
            sol: what serial over LAN is joined to: ``tcp:ADDRESS:PORT``, ``telnet:ADDRESS:PORT`` or a device whose path
                has at most 15 characters; ipmi_sim connects, again and again until it is there.

        Raises:
            UsageError: ipmi_sim cannot take the user name or the password.
            LabError: it did not come up.

        """
        for word in (login.user, login.password):
            if not _WORD.fullmatch(word):
                raise UsageError(
                    "ipmi_sim takes user names and passwords of 1 to 20 printable characters without space, "
                    "quote and backslash: give others"
                )
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "state").mkdir(exist_ok=True)
        chassis = directory / "chassis"
        chassis.write_text(_adapter(program), encoding="utf-8")
        chassis.chmod(0o700)
        config = directory / "lan.conf"
        config.touch(mode=0o600)
        config.write_text(_lan_conf(address, port, login, chassis, sol), encoding="utf-8")
        commands = directory / "commands"
        commands.write_text(_COMMANDS, encoding="utf-8")
        super().__init__(
            f"ipmi_sim at {address} port {port}",
            ["ipmi_sim", "-n", "-c", str(config), "-f", str(commands), "-s", str(directory / "state")],
            directory / "ipmi_sim.log",
            lambda: _answers(address, port),
        )


# One controller, whose answers to Get Device ID (IPMI 2.0, 20.1) name no maker with extensions of its own.
_COMMANDS = f"""\
mc_setbmc {_MC}
mc_add {_MC} 0 no-device-sdrs 0x01 1 0 0x8f 0 0
sel_enable {_MC} 1000 0x0a
mc_enable {_MC}
"""


def _lan_conf(address: str, port: int, login: Login, chassis: Path, sol: str | None) -> str:
    """Write ipmi_sim's main configuration (ipmi_lan(5)); the user's number 2 is the first that may have a name."""
    return "\n".join(
        [
            'name "dut"',
            f"set_working_mc {_MC}",
            "startlan 1",
            f"  addr {address} {port}",
            "  priv_limit admin",
            *(f"  allowed_auths_{level} md5" for level in ("callback", "user", "operator", "admin")),
            f"  guid {uuid.uuid4().hex}",  # RAKP needs one (IPMI 2.0, 13.21)
            "endlan",
            f'chassis_control "{shlex.quote(str(chassis))}"',
            *([f'sol "{sol}" 115200'] if sol else []),
            f'user 2 true "{login.user}" "{login.password}" admin 10 md5',
            "",
        ]
    )


def _adapter(program: Sequence[str]) -> str:
    """Write the script that ipmi_sim calls (``get power``, ``set power 1``, ...) in terms of the machine's program."""
    call = shlex.join(program)
    return f"""\
#!/bin/sh
# ipmi_sim's chassis control: "get NAME" prints NAME:VALUE, "set NAME VALUE" prints nothing. Any other code is an error.
set -e
# What the program leaves running must not keep the controller's port open.
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
case "$*" in
"get power")
    state=$({call} state)
    case "$state" in
    on) echo power:1 ;;
    off) echo power:0 ;;
    *) exit 1 ;;
    esac ;;
"set power 1") {call} on >&2 ;;
"set power 0") {call} off >&2 ;;
"set reset 1") {call} reset >&2 ;;
"set boot pxe") {call} boot pxe >&2 ;;
*) exit 1 ;;
esac
"""


def _answers(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.settimeout(_ANSWER_LIMIT_S)
        asked.connect((address, port))
        asked.send(RMCP_PING)
        return bool(asked.recv(64))
