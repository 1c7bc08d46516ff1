"""Power by a baseboard controller that speaks IPMI 2.0."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Literal

from lab.errors import LabError, TestbedUnreachable
from lab.machines.protocol import PowerState
from lab.process import dying_with_parent
from lab.testbed.boots import Firmware
from lab.testbed.power import IpmiPower
from lab.testbed.secrets import login

_CALL = Path(__file__).with_name("ipmi_call.py")
# Within a session pyghmi waits half a minute for an answer and does not ask again, though datagrams are lost.
_TRY_LIMIT_S = 4.0
_TRIES = 2


class IpmiSwitch:
    """Asks the controller, with a login for each request: a session that idles would be ended by the controller."""

    off_s = 1.0
    """Some controllers take an "on" right after an "off" for part of it."""

    def __init__(self, power: IpmiPower, firmware: Firmware) -> None:
        """Take where it is; UsageError where the credentials are not."""
        self.where = f"the BMC {power.address} (IPMI, port {power.port})"
        self._power = power
        self._uefi = firmware == "uefi"
        self._login = login(power.credentials, self.where)

    def state(self) -> PowerState:
        """Ask for the state."""
        return "on" if self._call("state") == "on" else "off"

    def switch(self, wanted: PowerState) -> None:
        """Ask for the other state."""
        self._call(wanted)

    def reset(self) -> bool:
        """Pull the reset line."""
        self._call("reset")
        return True

    def boot_from_network(self) -> None:
        """Set the boot flags (IPMI 2.0, 28.12) for the next start, and only that."""
        self._call("boot")

    def close(self) -> None:
        """Do nothing: each request ends its session."""

    def _call(self, request: Literal["state", "on", "off", "reset", "boot"]) -> str | None:
        """Make a request in a process of its own (see there); returns the state where that was asked for."""
        asked = {
            "address": self._power.address,
            "port": self._power.port,
            "user": self._login.user,
            "password": self._login.password,
            "request": request,
            "uefi": self._uefi,
        }
        done = self._tried(json.dumps(asked))
        if done is None:
            raise self._silent()
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise LabError(f"{self.where}: the request {request!r} broke off: {last}")
        answer = json.loads(done.stdout.strip().splitlines()[-1])
        if "error" not in answer:
            state: str | None = answer.get("state")
            return state
        if answer["error"] is None:
            raise self._silent()
        if answer["at"] == "login":
            raise TestbedUnreachable(f"{self.where}: no login: {answer['error']}: check its address and credentials")
        raise LabError(f"{self.where}: the request {request!r} was refused: {answer['error']}: see its event log")

    def _tried(self, asked: str) -> subprocess.CompletedProcess[str] | None:
        """Make a request that may be made again; returns None where the process came to no end."""
        # -P: its neighbours are no modules for it.
        command = dying_with_parent([sys.executable, "-P", str(_CALL)])
        for _ in range(_TRIES):
            with suppress(subprocess.TimeoutExpired):
                return subprocess.run(
                    command, input=asked, capture_output=True, text=True, timeout=_TRY_LIMIT_S, check=False
                )
        return None

    def _silent(self) -> TestbedUnreachable:
        return TestbedUnreachable(
            f"{self.where} does not answer: check its address, and whether IPMI over LAN is enabled there"
        )
