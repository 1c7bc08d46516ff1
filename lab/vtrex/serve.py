"""The server process: sockets, signals, the main loop."""

from __future__ import annotations

import math
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import zmq

from lab.errors import GeneratorError, UsageError
from lab.vtrex.dispatch import call
from lab.vtrex.engine import Engine, EngineOptions
from lab.vtrex.events import Event
from lab.vtrex.generator import Generator
from lab.vtrex.layer import Layer
from lab.vtrex.methods.stats import publish_statistics
from lab.vtrex.notes import say
from lab.vtrex.publisher import Publisher
from lab.vtrex.rpc import serve_wire
from lab.vtrex.settings import is_local
from lab.vtrex.status_line import StatusLine
from lab.vtrex.taps import PERIOD_S

TICK_S = 0.5
MAX_MESSAGE_BYTES = 16 << 20
MAX_CONNECTIONS = 16384
HANDSHAKE_MS = 5000


@dataclass(frozen=True)
class ServerOptions:
    """Where to serve; a port 0 means any free one. ``status`` None: a line for a person where stderr is a terminal."""

    bind: str
    rpc_port: int
    async_port: int
    line_rate_gbps: float
    start_delay_s: float = 0.0
    layers: tuple[Layer, ...] = ()
    status: bool | None = None
    gap_limit_us: float = 1000.0


class Server:
    """Sockets in front of a generator."""

    def __init__(self, engine: Engine, options: ServerOptions) -> None:
        """Bind the sockets.

        Raises:
            UsageError: an address cannot be bound.

        """
        self._context = zmq.Context()
        self._context.set(zmq.MAX_SOCKETS, MAX_CONNECTIONS)
        self._rpc = self._bind(zmq.ROUTER, options.bind, options.rpc_port, "--rpc-port")
        self._pub = self._bind(zmq.XPUB, options.bind, options.async_port, "--async-port", manual=True)
        self._publisher = Publisher(self._pub)
        self._engine = engine
        self._generator = Generator(
            engine,
            options.line_rate_gbps,
            self._publisher,
            options.start_delay_s,
            options.layers,
            gap_limit_us=options.gap_limit_us,
        )
        wanted = sys.stderr.isatty() if options.status is None else options.status
        shared = not os.sched_getaffinity(0).isdisjoint(polling.core for polling in engine.cores)
        self._status = StatusLine(sys.stderr, shares_core=shared) if wanted else None

    def _bind(self, kind: int, address: str, port: int, option: str, *, manual: bool = False) -> zmq.Socket[bytes]:
        """Bind a socket; what is set after that holds for none of its connections."""
        sock: zmq.Socket[bytes] = self._context.socket(kind)
        sock.setsockopt(zmq.LINGER, 100)
        sock.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        sock.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        sock.setsockopt(zmq.TCP_KEEPALIVE, 1)  # peers that are gone without a word
        sock.setsockopt(zmq.TCP_KEEPALIVE_IDLE, 60)
        if manual:
            sock.setsockopt(zmq.XPUB_MANUAL, 1)
        try:
            if port:
                sock.bind(f"tcp://{address}:{port}")
            else:
                sock.bind_to_random_port(f"tcp://{address}")
        except zmq.ZMQError as error:
            raise UsageError(f"cannot listen on {address}:{port}: {error}; choose another {option} or --bind") from None
        return sock

    @property
    def ready_line(self) -> str:
        """What tells the caller where the server listens."""
        rpc, pub = (sock.getsockopt_string(zmq.LAST_ENDPOINT) for sock in (self._rpc, self._pub))
        return f"vtrex ready rpc={rpc} async={pub}"

    def run(self, stop_fd: int) -> None:
        """Serve until ``stop_fd`` becomes readable.

        Raises:
            GeneratorError: the engine is gone.

        """
        poller = zmq.Poller()
        for watched in (self._rpc, self._pub, self._engine.event_fd, self._engine.control_fd, stop_fd):
            poller.register(watched, zmq.POLLIN)
        next_tick_s = asked_s = time.monotonic()
        more = False
        while True:
            wait_s = max(0.0, next_tick_s - time.monotonic())
            if self._generator.taps.any:
                wait_s = 0.0 if more else min(wait_s, PERIOD_S)
            ready: dict[Any, int] = dict(poller.poll(math.ceil(wait_s * 1000)))
            if stop_fd in ready:
                return
            if self._engine.control_fd in ready:
                raise GeneratorError(f"the vtrex engine {self._engine.end()}")
            if self._engine.event_fd in ready:
                os.eventfd_read(self._engine.event_fd)
                self._generator.collect_ended()
            if self._pub in ready or self._rpc in ready:
                self._publisher.accept()
            more = self._generator.taps.pump()
            if self._rpc in ready:
                asked_s = time.monotonic()
                self._answer()
                if self._generator.stopping:
                    return
            now_s = time.monotonic()
            if now_s >= next_tick_s:
                # While traffic runs and nobody asks, the core may belong to a polling loop: leave it alone. Clients of
                # API 4 take a silence of three seconds for a lost connection: they are served whatever it costs.
                if now_s - asked_s < TICK_S or self._publisher.serves_json or not self._generator.any_active():
                    self._generator.tick()
                if self._publisher.statistics_due(now_s):
                    publish_statistics(self._generator)
                if self._status is not None:
                    self._status.refresh(self._generator, now_s)
                next_tick_s = now_s + TICK_S

    def _answer(self) -> None:
        """Answer one request: the peer, its envelope up to an empty part, the request.

        The socket is no REP because that (libzmq 4.3.5) drops the next peer's answer after a message without an
        envelope from a peer that is gone.
        """
        peer, *parts = self._rpc.recv_multipart()
        if b"" not in parts:
            return  # not from a REQ socket: nobody waits for an answer
        begin = parts.index(b"") + 1
        answer = serve_wire(parts[begin:], lambda name, params: call(self._generator, name, params))
        self._rpc.send_multipart([peer, *parts[:begin], answer])

    def close(self) -> None:
        """Tell the clients and close the sockets."""
        if self._status is not None:
            self._status.close()
        self._generator.events.emit(Event.SERVER_STOPPED, cause=self._generator.stopping or "server is shut down")
        self._generator.taps.close()
        self._rpc.close()
        self._pub.close()
        self._context.term()


def _leave_cores(cores: Iterable[int]) -> None:
    """Run this process elsewhere than the engine's polling threads."""
    others = os.sched_getaffinity(0) - set(cores)
    if others:
        os.sched_setaffinity(0, others)


def _allow_connections() -> None:
    """Have as many descriptors as may be: at its limit a process takes no connection, nor opens any other file."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def serve(engine_options: EngineOptions, options: ServerOptions) -> None:
    """Run a server until SIGTERM, SIGINT or SIGHUP; prints one line when it is ready.

    Raises:
        UsageError: what was asked for cannot be.
        GeneratorError: the engine is missing or gone.

    """
    for device in engine_options.devices:
        device.check(engine_options.netns)
    stop_read, stop_write = socket.socketpair()
    stop_write.setblocking(False)
    signal.set_wakeup_fd(stop_write.fileno())
    ends = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup(1) sets it
        ends.append(signal.SIGHUP)
    for number in ends:
        signal.signal(number, lambda *_: None)
    engine = Engine(engine_options)
    try:
        _leave_cores(engine_options.cores)
        _allow_connections()
        server = Server(engine, options)
        try:
            print(server.ready_line, flush=True)
            if not is_local(options.bind):
                say(f"warning: {options.bind} is open to other machines; whoever reaches it controls the generator")
            server.run(stop_read.fileno())
        finally:
            server.close()
    finally:
        engine.close()
        for device in engine_options.devices:
            device.remove()
        sys.stdout.flush()
