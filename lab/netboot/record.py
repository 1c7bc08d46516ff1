"""What a boot source handed out, and what is known of it."""

from __future__ import annotations

from lab.models import Model


class ServedFile(Model):
    """A file as it lies where it is served from.

    ``sent`` tells whether it was sent in full, None where nobody looked: a boot server whose log is not read.
    ``sent_at_s`` is when that ended (Unix time); None where it was not sent, or the time is not known.
    """

    name: str
    size_bytes: int
    sha256: str
    sent: bool | None
    sent_at_s: float | None = None


class ServedRecord(Model):
    """What was handed out, to whom, and when (Unix time, None for what did not happen or was not seen).

    ``files`` begins with the one that boots. ``ip`` is empty where the server's address is not known.
    """

    files: tuple[ServedFile, ...]
    mac: str
    ip: str
    requested_at_s: float | None
    address_given_at_s: float | None

    @property
    def sent(self) -> tuple[ServedFile, ...]:
        """The files that were seen to be sent in full."""
        return tuple(file for file in self.files if file.sent)

    @property
    def delivered(self) -> tuple[ServedFile, ...]:
        """The files that the server can have got: those that were sent in full, and those that nobody watched."""
        return tuple(file for file in self.files if file.sent is not False)

    @property
    def sent_at_s(self) -> float | None:
        """When the last of the files that were sent had been sent; None where none was, or it is not known."""
        return max((file.sent_at_s for file in self.sent if file.sent_at_s is not None), default=None)
