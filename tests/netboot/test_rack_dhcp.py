"""DHCP on a rack's boot network: the right file for each firmware, own or beside another server, for one MAC only."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.netboot import open_source
from lab.netboot.service import BootService
from lab.testbed.boots import PxeBoot
from tests.netboot.boot_net import BRIDGE, CLIENT, LAB, MAC, OTHER, STRANGER, BootNet, boot_net, says

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace: needs root")

BIOS, UEFI, UEFI_HTTP = 0, 7, 16


@pytest.fixture(scope="module")
def net() -> Iterator[BootNet]:
    with boot_net() as made:
        yield made


def serve(net: BootNet, folder: Path, name: str = "image", **values: object) -> BootService:
    (folder / name).write_bytes(bytes(100_000))
    boot = PxeBoot.model_validate({"driver": "pxe", "interface": BRIDGE, "mac": MAC, "address": CLIENT, **values})
    source = open_source(boot, {name: folder / name}, folder, folder / "log", enter=net.near.enter)
    assert isinstance(source, BootService)
    return source


def asks(mac: str = MAC, **values: object) -> list[object]:
    return ["dhcp", {"mac": mac, **values}]


def test_own_dhcp_answers_one_machine(net: BootNet, tmp_path: Path) -> None:
    """The stranger's question comes first: it would be answered first, and the answer is the machine's."""
    with serve(net, tmp_path) as service:
        stranger, ours = net.play(asks(STRANGER, wait_s=0.1), asks())
        assert stranger is None
        assert (ours["mac"], ours["ip"], ours["file"], ours["next_server"]) == (MAC, CLIENT, "image", LAB)
        says(service, "did not take the offered one")


def test_proxy_answers_one_machine_and_gives_no_address(net: BootNet, tmp_path: Path) -> None:
    with serve(net, tmp_path, mode="proxy", address=None) as service:
        stranger, ours, bios = net.play(
            asks(STRANGER, wait_s=0.1), asks(), asks(type=3, port=4011, to=LAB, ciaddr=CLIENT)
        )
        assert stranger is None
        for answer in (ours, bios):
            assert (answer["mac"], answer["ip"], answer["class"]) == (MAC, "0.0.0.0", "PXEClient")
            assert (answer["file"], answer["next_server"]) == ("image", LAB)
        says(service, "did the network's own DHCP server give it an address")


def test_uefi_gets_its_application_and_others_nothing(net: BootNet, tmp_path: Path) -> None:
    with serve(net, tmp_path, "image.efi", firmware="uefi") as service:
        uefi, other, ipxe, http, bios = net.play(
            asks(architecture=UEFI),
            asks(architecture=9),
            asks(architecture=UEFI, ipxe=True),
            asks(architecture=UEFI_HTTP),
            asks(architecture=BIOS),
        )
        assert [answer["file"] for answer in (uefi, other, ipxe, bios)] == ["image.efi"] * 3 + [""]
        assert http["file"].startswith(f"http://{LAB}:") and http["file"].endswith("/image.efi")
        assert http["class"] == "HTTPClient"
        says(service, "asked as a BIOS machine (DHCP option 93: 0), but the testbed says firmware: uefi")


def test_ipxe_is_sent_to_http_where_the_testbed_says_so(net: BootNet, tmp_path: Path) -> None:
    with serve(net, tmp_path, transfer="http"):
        ipxe, plain = net.play(asks(ipxe=True), asks())
        assert ipxe["file"].startswith(f"http://{LAB}:") and ipxe["file"].endswith("/image.ipxe")
        assert plain["file"] == "image"


def test_rom_that_runs_no_scripts_gets_ipxe_first(net: BootNet, tmp_path: Path) -> None:
    for firmware, architecture, program in (("bios", BIOS, "undionly.kpxe"), ("uefi", UEFI, "ipxe.efi")):
        folder = tmp_path / firmware
        folder.mkdir()
        given = {"driver": "pxe", "interface": BRIDGE, "mac": MAC, "address": CLIENT, "firmware": firmware}
        boot = PxeBoot.model_validate(given)
        source = open_source(boot, {"boot.ipxe": "#!ipxe\nshell\n"}, folder, folder / "log", enter=net.near.enter)
        try:
            plain, ipxe = net.play(asks(architecture=architecture), asks(architecture=architecture, ipxe=True))
            assert (plain["file"], ipxe["file"]) == (program, "boot.ipxe")
        finally:
            source.close()


def test_foreign_offer_is_told_from_one_not_taken(net: BootNet, tmp_path: Path) -> None:
    with serve(net, tmp_path) as service:
        net.play(asks(), asks(type=3, requested="192.0.2.100", server=OTHER, wait_s=0.1))
        says(service, "took the offer of another DHCP server")
        service.forget()
        says(service, "no DHCP request")
        net.play(asks(transaction=2), asks(transaction=2, type=3, requested=CLIENT, server=LAB))
        says(service, f"{MAC} took the address {CLIENT} and did not fetch image")
        record = service.record()
        assert record.requested_at_s and record.address_given_at_s and record.ip == CLIENT


def test_files_not_there_cut_and_sent(net: BootNet, tmp_path: Path) -> None:
    with serve(net, tmp_path) as service:
        took = [asks(), asks(type=3, requested=CLIENT, server=LAB)]
        *_, absent = net.play(*took, ["tftp", LAB, "kernel", None])
        assert absent == -1
        says(service, "/kernel, which is not there")
        net.play(*took, ["tftp", LAB, "image", 100, "out of memory"])
        says(service, "broke off (its receiver said: out of memory)")
        assert not service.record().sent
        *_, size = net.play(*took, ["tftp", LAB, "image", 100])
        assert size == 51_200
        says(service, " of 100000 bytes)")
        assert service.record().sent == () and service.record().delivered == ()
        *_, size = net.play(*took, ["tftp", LAB, "image", None])
        assert size == 100_000
        says(service, f"image was sent to {MAC} in full")
        assert [file.name for file in service.record().sent] == ["image"]


def test_http_tells_what_arrived(net: BootNet, tmp_path: Path) -> None:
    with serve(net, tmp_path, transfer="http") as service:
        took, _ = net.play(asks(ipxe=True), asks(type=3, requested=CLIENT, server=LAB, ipxe=True))
        port = int(took["file"].split(":")[2].split("/")[0])
        *_, absent, outside = net.play(["http", LAB, port, "kernel", None], ["http", LAB, port, "../log", None])
        assert absent.startswith("HTTP/1.1 404") and outside.startswith("HTTP/1.1 404")
        says(service, "/../log, which is not there")
        net.play(["http", LAB, port, "image", 5000])
        says(service, " of 100000 bytes)")
        assert not service.record().sent
        net.play(["http", LAB, port, "image", None])
        says(service, f"image was sent to {MAC} in full")


def test_boot_service_that_ends_meanwhile_is_named(net: BootNet, tmp_path: Path) -> None:
    with serve(net, tmp_path) as service:
        took = [asks(), asks(type=3, requested=CLIENT, server=LAB)]
        net.play(*took, ["tftp", LAB, "image", 10])
        os.kill(net.dnsmasq(), signal.SIGKILL)
        says(service, "dnsmasq ended in the middle of the run: dnsmasq-dhcp: ")


def test_what_does_not_fit_is_one_line(net: BootNet, tmp_path: Path) -> None:
    for values, said in (
        ({"interface": "br1"}, r"has no 'br1': did you mean 'br0'\?"),
        ({"address": "198.51.100.10"}, "an address in the network of boot.address 198.51.100.10 .it has: 192.0.2.1/24"),
        ({"address": LAB}, "is the address of br0 itself"),
        ({"firmware": "uefi"}, "'image' is no EFI application"),
    ):
        with pytest.raises(UsageError, match=said):
            serve(net, tmp_path, **values)
