"""How far a server came in its boot, from the log lines of whoever served it.

Understood are the lines of dnsmasq (DHCP with --log-dhcp, proxy-DHCP, TFTP), alone or as syslog passes them on; DHCP
lines of other servers that name message and MAC; and access logs of HTTP servers in the common log format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

_DHCP = re.compile(r"\bDHCP(DISCOVER|OFFER|REQUEST|ACK|NAK)\b")
_PROXY = re.compile(r"\bPXE\(\S+\) ")
_TRANSACTION = re.compile(r"dnsmasq-dhcp(?:\[\d+\])?: (\d+) ")
_CLASS = re.compile(r" vendor class: (?:PXE|HTTP)Client:Arch:(\d{5})")
_HEARD = re.compile(r" available DHCP (?:range|subnet): ")
_ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")
_ENDED = re.compile(r"\b(failed sending|sent) (\S+) to (\S+)$")
_GIVEN_UP = re.compile(r"\berror \d+ (.*) received from (\S+)$")
_ABSENT = re.compile(r"\bfile (\S+) not found for (\S+)$")
_HTTP = re.compile(r'^(\S+) \S+ \S+ \[[^\]]*\] "GET (\S+) HTTP/[\d.]+" (\d{3}) (\d+|-)')

Firmware = Literal["bios", "uefi"]


class Trail:
    """What happened since the last ``forget``, as far as the lines tell. Times are Unix times, when a line was read."""

    def __init__(self, mac: str, files: Mapping[str, tuple[str, int]], ip: str = "") -> None:
        """Say whom to look for.

        Args:
            mac: of the server, in small letters.
            files: for each file, by its name, how its path ends in the log, and its size in bytes.
            ip: what address the server gets, where that is known before; files that others fetch do not count then.

        """
        self._mac = mac
        self._known_ip = ip
        self._files = dict(files)
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.requested_at_s: float | None = None
        self.offered_at_s: float | None = None
        self.given_at_s: float | None = None
        self.ip = self._known_ip
        """Address of the server; empty while it is not known."""
        self.architecture: int | None = None
        """DHCP option 93 of the server's own request (RFC 4578 section 2.1); None where it was not seen."""
        self.sent_at_s: dict[str, float] = {}
        self.cut: dict[str, str] = {}
        """Files whose transfer broke off, and what is known of it."""
        self.absent: list[str] = []
        """Paths that were asked for and are not there."""
        self._given_up: dict[str, str] = {}
        self._architectures: dict[str, int] = {}
        self._transaction = ""
        self._unanswered = False

    @property
    def foreign(self) -> bool:
        """Whether the server's request went to another DHCP server than the one that offered.

        dnsmasq reads such a request (RFC 2131 section 4.3.2: its "server identifier" names another) and says nothing.
        """
        return self.offered_at_s is not None and self.given_at_s is None and self._unanswered

    @property
    def firmware(self) -> Firmware | None:
        """What the server's request says that it is; None where it does not say."""
        if self.architecture is None:
            return None
        return "bios" if self.architecture == 0 else "uefi"

    def read(self, line: str, now_s: float) -> None:
        """Take in a line that came at a time."""
        line = line.rstrip()
        self._read_dhcp(line, now_s)
        self._read_tftp(line, now_s)
        self._read_http(line, now_s)

    def _read_dhcp(self, line: str, now_s: float) -> None:
        found = _TRANSACTION.search(line)
        transaction = found[1] if found else ""
        if self._mac not in line:
            told = _CLASS.search(line)
            if told:
                self._architectures[transaction] = int(told[1])
            if transaction and transaction == self._transaction and _HEARD.search(line):
                self._unanswered = True
            return
        message = _DHCP.search(line)
        proxy = _PROXY.search(line)
        if message is None and proxy is None:
            return
        self._transaction, self._unanswered = transaction, False
        self.architecture = self._architectures.get(transaction, self.architecture)
        if self.requested_at_s is None:
            self.requested_at_s = now_s
        if proxy or (message and message[1] == "OFFER"):
            self.offered_at_s = now_s
        if message and message[1] == "ACK":
            self.given_at_s = now_s
            address = _ADDRESS.search(line, message.end())
            self.ip = address[0] if address else ""

    def _read_tftp(self, line: str, now_s: float) -> None:
        if found := _GIVEN_UP.search(line):
            self._given_up[found[2]] = found[1]
        elif found := _ENDED.search(line):
            how, path, ip = found.groups()
            # After an error of the receiver dnsmasq says "sent" as well, where that came before the first block: UEFI
            # asks for the size so.
            reason = self._given_up.pop(ip, "")
            name = self._name(path, ip)
            if name and how == "sent" and not reason:
                self._complete(name, ip, now_s)
            elif name and name not in self.sent_at_s:
                self.cut[name] = f"its receiver said: {reason}" if reason else "its receiver fell silent"
        elif (found := _ABSENT.search(line)) and self._is_server(found[2]):
            self.absent.append(found[1])

    def _read_http(self, line: str, now_s: float) -> None:
        found = _HTTP.search(line)
        if found is None:
            return
        ip, path, code = found[1], found[2], found[3]
        name = self._name(path, ip)
        if code == "404" and self._is_server(ip):
            self.absent.append(path)
        elif name and code == "200":
            whole = self._files[name][1]
            arrived = -1 if found[4] == "-" else int(found[4])
            if arrived >= whole:
                self._complete(name, ip, now_s)
            elif name not in self.sent_at_s:
                self.cut[name] = "it began and has not ended" if arrived < 0 else f"{arrived} of {whole} bytes"

    def _complete(self, name: str, ip: str, now_s: float) -> None:
        self.ip = ip
        self.sent_at_s[name] = now_s
        self.cut.pop(name, None)

    def _is_server(self, ip: str) -> bool:
        return self.ip in ("", ip)

    def _name(self, path: str, ip: str) -> str:
        """Return which of the files a path is that an address got; empty for another one."""
        if not self._is_server(ip):
            return ""
        return next((name for name, (ending, _) in self._files.items() if path.endswith(ending)), "")
