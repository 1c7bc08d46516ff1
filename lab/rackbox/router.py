"""The IPv6 router of a box's boot network, which leads nowhere: iPXE waits for 13 s for one where none answers."""

from __future__ import annotations

from pathlib import Path

from lab.netboot.network import IPV6_NETWORK
from lab.rackbox.child import Child
from lab.rackbox.networks import BRIDGE

_SAYS = "router advertisement on"


class Router(Child):
    """dnsmasq that advertises itself as a router, and answers nothing else."""

    def __init__(self, directory: Path) -> None:
        """Start it in the network of the calling thread.

        Args:
            directory: for its log; is created.

        Raises:
            LabError: it did not come up.

        """
        directory.mkdir()
        log = directory / "router.log"
        command = ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", f"--interface={BRIDGE}"]
        command += [f"--dhcp-range={IPV6_NETWORK},ra-only", "--enable-ra", f"--dhcp-leasefile={directory / 'leases'}"]
        super().__init__(
            "the router of the boot network", command, log, lambda: _SAYS in log.read_text(encoding="utf-8").lower()
        )
