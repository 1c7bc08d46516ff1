"""The server process: sockets, signals, the main loop."""

from __future__ import annotations

import os
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
from lab.vtrex.notes import say
from lab.vtrex.rpc import serve_wire
from lab.vtrex.settings import is_local

TICK_S = 0.5
MAX_MESSAGE_BYTES = 16 << 20


@dataclass(frozen=True)
class ServerOptions:
    """Where to serve; a port 0 means any free one."""

    bind: str
    rpc_port: int
    async_port: int
    line_rate_gbps: float
    start_delay_s: float = 0.0
    layers: tuple[Layer, ...] = ()


class Server:
    """Sockets in front of a generator."""

    def __init__(self, engine: Engine, options: ServerOptions) -> None:
        """Bind the sockets.

        Raises:
            UsageError: an address cannot be bound.

        """
        self._context = zmq.Context()
        self._rpc = self._bind(zmq.REP, options.bind, options.rpc_port, "--rpc-port")
        self._rpc.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        self._pub = self._bind(zmq.PUB, options.bind, options.async_port, "--async-port")
        self._engine = engine
        self._generator = Generator(
            engine, options.line_rate_gbps, lambda: self._pub.send(b"{}"), options.start_delay_s, options.layers
        )

    def _bind(self, kind: int, address: str, port: int, option: str) -> zmq.Socket[bytes]:
        sock: zmq.Socket[bytes] = self._context.socket(kind)
        sock.setsockopt(zmq.LINGER, 100)
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
        for watched in (self._rpc, self._engine.event_fd, self._engine.control_fd, stop_fd):
            poller.register(watched, zmq.POLLIN)
        next_tick_s = asked_s = time.monotonic()
        while True:
            wait_s = max(0.0, next_tick_s - time.monotonic())
            ready: dict[Any, int] = dict(poller.poll(int(wait_s * 1000) + 1))
            if stop_fd in ready:
                return
            if self._engine.control_fd in ready:
                raise GeneratorError(f"the vtrex engine ended unexpectedly with exit code {self._engine.exit_code()}")
            if self._engine.event_fd in ready:
                os.eventfd_read(self._engine.event_fd)
                self._generator.collect_ended()
            if self._rpc in ready:
                asked_s = time.monotonic()
                self._rpc.send(serve_wire(self._rpc.recv(), lambda name, params: call(self._generator, name, params)))
            now_s = time.monotonic()
            if now_s >= next_tick_s:
                # While traffic runs and nobody asks, the core may belong to a polling loop: leave it alone.
                if now_s - asked_s < TICK_S or not self._generator.any_active():
                    self._generator.tick()
                next_tick_s = now_s + TICK_S

    def close(self) -> None:
        """Tell the clients and close the sockets."""
        self._generator.events.emit(Event.SERVER_STOPPED, cause="server is shut down")
        self._rpc.close()
        self._pub.close()
        self._context.term()


def _leave_cores(cores: Iterable[int]) -> None:
    """Run this process elsewhere than the engine's polling threads."""
    others = os.sched_getaffinity(0) - set(cores)
    if others:
        os.sched_setaffinity(0, others)


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
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    engine = Engine(engine_options)
    try:
        _leave_cores(engine_options.cores)
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
