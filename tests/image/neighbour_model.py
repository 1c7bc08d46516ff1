"""What a router may do about the neighbours of one port, as a plain model: the rules of qgm/arp.h with times.

The router looks at time in ticks and at old neighbours in turn, so each thing that time brings has an earliest and a
latest moment. The model is told what was seen, and raises AssertionError where that is against the rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field

RETRY_MS = 100
AGE_MS = 1000
REQUESTS = 3
HELD = 4
WAYS = 8
TICK_MS = 10
SLACK_MS = 3 * TICK_MS

BROADCAST = "ff:ff:ff:ff:ff:ff"


def table_set(address: str) -> int:
    """Return the set of the neighbour table that an address falls into (qgm/neighbour.h)."""
    number = int.from_bytes(bytes(int(part) for part in address.split(".")), "big")
    return (number * 0x9E3779B1 & 0xFFFFFFFF) >> 25


@dataclass
class Neighbour:
    """One address: its state as `neigh` lists it, and when it came into it or was last asked or heard of."""

    state: str = "free"
    mac: str = ""
    since_ms: int = 0
    requests: int = 0
    held: list[int] = field(default_factory=list)

    @property
    def patience_ms(self) -> int:
        """How long the last request's answer is waited for."""
        return RETRY_MS << (self.requests - 1)

    @property
    def usable(self) -> bool:
        """Whether frames to it leave at once."""
        return self.state in ("reachable", "confirming", "static")


@dataclass(frozen=True)
class Request:
    """An ARP request that left: whose address it asks for, and whom."""

    address: str
    to: str


class Model:
    """The neighbours of a port, by address."""

    def __init__(self, scan_ms: int) -> None:
        """Take how long the router needs at most to look at every neighbour once."""
        self.now_ms = 0
        self.scan_ms = scan_ms
        self.table: dict[str, Neighbour] = {}

    def entry(self, address: str) -> Neighbour:
        """Return the neighbour with an address, known or not."""
        return self.table.setdefault(address, Neighbour())

    def has_room(self, address: str) -> bool:
        """Say whether the table can hold an address that it does not have."""
        taken = [
            other
            for name, other in self.table.items()
            if name != address and table_set(name) == table_set(address) and other.state not in ("free", "failed")
        ]
        return len(taken) < WAYS

    def hear(self, address: str, mac: str, *, to_us: bool) -> list[int]:
        """Somebody speaks; return the frames that leave to it now, in order."""
        entry = self.entry(address)
        if entry.state == "static" or (entry.state == "free" and not (to_us and self.has_room(address))):
            return []
        frames, entry.held = entry.held, []
        entry.state, entry.mac, entry.since_ms, entry.requests = "reachable", mac, self.now_ms, 0
        return frames

    def fix(self, address: str, mac: str) -> list[int]:
        """Make a neighbour static; return the frames that leave to it now."""
        entry = self.entry(address)
        frames, entry.held = entry.held, []
        entry.state, entry.mac = "static", mac
        return frames

    def flush(self) -> None:
        """Forget all but the static ones."""
        for entry in self.table.values():
            if entry.state != "static":
                entry.state, entry.held, entry.requests = "free", [], 0

    def send(self, address: str, number: int) -> str:
        """Return what becomes of a frame: sent, asked (for, and held), held, refused, dropped.

        And ``unsure`` where it may be refused or asked for, as no tick is that exact.
        """
        entry = self.entry(address)
        if entry.usable:
            return "sent"
        if entry.state == "failed" and self.now_ms < entry.since_ms + (RETRY_MS << (REQUESTS - 1)) - SLACK_MS:
            return "refused"
        if entry.state == "incomplete":
            if len(entry.held) == HELD:
                return "dropped"
            entry.held.append(number)
            return "held"
        if entry.state == "failed" and self.now_ms < entry.since_ms + (RETRY_MS << (REQUESTS - 1)) + SLACK_MS:
            return "unsure"
        if not self.has_room(address):
            return "dropped"
        entry.state, entry.since_ms, entry.requests, entry.held = "incomplete", self.now_ms, 1, [number]
        return "asked"

    def asked(self, request: Request) -> None:
        """A request has left without a frame that caused it: check that its time has come."""
        entry = self.entry(request.address)
        if entry.state == "incomplete":
            assert request.to == BROADCAST, f"{request} of one that is unknown"
            earliest_ms, latest_ms = entry.since_ms + entry.patience_ms, entry.since_ms + entry.patience_ms + SLACK_MS
        else:
            assert request.to == entry.mac, f"{request} of a {entry.state} one at {entry.mac}"
            wait_ms = AGE_MS if entry.state == "reachable" else entry.patience_ms
            assert entry.state in ("reachable", "confirming"), f"{request} of a {entry.state} one"
            earliest_ms, latest_ms = entry.since_ms + wait_ms, entry.since_ms + wait_ms + self.scan_ms + SLACK_MS
            entry.state = "confirming"
        assert earliest_ms - SLACK_MS <= self.now_ms <= latest_ms, f"{request} at {self.now_ms}, {entry}"
        entry.requests += 1
        entry.since_ms = self.now_ms
        assert entry.requests <= REQUESTS, f"{request} for the {entry.requests}th time"

    def unreachable(self, numbers: list[int]) -> None:
        """The senders of these frames were told that their neighbour does not answer: check that its time has come."""
        while numbers:
            entry = next((entry for entry in self.table.values() if entry.held and entry.held[0] == numbers[0]), None)
            assert entry, f"frame {numbers[0]} was not held"
            held, numbers = numbers[: len(entry.held)], numbers[len(entry.held) :]
            assert held == entry.held, f"{held} told, {entry} held"
            assert entry.requests == REQUESTS, f"given up: {entry}"
            due_ms = entry.since_ms + entry.patience_ms
            assert due_ms - SLACK_MS <= self.now_ms <= due_ms + SLACK_MS, f"given up at {self.now_ms}: {entry}"
            entry.state, entry.since_ms, entry.held = "failed", self.now_ms, []

    def agree(self, listed: dict[str, tuple[str, str | None]]) -> None:
        """Compare with what the router lists (state and link address); it may have forgotten what was old."""
        for address, entry in self.table.items():
            state, mac = listed.get(address, ("free", None))
            if state == "free" and entry.state in ("confirming", "failed"):
                self._forgotten(address, entry)
            assert state == entry.state, f"{address} is {state}: {entry} at {self.now_ms}"
            assert not entry.usable or mac == entry.mac, f"{address} is at {mac}: {entry}"
        assert set(listed) <= set(self.table), f"{listed}"
        self._overdue()

    def _forgotten(self, address: str, entry: Neighbour) -> None:
        if entry.state == "confirming":
            assert entry.requests == REQUESTS, f"forgotten: {entry}"
            assert self.now_ms >= entry.since_ms + entry.patience_ms - SLACK_MS, f"forgotten at {self.now_ms}: {entry}"
        else:
            same_set = [other for name, other in self.table.items() if table_set(name) == table_set(address)]
            known = [other for other in same_set if other.state != "free"]
            is_old = self.now_ms >= entry.since_ms + AGE_MS - SLACK_MS
            assert is_old or len(known) > WAYS, f"forgotten at {self.now_ms}: {entry}"
        entry.state, entry.requests = "free", 0

    def _overdue(self) -> None:
        """Fail when something that had to happen has not."""
        for address, entry in self.table.items():
            wait_ms = AGE_MS if entry.state in ("reachable", "failed") else RETRY_MS << max(entry.requests - 1, 0)
            scan_ms = 0 if entry.state == "incomplete" else self.scan_ms
            if entry.state in ("incomplete", "confirming", "reachable", "failed"):
                latest_ms = entry.since_ms + wait_ms + scan_ms + SLACK_MS
                assert self.now_ms <= latest_ms, f"{address} is overdue at {self.now_ms}: {entry}"
