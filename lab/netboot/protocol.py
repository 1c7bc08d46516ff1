"""The capability that booting a server needs of whatever serves its files."""

from __future__ import annotations

from typing import Protocol

from lab.netboot.record import ServedRecord


class BootSource(Protocol):
    """What one server boots from, for as long as it is open; entries of other servers are never touched."""

    def forget(self) -> None:
        """Begin a new boot: what was served before does not count for it."""
        ...

    def record(self) -> ServedRecord:
        """Return what has been served so far; the digests are those of the files as they lie there now."""
        ...

    def diagnosis(self) -> str:
        """Say in a clause how far the server came (no DHCP request, no TFTP, ...), for a boot that failed."""
        ...

    def close(self) -> None:
        """Stop serving, and remove what was put anywhere. May be called twice."""
        ...
