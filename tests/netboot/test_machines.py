"""Real PXE clients (iPXE in QEMU): proxy-DHCP beside a real DHCP server, HTTP, and a link that goes down meanwhile."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from lab.netboot import open_source
from lab.testbed.boots import PxeBoot
from tests.netboot.boot_net import BRIDGE, CLIENT, MAC, TAP, boot_net, says

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace: needs root")

LIMIT_S = 30.0


def test_proxy_beside_an_existing_dhcp_server(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"\xf4\xeb\xfd" * 30_000)  # hlt; jmp: it starts and does nothing
    boot = PxeBoot.model_validate({"driver": "pxe", "interface": BRIDGE, "mac": MAC, "mode": "proxy"})
    with boot_net() as net, net.existing_dhcp():
        source = open_source(boot, {"image": tmp_path / "image"}, tmp_path, tmp_path / "log", enter=net.near.enter)
        try:
            with net.machine(tmp_path):
                says(source, f"image was sent to {MAC} in full", LIMIT_S)
            record = source.record()
            assert record.ip.startswith("192.0.2.1") and record.ip != CLIENT, "the other server's address"
            assert record.address_given_at_s is None
        finally:
            source.close()


def test_image_cut_on_the_wire_by_http(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(bytes(12 << 20))
    boot = PxeBoot.model_validate(
        {"driver": "pxe", "interface": BRIDGE, "mac": MAC, "address": CLIENT, "transfer": "http"}
    )
    with boot_net() as net, net.existing_dhcp("--dhcp-ignore=tag:!known"):
        source = open_source(boot, {"image": tmp_path / "image"}, tmp_path, tmp_path / "log", enter=net.near.enter)
        try:
            with net.machine(tmp_path):
                says(source, f"the transfer of image to {MAC} broke off", LIMIT_S)
                subprocess.run(net.near.enter(["ip", "link", "set", TAP, "down"]), check=True)
                time.sleep(0.5)  # the rest would have taken less
                assert f" of {12 << 20} bytes)" in source.diagnosis()
            assert not source.record().sent
        finally:
            source.close()
