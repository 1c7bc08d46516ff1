"""The command line of dnsmasq that boots one server, and never answers another one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lab.netboot.place import Place

# iPXE's option 175.176, "no-pxedhcp": do not wait two seconds for a second DHCP server that only knows about PXE.
_NO_PROXY_DHCP = "--dhcp-option=encap:175,176,1b"
_UEFI_ARCHITECTURES = (7, 9, 16)
_UEFI_HTTP = 16


class FirstFile(NamedTuple):
    """What DHCP names to a server: to one whose ROM is iPXE, to any other ROM, and to UEFI that boots by HTTP.

    None where such a server cannot boot what is served.
    """

    ipxe: str
    plain: str | None
    uefi_http: str | None = None


def command(place: Place, mac: str, firmware: str, first: FirstFile, root: Path, leases: Path) -> list[str]:
    """Write the command line: no configuration of the host is read, no DNS, nobody but ``mac`` is answered.

    Args:
        place: where it answers; without an address for the client it is a proxy (PXE 2.1 section 2.2.3).
        mac: of the server.
        firmware: ``bios`` or ``uefi``; one that says that it is the other (DHCP option 93, RFC 4578 section 2.1: 0 is
            BIOS, 7 and 9 are UEFI, IANA gave 16 to UEFI over HTTP) gets no file.
        first: what it is to load.
        root: folder of the files.
        leases: file for dnsmasq's leases, of its own.

    """
    words = ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--no-resolv", "--no-hosts", "--log-dhcp"]
    words += [f"--interface={place.interface}", "--bind-interfaces", f"--listen-address={place.address.ip}"]
    words += [f"--dhcp-leasefile={leases}", f"--dhcp-mac=set:ours,{mac}", "--dhcp-ignore=tag:!ours"]
    words += _addresses(place, mac)
    words += ["--enable-tftp", f"--tftp-root={root}"]
    words += [f"--dhcp-match=set:uefi,option:client-arch,{number}" for number in _UEFI_ARCHITECTURES]
    words += [f"--dhcp-match=set:http,option:client-arch,{_UEFI_HTTP}", "--dhcp-userclass=set:ipxe,iPXE"]
    return words + _boot("tag:uefi" if firmware == "uefi" else "tag:!uefi", first, f",,{place.address.ip}")


def _addresses(place: Place, mac: str) -> Sequence[str]:
    if place.client is None:
        # An empty menu: what DHCP names is loaded at once, and nobody is asked (PXE 2.1, PXE_DISCOVERY_CONTROL bit 3).
        return [f"--dhcp-range={place.address.network.network_address},proxy", "--pxe-prompt=pixlab,0"]
    words = [f"--dhcp-range={place.client},static,{place.address.netmask}", f"--dhcp-host={mac},{place.client}"]
    if place.ipv6_network is not None:
        words += [f"--dhcp-range={place.ipv6_network},ra-only", "--enable-ra"]
    return [*words, _NO_PROXY_DHCP]


def _boot(firmware: str, first: FirstFile, server: str) -> list[str]:
    """Name the files, and the server that has them: a proxy would leave that out for a BIOS."""
    words = [f"--dhcp-boot={firmware},tag:ipxe,{first.ipxe}{server}"]
    if first.plain is not None:
        words.append(f"--dhcp-boot={firmware},tag:!ipxe,tag:!http,{first.plain}{server}")
    if first.uefi_http is not None:
        words.append(f"--dhcp-boot={firmware},tag:!ipxe,tag:http,{first.uefi_http}{server}")
        words.append("--dhcp-option-force=tag:http,option:vendor-class,HTTPClient")  # UEFI 2.10 section 24.7.2
    return words
