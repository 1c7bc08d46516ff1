"""A machine from its power-on: QEMU's BIOS and a boot sector speak through the controller's serial over LAN."""

import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.machines.consoles import open_console
from lab.machines.deadline import Deadline
from lab.machines.host import QEMU
from lab.machines.qmp import Qmp
from lab.process import dying_with_parent
from lab.rackbox.ipmi_sim import IpmiSim
from lab.testbed.access import Credentials
from lab.testbed.consoles import SolConsole
from lab.testbed.secrets import Login
from tests.machines import nbp
from tests.machines.consoles.far_ends import free_port, listens

SECTOR_BYTES = 512


def bootable(folder: Path) -> Path:
    """Write a disk whose first sector is the program that greets and echoes: it lies where PXE would put it, too."""
    program = nbp.build(folder).read_bytes()
    disk = folder / "disk"
    disk.write_bytes(program.ljust(SECTOR_BYTES - 2, b"\0") + b"\x55\xaa" + bytes(63 * SECTOR_BYTES))
    return disk


def test_bios_and_boot_sector_are_heard_and_spoken_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serial, ipmi = free_port(), free_port(socket.SOCK_DGRAM)
    command = [QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-S", "-accel", "tcg", "-m", "32"]
    command += ["-machine", "pc,graphics=off", "-drive", f"file={bootable(tmp_path)},format=raw,if=ide"]
    command += ["-serial", f"tcp:127.0.0.1:{serial},server=on,wait=off"]
    command += ["-qmp", f"unix:{tmp_path}/qmp,server=on,wait=off"]
    monkeypatch.setenv("LOGIN", "operator:pass-word")
    console = SolConsole(driver="sol", address="127.0.0.1", port=ipmi, credentials=Credentials(environment="LOGIN"))
    with ExitStack() as stack:
        machine = stack.enter_context(subprocess.Popen(dying_with_parent(command)))
        stack.callback(machine.kill)
        deadline = Deadline(10)
        while not ((tmp_path / "qmp").exists() and listens(serial)):
            assert not deadline.passed and machine.poll() is None
        stack.enter_context(
            IpmiSim(
                tmp_path / "bmc",
                address="127.0.0.1",
                port=ipmi,
                login=Login("operator", "pass-word"),
                program=["true"],
                sol=f"tcp:127.0.0.1:{serial}",
            )
        )
        link = open_console(console, tmp_path / "console.log")
        stack.callback(link.close)
        qmp = Qmp(tmp_path / "qmp", 10)
        stack.callback(qmp.close)
        qmp.execute("cont")
        link.read_until("SeaBIOS", Deadline(30))
        link.read_until("nbp ready", Deadline(30))
        text = "sixteen bytes fit into the receiver of this machine, and there are many more in this line"
        link.write(text)
        link.read_until(text, Deadline(10))
