"""The process of a Redfish controller: sushy-tools' emulator, with a system that a command switches.

``python -m lab.rackbox.redfish_server CONFIG``, where CONFIG is a JSON file written by lab.rackbox.redfish.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

from sushy_tools import error
from sushy_tools.emulator import main as emulator
from sushy_tools.emulator.resources.systems.base import AbstractSystemsDriver

# ResetType of ComputerSystem.Reset (DSP2046) by what the machine's program is told. There is no operating system that
# listens: what asks politely is not supported.
_ASKED = {"On": "on", "ForceOn": "on", "ForceOff": "off", "ForceRestart": "reset"}
_NOT_OVERRIDDEN = "Hdd"


class CommandSystem(AbstractSystemsDriver):  # type: ignore[misc]  # sushy-tools has no types
    """The one system of the controller; ``program`` is told to switch it, and asked for its state."""

    def __init__(self, program: list[str], name: str, firmware: str) -> None:
        self._program = program
        self._name = name
        self._mode = {"uefi": "UEFI", "bios": "Legacy"}[firmware]
        self._boot_device = _NOT_OVERRIDDEN

    @property
    def driver(self) -> str:
        """What the emulator prints about the driver."""
        return "<command>"

    @property
    def systems(self) -> list[str]:
        """Return the names of the systems: they stand for UUIDs, and are the last part of URIs."""
        return [self._name]

    def uuid(self, identity: str) -> str:
        """Return the name of a system that there is."""
        if identity != self._name:
            raise error.NotFound(f"there is no system {identity}")
        return self._name

    def name(self, identity: str) -> str:
        """Return the name of the system."""
        return self.uuid(identity)

    def get_power_state(self, identity: str) -> str:
        """Return the state, as the program prints it."""
        self.uuid(identity)
        return {"on": "On", "off": "Off"}[self._tell("state")]

    def set_power_state(self, identity: str, state: str) -> None:
        """Switch it; a start takes the boot device with it, which was for one start only."""
        self.uuid(identity)
        if state not in _ASKED:
            raise error.NotSupportedError(f"ResetType {state} is not supported")
        self._tell(_ASKED[state])
        if state != "ForceOff":
            self._boot_device = _NOT_OVERRIDDEN

    def get_boot_device(self, identity: str) -> str:
        """Return what the next start boots from."""
        self.uuid(identity)
        return self._boot_device

    def set_boot_device(self, identity: str, boot_source: str) -> None:
        """Choose what the next start boots from."""
        self.uuid(identity)
        if boot_source != "Pxe":
            raise error.NotSupportedError(f"BootSourceOverrideTarget {boot_source} is not supported")
        self._tell("boot", "pxe")
        self._boot_device = boot_source

    def get_boot_mode(self, identity: str) -> str:
        """Return the kind of the machine's firmware."""
        self.uuid(identity)
        return self._mode

    def _tell(self, *words: str) -> str:
        # What it leaves running may keep its output open: only what prints the state is read to the end.
        out = subprocess.PIPE if words == ("state",) else sys.stderr
        done = subprocess.run([*self._program, *words], stdout=out, text=True, check=False)
        if done.returncode != 0:
            raise error.FishyError(f"the machine refused: {' '.join(words)} ended with code {done.returncode}")
        return (done.stdout or "").strip()


def main(config: dict[str, Any]) -> None:
    """Serve until killed."""
    system = CommandSystem(config["program"], config["system"], config["firmware"])
    emulator.Application.systems = property(lambda application: system)
    emulator.app.configure(
        extra_config={
            "SUSHY_EMULATOR_AUTH_FILE": config["htpasswd"],
            "SUSHY_EMULATOR_STATE_DIR": config["state"],
        }
    )
    context = None
    if config["certificate"]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(config["certificate"], config["key"])
    emulator.app.run(host=config["address"], port=config["port"], ssl_context=context)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
