"""The real image, booted over PXE by UEFI itself: the EFI application, and the same router behind it."""

import os
from pathlib import Path

import pytest

from lab import images
from lab.dut.deploy import deploy
from lab.errors import LabError
from lab.machines import firmware
from lab.testbed import load


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace: needs root")
def test_what_uefi_boots_is_proved_and_routes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images.build()
    monkeypatch.setenv("PIXLAB_ACCELERATOR", "tcg")
    testbed, image = load("virtual-uefi"), images.find("pix-padded")
    routes = tmp_path / "routes"
    routes.write_text("20.0.0.0/8 via 198.18.0.2\n20.1.0.0/16 via 198.19.0.2\n")
    efi = image.for_firmware("uefi")
    with deploy(
        testbed, image, vhost_sockets=[], run_dir=tmp_path, progress=lambda step: None, route_file=routes
    ) as deployed:
        record, dut = deployed.boot, deployed.dut
        assert record.asked_sha256 == record.served_sha256 == record.booted_sha256 == efi.digest != image.digest
        assert [file.name for file in record.served.sent] == ["pix-padded.efi", "pix-padded.efi.routes"]
        assert [port["mac"] for port in dut.ports()] == [port.mac for port in testbed.dut.ports]
        dut.load_routes(2)
        assert "via 198.19.0.2" in dut.command("route lookup 20.1.2.3")[0]
        dut.start()
        assert {port["state"] for port in dut.ports()} == {"started"}


def test_without_ovmf_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firmware, "_CODE", tmp_path / "absent.fd")
    assert firmware.firmware_options("bios", tmp_path) == []
    with pytest.raises(LabError, match=r"absent.fd is missing\): run 'apt-get install ovmf'"):
        firmware.firmware_options("uefi", tmp_path)
