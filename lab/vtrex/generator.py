"""The generator behind the protocol: ports, groups, events and the engine, and how they change together."""

from __future__ import annotations

import secrets
import socket
import string
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.vtrex import messages as m
from lab.vtrex import params as p
from lab.vtrex.engine import Engine
from lab.vtrex.events import Event, EventQueues
from lab.vtrex.flows import FlowTable
from lab.vtrex.layer import Layer
from lab.vtrex.meters import Meters
from lab.vtrex.port import ALL, PROFILE, TX, Owner, Port, Profile, default_mac
from lab.vtrex.publisher import TOPICS, Publisher
from lab.vtrex.rates import highest
from lab.vtrex.reception import Reception
from lab.vtrex.rpc import refuse
from lab.vtrex.schedule import expected
from lab.vtrex.taps import Taps
from lab.vtrex.trial import TrialWatch

BUSY_HISTORY = 20
_WORD = string.ascii_letters + string.digits


def random_word() -> str:
    """Return eight random characters, as TRex's handles are."""
    return "".join(secrets.choice(_WORD) for _ in range(8))


def _peer(index: int, ports: int) -> int:
    """Return the port that is taken to be at the other end: 0 and 1, 2 and 3, ..."""
    return index ^ 1 if index ^ 1 < ports else index


@dataclass(frozen=True)
class Capture:
    """What a client asked of a capture and the engine does not know."""

    bpf: str
    endpoint: str


class Generator:
    """All state of a server."""

    def __init__(
        self,
        engine: Engine,
        line_rate_gbps: float,
        publisher: Publisher,
        start_delay_s: float = 0.0,
        layers: Sequence[Layer] = (),
        *,
        gap_limit_us: float,
    ) -> None:
        """Present the engine's ports at a line rate.

        Args:
            engine: running.
            line_rate_gbps: of each port.
            publisher: of events and statistics.
            start_delay_s: time from a request to start until the first frame.
            layers: addresses of the first ports, until clients give others.
            gap_limit_us: how long a polling thread may pause in a trial that counts.

        """
        self.engine = engine
        self.start_delay_s = start_delay_s
        self.api_handles = {generation: random_word() for generation in TOPICS}
        self.publisher = publisher
        self.events = EventQueues(time.monotonic, self._publish)
        self.flows = FlowTable(engine)
        self.trial = TrialWatch(engine, gap_limit_us)
        self.port_meters = Meters()
        self.flow_meters = Meters()
        self.captures: dict[int, Capture] = {}
        self.taps = Taps(engine)
        self.reception = Reception(engine, self.taps)
        self.busy_percent: list[deque[int]] = [deque([0] * BUSY_HISTORY, BUSY_HISTORY) for _ in engine.cores]
        self.stopping = ""
        self.started_at = time.time()
        self.ports = [
            Port(index, default_mac(index), default_mac(_peer(index, engine.ports)), line_rate_gbps)
            for index in range(engine.ports)
        ]
        self._configure(layers)
        self.tick()

    def _configure(self, layers: Sequence[Layer]) -> None:
        for port, layer in zip(self.ports, layers, strict=False):
            port.mac = layer.mac or port.mac
        for port in self.ports:
            port.peer_mac = self.ports[_peer(port.index, len(self.ports))].mac
        for port, layer in zip(self.ports, layers, strict=False):
            port.configure(layer)
            if layer.ipv4 is not None:
                self.engine.set_address(port.index, port.mac, socket.inet_aton(layer.ipv4))

    def port(self, params: p.Params) -> Port:
        """Return the port that a request names.

        Raises:
            RpcError: there is none of this number.

        """
        index = p.integer(params, "port_id", low=-(2**63))
        if not 0 <= index < len(self.ports):
            raise refuse(f"invalid port id - should be: {', '.join(str(port.index) for port in self.ports)}")
        return self.ports[index]

    def owned_port(self, params: p.Params) -> Port:
        """Return the port that a request names, if the request proves to own it.

        Raises:
            RpcError: no such port, or it is somebody else's.

        """
        port = self.port(params)
        if port.owner is None or params.get("handler") != port.owner.handler:
            raise refuse("port is not owned by you or your current executing session")
        return port

    @staticmethod
    def profiles(port: Port, params: p.Params) -> list[Profile]:
        """Return the profiles that a request names, ``*`` being all of them.

        Raises:
            RpcError: there is none of this name.

        """
        name = p.string(params, "profile_id", PROFILE)
        if name == ALL:
            return list(port.profiles.values())
        if name not in port.profiles:
            if name == PROFILE:  # is always there, if need be without streams
                return [Profile(PROFILE)]
            known = ", ".join(port.profiles) or "none"
            raise refuse(f"profile [{name}] does not exist in the port [{port.index}]; there are: {known}")
        return [port.profiles[name]]

    def _publish(self, event: Event, data: dict[str, Any]) -> None:
        self.publisher.tell("trex-event", int(event), data)
        self.publisher.ring()

    def acquire(self, port: Port, user: str, session_id: int, *, force: bool) -> str:
        """Give a port to a user; returns the handler.

        Raises:
            RpcError: it is taken and ``force`` is not set.

        """
        owner = port.owner
        if owner is not None and not force and (owner.user, owner.session_id) != (user, session_id):
            raise refuse(f"port is already taken by '{owner.user}'")
        port.owner = Owner(user, session_id, random_word())
        self.events.open(session_id)
        taken = force and owner is not None
        self.events.emit(Event.PORT_ACQUIRED, port_id=port.index, who=user, session_id=session_id, force=taken)
        return port.owner.handler

    def release(self, port: Port) -> None:
        """Take a port from its owner."""
        owner, port.owner = port.owner, None
        if owner is not None:
            self.events.emit(Event.PORT_RELEASED, port_id=port.index, who=owner.user, session_id=owner.session_id)

    def remove_stream(self, port: Port, profile: Profile, stream_id: int) -> None:
        """Forget a stream and let go of its pg_id; a profile without streams is gone."""
        stream = profile.streams.pop(stream_id)
        if stream.rule is not None:
            self.flows.remove(stream.rule, (port.index, profile.name, stream_id))
        if not profile.streams:
            port.profiles.pop(profile.name, None)

    def any_active(self) -> bool:
        """Tell whether a port has traffic, be it paused."""
        return any(port.active for port in self.ports)

    def collect_ended(self) -> None:
        """Notice which profiles have sent their last frame, and tell the clients."""
        for port, counters in zip(self.ports, self.engine.port_counters(), strict=True):
            ended = [
                each for each in port.active if each.running and not counters.transmitting >> each.running.slot & 1
            ]
            for profile in ended:
                is_file = profile is port.pcap
                self.set_ended(port, profile)
                if not is_file:
                    self.events.emit(Event.PROFILE_FINISHED, port_id=port.index, profile_id=profile.name)
            if ended and not port.active:
                self.events.emit(Event.PORT_FINISHED, port_id=port.index)

    def set_ended(self, port: Port, profile: Profile) -> None:
        """Note that a profile's traffic is over."""
        profile.active = None
        if profile is port.pcap:
            port.pcap = None
        if not self.any_active():
            self.trial.ended(time.monotonic())

    def tick(self) -> None:
        """Do what is due twice a second: rates, link changes."""
        counters = self.engine.port_counters()
        if self.port_meters.sample(time.monotonic(), self._meter_values(counters)):
            for core, history in enumerate(self.busy_percent):
                history.appendleft(round(self.core_busy_percent(core)))
        for port, now in zip(self.ports, counters, strict=True):
            if bool(now.link_up) != port.link_up:
                port.link_up = bool(now.link_up)
                self.events.emit(Event.PORT_ATTRIBUTES, port_id=port.index, attr=port.attributes())

    def ports_of_core(self, core: int) -> list[Port]:
        """Return the ports that the polling core of this number serves; the engine deals them out in turn."""
        return self.ports[core :: len(self.engine.cores)]

    def core_busy_percent(self, core: int) -> float:
        """Return how much of its time a polling core now spends on moving frames."""
        busy_ns = sum(self.port_meters.rate((port.index, "busy_ns")) for port in self.ports_of_core(core))
        return min(100.0, busy_ns / 1e7)

    @staticmethod
    def _meter_values(counters: list[m.PortCounters]) -> dict[Any, int]:
        names = ("tx_packets", "tx_bytes", "rx_packets", "rx_bytes", "busy_ns")
        return {(index, name): getattr(port, name) for index, port in enumerate(counters) for name in names}

    def expected_rates_pps(self) -> list[tuple[float, float]]:
        """Return (frames, bits) a second that each running port is told to send."""
        rates = []
        for port in self.ports:
            totals = [0.0, 0.0]
            for profile in port.active:
                if profile.active == TX and profile.running is not None:  # of a file nobody can tell
                    frames_pps, l2_bps, _ = highest(expected(port, profile.running), profile.running.factor)
                    totals[0] += frames_pps
                    totals[1] += l2_bps
            rates.append((totals[0], totals[1]))
        return rates
