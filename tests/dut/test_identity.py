"""A running system that does not tell what it is proves nothing."""

from pathlib import Path

import pytest

from lab.dut import linux_counters
from lab.dut.identity import identify
from lab.dut.shell import Shell
from lab.errors import DutError
from lab.images.manifest import LinuxManifest
from lab.machines.consoles import open_console
from lab.testbed.consoles import QemuConsole
from tests.dut.far_end import FarEnd
from tests.images.test_linux_manifest import manifest


def shell(folder: Path, answers: dict[str, str]) -> Shell:
    FarEnd(folder / "line", answers)
    console = QemuConsole(driver="qemu", path=folder / "line")
    return Shell(open_console(console, folder / "console.log"), "pix> ", lambda: None)


def image(folder: Path) -> LinuxManifest:
    return LinuxManifest.model_validate({**manifest(), "directory": folder})


def test_build_id_is_found_in_what_it_prints(tmp_path: Path) -> None:
    told = identify(shell(tmp_path, {"uname -v": "Some system\nbuild b7 of today\n"}), image(tmp_path))
    assert (told.build_id, told.sha256) == ("b7", None)
    assert (told.name, told.version) == ("other", "1.0"), "what it does not tell is taken from the manifest"


def test_system_that_tells_none(tmp_path: Path) -> None:
    with pytest.raises(DutError, match=r"does not tell its build id: 'uname -v' printed \['Some system'\]"):
        identify(shell(tmp_path, {"uname -v": "Some system\n"}), image(tmp_path))


def test_counters_that_are_not_told(tmp_path: Path) -> None:
    with pytest.raises(DutError, match="does not tell its counter eth0 rx_packets"):
        linux_counters.read(shell(tmp_path, {}), ("eth0",))
