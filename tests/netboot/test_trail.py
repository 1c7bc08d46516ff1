"""What log lines of boot servers tell of one server, and of no other."""

from lab.netboot import diagnosis
from lab.netboot.trail import Trail

MAC = "52:54:00:78:00:ff"
SIZE_BYTES = 90_000


def trail(*lines: str) -> Trail:
    made = Trail(MAC, {"image": ("/pix/image", SIZE_BYTES)})
    for number, line in enumerate(lines):
        made.read(line, float(number))
    return made


def test_dhcp_lines_of_several_servers() -> None:
    for lines in (
        (
            f"Nov 23 11:45:35 boot dnsmasq-dhcp[7]: 5 DHCPDISCOVER(eth0) 192.0.2.9 {MAC}",
            f"Nov 23 11:45:35 boot dnsmasq-dhcp[7]: 5 DHCPOFFER(eth0) 192.0.2.10 {MAC}",
            f"Nov 23 11:45:36 boot dnsmasq-dhcp[7]: 5 DHCPACK(eth0) 192.0.2.10 {MAC}",
        ),
        (
            f"dhcpd[7]: DHCPDISCOVER from {MAC} via eth0",
            f"dhcpd[7]: DHCPOFFER on 192.0.2.10 to {MAC} via eth0",
            f"dhcpd[7]: DHCPACK on 192.0.2.10 to {MAC} via eth0",
        ),
    ):
        seen = trail(*lines)
        assert (seen.requested_at_s, seen.offered_at_s, seen.given_at_s, seen.ip) == (0.0, 1.0, 2.0, "192.0.2.10")


def test_other_machines_do_not_count() -> None:
    seen = trail(
        "dnsmasq-dhcp: 5 vendor class: PXEClient:Arch:00007:UNDI:003016",
        "dnsmasq-dhcp: 5 DHCPDISCOVER(eth0) 52:54:00:78:00:01",
        "dnsmasq-dhcp: 6 vendor class: PXEClient:Arch:00000:UNDI:002001",
        f"dnsmasq-dhcp: 6 DHCPDISCOVER(eth0) {MAC}",
        f"dnsmasq-dhcp: 6 DHCPOFFER(eth0) 192.0.2.10 {MAC}",
        "dnsmasq-dhcp: 5 available DHCP subnet: 192.0.2.0/255.255.255.0",
    )
    assert (seen.firmware, seen.foreign) == ("bios", False)
    seen.read(f"dnsmasq-dhcp: 6 DHCPACK(eth0) 192.0.2.10 {MAC}", 9.0)
    seen.read("dnsmasq-tftp: sent /srv/pix/image to 192.0.2.11", 9.0)
    seen.read("dnsmasq-tftp: file /srv/pix/menu not found for 192.0.2.11", 9.0)
    assert (seen.sent_at_s, seen.absent) == ({}, [])


def test_transfers() -> None:
    sent = "dnsmasq-tftp[7]: sent /srv/pix/image to 192.0.2.10"
    failed = "dnsmasq-tftp[7]: failed sending /srv/pix/image to 192.0.2.10"
    gave_up = "dnsmasq-tftp[7]: error 8 User aborted the transfer received from 192.0.2.10"
    get = '192.0.2.10 - - [x] "GET /boot/pix/image HTTP/1.1"'
    for lines, said in (
        ((sent,), f"image was sent to {MAC} in full"),
        ((failed,), f"the transfer of image to {MAC} broke off (its receiver fell silent)"),
        ((gave_up, sent), f"the transfer of image to {MAC} broke off (its receiver said: User aborted the transfer)"),
        ((gave_up, failed), f"the transfer of image to {MAC} broke off (its receiver said: User aborted the transfer)"),
        ((gave_up, sent, sent), f"image was sent to {MAC} in full"),
        ((sent, gave_up, sent), f"image was sent to {MAC} in full"),
        ((failed, sent), f"image was sent to {MAC} in full"),
        ((f"{get} 200 {SIZE_BYTES}",), f"image was sent to {MAC} in full"),
        ((f"{get} 200 4000",), f"the transfer of image to {MAC} broke off (4000 of 90000 bytes)"),
        ((f"{get} 200 -",), f"the transfer of image to {MAC} broke off (it began and has not ended)"),
        ((f"{get} 404 153",), f"{MAC} asked for /boot/pix/image, which is not there"),
        ((f"{get} 404 153", f"{get} 200 {SIZE_BYTES}"), f"image was sent to {MAC} in full"),
        (("dnsmasq-dhcp: 6 sent size:  4 option: 67 bootfile-name  image",), ""),
    ):
        assert diagnosis.of_files(trail(*lines), MAC, ["image"], moving={}) == said
