"""The engine process: started as a child, asked over a socket pair, never left behind."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import GeneratorError
from lab.vtrex import messages as m
from lab.vtrex.device_checks import in_netns
from lab.vtrex.devices import Device

ANSWER_TIMEOUT_S = 20.0
MEMORY_MB = 256


@dataclass(frozen=True)
class EngineOptions:
    """How to start an engine.

    ``cores`` are the CPUs of the polling threads, to which the ports are dealt in turn. ``netns`` is the file of the
    network namespace in which the engine runs and looks for interfaces, None for the caller's own. ``prefix`` tells the
    servers on a machine apart. ``huge``: whether its memory is of huge pages.
    """

    binary: Path
    devices: tuple[Device, ...]
    cores: tuple[int, ...]
    netns: str | None = None
    full_wait_us: float = 1000.0
    late_us: float = 10000.0
    arrivals: int = 4 << 20
    memory_mb: int = MEMORY_MB
    prefix: str = "vtrex"
    huge: bool = False


class Engine:
    """A running engine. Methods raise GeneratorError when it refuses or is gone."""

    def __init__(self, options: EngineOptions) -> None:
        """Start the engine and wait until its ports are open.

        Must be called in the main thread: the kernel ends the engine when the *thread* that started it ends.
        """
        if not options.binary.is_file():
            raise GeneratorError(f"the vtrex engine {options.binary} is missing: build it with `make native`")
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.event_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        try:
            self._process = subprocess.Popen(
                in_netns(
                    options.netns,
                    [str(options.binary), *_own_arguments(options, theirs.fileno(), self.event_fd), *_eal(options)],
                ),
                pass_fds=(theirs.fileno(), self.event_fd),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # a signal to the server's group is the server's to handle
            )
        finally:
            theirs.close()
        self._socket.settimeout(ANSWER_TIMEOUT_S)
        try:
            self._greet(options.binary)
        except GeneratorError:
            self.close()
            raise

    def _greet(self, binary: Path) -> None:
        hello = self.ask(m.Op.HELLO)
        version, self.ports, cores, self.tsc_hz, self.arrivals_capacity = m.HELLO.unpack_from(hello)
        if version != m.PROTOCOL_VERSION:
            raise GeneratorError(f"the vtrex engine {binary} is of another version: run `make native`")
        drivers = m.HELLO.size + cores * m.HELLO_CORE.size
        self.cores = [m.PollCore(*values) for values in m.HELLO_CORE.iter_unpack(hello[m.HELLO.size : drivers])]
        self.drivers = [name.rstrip(b"\0").decode() for (name,) in m.DRIVER.iter_unpack(hello[drivers:])]

    @property
    def pid(self) -> int:
        """Process id of the engine."""
        return self._process.pid

    @property
    def control_fd(self) -> int:
        """Descriptor that becomes readable outside of a request only when the engine is gone."""
        return self._socket.fileno()

    def ask(self, op: m.Op, payload: bytes = b"") -> bytes:
        """Send one request and return the payload of its reply."""
        try:
            self._socket.sendall(m.HEADER.pack(op, 0, len(payload)) + payload)
            _, status, length = m.HEADER.unpack(self._read(m.HEADER.size))
            reply = self._read(length)
        except OSError as error:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # an answer that came now would be taken for another's
            raise GeneratorError(f"the vtrex engine does not answer a {op.name} request: {error}") from None
        if status != 0:
            raise GeneratorError(reply.decode(errors="replace"))
        return reply

    def _read(self, length: int) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            part = self._socket.recv(min(length - len(parts), 1 << 20))
            if not part:
                raise ConnectionError(f"it ended with exit code {self.exit_code()}")
            parts += part
        return bytes(parts)

    def exit_code(self) -> int:
        """Wait for an engine that has closed its socket; negative: the number of the signal that ended it."""
        return self._process.wait(timeout=5)

    def end(self) -> str:
        """Return, in words, how an engine whose socket is closed has ended; one that hangs is killed."""
        try:
            return f"ended unexpectedly with exit code {self.exit_code()}"
        except subprocess.TimeoutExpired:
            self._process.kill()
            return "does not answer any more"

    def close(self) -> None:
        """End the engine and wait for it; its devices close, so that no socket is left."""
        self._socket.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self.event_fd)

    def port_counters(self) -> list[m.PortCounters]:
        """Return state and counters of all ports."""
        return [m.PortCounters(*values) for values in m.PORT.iter_unpack(self.ask(m.Op.PORTS))]

    def memory(self) -> list[m.MemoryPool]:
        """Return the pools of frame buffers."""
        return [m.MemoryPool(*values) for values in m.MEMORY.iter_unpack(self.ask(m.Op.MEMORY))]

    def start(
        self, port_id: int, profile: int, streams: Sequence[bytes], *, duration_s: float, new_trial: bool, start_ns: int
    ) -> None:
        """Start streams (packed stream_spec) as a profile of a port; ``duration_s`` < 0 means until stopped."""
        head = m.START.pack(port_id, len(streams), new_trial, profile, duration_s, start_ns)
        self.ask(m.Op.START, head + b"".join(streams))

    def stop(self, port_id: int, profile: int) -> None:
        """End a profile with the frames that are due now, and wait until they are sent."""
        self.ask(m.Op.STOP, m.STOP.pack(port_id, profile))

    def set_rates(self, port_id: int, profile: int, rates_pps: Sequence[float]) -> None:
        """Change the rate of every stream of a profile; 0 pauses a stream, below 0 it stays as it is."""
        head = m.RATES.pack(port_id, profile, len(rates_pps))
        self.ask(m.Op.RATES, head + struct.pack(f"<{len(rates_pps)}d", *rates_pps))

    def set_flow(self, flow: int, *, active: bool) -> None:
        """Begin (with zero counters) or end the life of a flow index."""
        self.ask(m.Op.FLOW_SET, m.FLOW_SET.pack(flow, active))

    def flow_counters(self, flows: Sequence[int]) -> list[list[m.FlowCounters]]:
        """Return the counters of each flow, one entry a port."""
        reply = self.ask(m.Op.FLOWS, struct.pack(f"<{len(flows)}I", *flows))
        counters = [m.FlowCounters(*values) for values in m.FLOW.iter_unpack(reply)]
        return [counters[i : i + self.ports] for i in range(0, len(counters), self.ports)]

    def latency(self, hw_id: int) -> tuple[m.LatencyCounters, list[tuple[int, int]]]:
        """Return a latency flow's counters and its (HdrHistogram index, count) pairs."""
        reply = self.ask(m.Op.LATENCY, struct.pack("<I", hw_id))
        counters = m.LatencyCounters(*m.LATENCY.unpack_from(reply))
        return counters, [(index, count) for index, count in m.BUCKET.iter_unpack(reply[m.LATENCY.size :])]

    def sequence(self, hw_id: int) -> tuple[m.SequenceCounters, list[tuple[int, int]]]:
        """Return a latency flow's order of arrival and the (HdrHistogram index, count) pairs of its extents."""
        reply = self.ask(m.Op.SEQUENCE, struct.pack("<I", hw_id))
        counters = m.SequenceCounters(*m.SEQUENCE.unpack_from(reply))
        return counters, [(index, count) for index, count in m.BUCKET.iter_unpack(reply[m.SEQUENCE.size :])]

    def variation(self, hw_id: int) -> tuple[m.VariationCounters, list[tuple[int, int]]]:
        """Return a latency flow's delay variation and the (HdrHistogram index, count) pairs of its absolute values."""
        reply = self.ask(m.Op.VARIATION, struct.pack("<I", hw_id))
        counters = m.VariationCounters(*m.VARIATION.unpack_from(reply))
        return counters, [(index, count) for index, count in m.BUCKET.iter_unpack(reply[m.VARIATION.size :])]

    def arrivals(self, hw_id: int, offset: int, limit: int) -> m.Arrivals:
        """Return what is recorded of a latency flow's arrivals from ``offset`` on, at most 2^21 of them at a time."""
        reply = self.ask(m.Op.ARRIVALS, m.ARRIVALS_REQUEST.pack(hw_id, 0, offset, limit))
        received, recorded, sent, returned = m.ARRIVALS.unpack_from(reply)
        delays = m.ARRIVALS.size + 4 * returned
        times = delays + 4 * returned
        return m.Arrivals(received, recorded, sent, reply[m.ARRIVALS.size : delays], reply[delays:times], reply[times:])

    def losses(self) -> list[m.FlowLosses]:
        """Return what each verified flow of the last or running trial lost; exact once nothing is under way."""
        return [m.FlowLosses(*values) for values in m.LOSSES.iter_unpack(self.ask(m.Op.LOSSES))]

    def trial(self) -> tuple[m.TrialCounters, list[m.TrialPort], list[m.TrialCore]]:
        """Return what is known of the last or running trial: in all, by port and by polling thread."""
        reply = self.ask(m.Op.TRIAL)
        end = m.TRIAL.size + self.ports * m.TRIAL_PORT.size
        ports = [
            m.TrialPort._make([*values[:8], m.Percentiles(*values[8:12]), m.Percentiles(*values[12:16]), *values[16:]])
            for values in m.TRIAL_PORT.iter_unpack(reply[m.TRIAL.size : end])
        ]
        cores = [m.TrialCore(*values) for values in m.TRIAL_CORE.iter_unpack(reply[end:])]
        return m.TrialCounters(*m.TRIAL.unpack_from(reply)), ports, cores

    def verified(self) -> list[m.VerifiedDirection]:
        """Return what verification found in the last or running trial."""
        reply = self.ask(m.Op.VERIFIED)
        directions = []
        for at in range(0, len(reply), m.VERIFIED.size + m.WRONG_KINDS * m.SAMPLE.size):
            tx_port, rx_port, flows, good, reordered, *wrong = m.VERIFIED.unpack_from(reply, at)
            first = []
            for kind in range(m.WRONG_KINDS):
                *values, kept, head = m.SAMPLE.unpack_from(reply, at + m.VERIFIED.size + kind * m.SAMPLE.size)
                first.append(m.WrongSample._make([*values, head[:kept]]))
            directions.append(m.VerifiedDirection(tx_port, rx_port, flows, good, reordered, tuple(wrong), tuple(first)))
        return directions

    def push(self, port_id: int, frames: Iterable[bytes], gap_us: int) -> tuple[int, float]:
        """Send frames at once, ``gap_us`` apart; returns (frames that the device took, monotonic seconds)."""
        packed = [struct.pack("<H", len(frame)) + frame for frame in frames]
        head = m.PUSH_REQUEST.pack(port_id, len(packed), gap_us)
        sent, at_ns = m.PUSH.unpack(self.ask(m.Op.PUSH, head + b"".join(packed)))
        return sent, at_ns / 1e9

    def set_address(self, port_id: int, mac: bytes, ipv4: bytes) -> None:
        """Let a port answer ARP requests for ``ipv4`` with ``mac``; 0.0.0.0: it does not answer."""
        self.ask(m.Op.ADDRESS, m.ADDRESS.pack(port_id, mac, ipv4))


def _own_arguments(options: EngineOptions, control_fd: int, event_fd: int) -> list[str]:
    values = [control_fd, event_fd, os.getpid(), options.full_wait_us, options.late_us, options.arrivals]
    described = [device.described(index) for index, device in enumerate(options.devices)]
    return [*map(str, values), str(len(described)), *described]


def _eal(options: EngineOptions) -> list[str]:
    others = sorted(os.sched_getaffinity(0) - set(options.cores)) or list(options.cores)
    polling = [f"{number}@{core}" for number, core in enumerate(options.cores, 1)]
    lcores = ",".join([f"0@({','.join(map(str, others))})", *polling])
    arguments = ["vtrex-engine", "--lcores", lcores, "--main-lcore", "0", f"--file-prefix={options.prefix}"]
    arguments += ["--no-shconf", "--no-telemetry", "--log-level=*:error"]
    arguments += ["--in-memory" if options.huge else "--no-huge", "-m", str(options.memory_mb)]
    pci = [device.pci_address for device in options.devices if device.pci_address is not None]
    if not pci:
        return [*arguments, "--iova-mode=va", "--no-pci"]
    return [*arguments, *(word for address in pci for word in ("--allow", address))]
