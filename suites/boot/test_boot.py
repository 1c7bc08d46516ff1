"""What booted is what was asked for, and it is ready to route."""

from __future__ import annotations

import pytest

from lab.dut.bring_up import Deployed
from lab.dut.protocol import Dut
from lab.dut.record import BootRecord
from lab.dut.subject import Subject
from lab.images import Manifest, PixManifest
from lab.run import Run
from lab.testbed import Testbed
from lab.testbed.resources import Qemu, Server


def test_the_booted_image_is_the_asked_and_the_served_one(boot: BootRecord, image: Manifest) -> None:
    """The digest that the machine computed of the file it booted equals the asked and the served one.

    Systems that do not know what they were booted from tell a build id.
    """
    assert boot.asked_sha256 == image.digest
    assert boot.served_sha256 == boot.asked_sha256
    assert boot.booted_build_id == image.build_id
    if isinstance(image, PixManifest):
        assert boot.booted_sha256 == boot.asked_sha256


def test_what_was_served_is_what_was_asked_for(boot: BootRecord, image: Manifest) -> None:
    """Every file of the image lay with the boot service as its manifest has it, and went to this server."""
    asked = {file.name: file.sha256 for file in image.boot_files}
    delivered = {file.name: file.sha256 for file in boot.served.delivered}
    assert asked.items() <= delivered.items()


def test_the_server_got_the_file_that_its_firmware_starts(boot: BootRecord, image: Subject, testbed: Testbed) -> None:
    """UEFI gets the EFI application, a BIOS the network bootstrap program."""
    if not isinstance(image, PixManifest):
        pytest.skip(f"{image.name} is loaded by iPXE, whatever the firmware is")
    machine = testbed.dut.machine
    assert isinstance(machine, Qemu | Server)
    assert boot.served.files[0].name.endswith(".efi") == (machine.firmware == "uefi")


def test_the_console_is_logged(run: Run, image: Manifest) -> None:
    """What the machine said while it booted is in the folder of the run."""
    assert image.ready_text in (run.folder / "console.log").read_text(encoding="utf-8", errors="replace")


def test_the_shell_tells_version_layout_and_build(dut: Dut, image: Manifest) -> None:
    """The version that the console tells is the one of the manifest."""
    version = dut.version()
    assert (version["name"], version["version"]) == (image.name, image.version)
    assert (version.get("layout", ""), version["build_id"]) == (image.layout_name, image.build_id)


def test_every_data_port_is_found(deployed: Deployed, dut: Dut) -> None:
    """The image found as many data ports as the testbed gave it, each with an address of its own."""
    ports = dut.ports()
    assert [port["port"] for port in ports] == list(range(deployed.data_ports))
    assert len({port["mac"] for port in ports}) == len(ports)


def test_one_generic_and_one_exclusive_core_at_least(dut: Dut, image: Subject) -> None:
    """There is a generic core for the shell and an exclusive one for a queue group manager."""
    if not isinstance(image, PixManifest):
        pytest.skip(f"exclusive cores are a design of PIX: {image.name} schedules all of its cores")
    roles = [core["role"] for core in dut.cores()]
    assert roles.count("generic") >= 1
    assert roles.count("exclusive") >= 1


def test_boot_time(boot: BootRecord, run: Run) -> None:
    """The phases of the boot are recorded; how long they take is a figure, not a verdict."""
    phases = boot.phases_s
    assert phases, "no phase of the boot was timed"
    for phase, seconds in phases.items():
        assert seconds >= 0
        run.record_value(test="boot", metric=f"boot time: {phase}", value=seconds, unit="s")


def test_a_wrong_command_gets_a_usage_line(dut: Dut, image: Subject) -> None:
    """The shell answers a command that it does not know with one line that says so."""
    if not isinstance(image, PixManifest):
        pytest.skip("how a wrong command is answered is a promise of PIX's shell")
    answer = dut.command("route add nonsense")
    assert len(answer) == 1
    assert answer[0].startswith(("usage: ", "error: "))
