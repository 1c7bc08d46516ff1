"""How a server gets what it boots, as data. The drivers are in lab.netboot."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Annotated, Literal

from pydantic import Field, model_validator

from lab.document import Record
from lab.testbed.access import SshAccess
from lab.testbed.ports import Mac

Firmware = Literal["bios", "uefi"]


class PxeBoot(Record):
    """The lab itself serves ``interface`` of the machine that it runs on, and answers the PXE NIC ``mac`` only.

    ``mode``: ``own`` gives the server the address ``address`` (the lab's DHCP is the only one for that MAC), ``proxy``
    leaves addresses to a DHCP server that is there and says only what to boot (proxy-DHCP). ``firmware`` says what the
    server starts: a BIOS takes a network bootstrap program, UEFI an EFI application. ``transfer``: how it loads that
    where its PXE ROM is iPXE; any other ROM uses TFTP.
    """

    driver: Literal["pxe"]
    interface: str = Field(min_length=1)
    mac: Mac
    address: IPv4Address | None = None
    mode: Literal["own", "proxy"] = "own"
    firmware: Firmware = "bios"
    transfer: Literal["tftp", "http"] = "tftp"

    @model_validator(mode="after")
    def _gives_an_address(self) -> PxeBoot:
        if self.mode == "own" and self.address is None:
            raise ValueError("address: the key is missing, which mode own gives to the server: add it")
        return self


class BootServer(Record):
    """A boot server that is there already: the lab puts files for ``mac`` below ``directory`` by SSH, and no more.

    Its DHCP sends every server to one bootstrap (iPXE), which asks for ``by-mac/MAC.ipxe`` below that folder (MAC with
    hyphens, in iPXE's words ``by-mac/${netX/mac:hexhyp}.ipxe``); the lab writes that entry for this server and removes
    it afterwards. ``url`` is what servers fetch that folder by. ``log`` is a file there that tells what was fetched:
    dnsmasq's, or the access log of an HTTP server; without it only what lies there is known.
    """

    driver: Literal["boot-server"]
    ssh: SshAccess
    mac: Mac
    directory: str = Field(pattern=r"^/")
    url: str = Field(pattern=r"^(tftp|http)://[^/]+(/[^/]+)*$")
    log: str | None = Field(default=None, pattern=r"^/")
    firmware: Firmware = "bios"


AnyBoot = Annotated[PxeBoot | BootServer, Field(discriminator="driver")]
