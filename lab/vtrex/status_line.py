"""The line by which a person at a terminal sees what the generator does."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TextIO

from lab.vtrex.generator import Generator
from lab.vtrex.port import Port

PERIOD_S = 1.0
_ERASE_TO_END = "\x1b[K"  # ECMA-48, EL
_UNKNOWN_WIDTH = 160


def summary(generator: Generator) -> str:
    """Return the line: each port's state, link and rates, then what disturbed, then who listens.

    Rates are in packets and bits a second, without preamble and gap between frames.
    """
    refused = sum(counters.tx_refused_bursts for counters in generator.engine.port_counters())
    gaps = generator.engine.trial()[0].gaps_over_100us
    parts = [_port(generator, port) for port in generator.ports]
    parts.append(f"refused bursts {refused}, gaps over 100 us {gaps}")
    clients = generator.events.listening()
    parts.append(f"{clients} client{'' if clients == 1 else 's'}")
    return " | ".join(parts)


def _port(generator: Generator, port: Port) -> str:
    state = f"{port.index} {port.state.lower()}{'' if port.link_up else ' no link'}"
    rates = []
    for way in ("tx", "rx"):
        packets, size = (generator.port_meters.rate((port.index, f"{way}_{unit}")) for unit in ("packets", "bytes"))
        if packets or (way == "tx" and port.active):
            rates.append(f"{way} {scaled(packets)}pps {scaled(size * 8)}bps")
    return ": ".join([state, ", ".join(rates)] if rates else [state])


def scaled(value: float) -> str:
    """Return a number with three digits and the prefix of its unit: ``1.49 M``."""
    for prefix, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= factor:
            return f"{value / factor:.3g} {prefix}"
    return f"{value:.0f} "


class StatusLine:
    """Writes the line over the one before on a terminal, and one below the other elsewhere."""

    def __init__(self, stream: TextIO, *, shares_core: bool) -> None:
        """Write to this stream, until it takes no more; ``shares_core``: with a polling loop."""
        self._stream: TextIO | None = stream
        self._in_place = stream.isatty()
        self._shares_core = shares_core
        self._due_s = 0.0

    def refresh(self, generator: Generator, now_s: float) -> None:
        """Write what holds now, if it is time, unless that could take time from a polling loop that has traffic."""
        if now_s < self._due_s or (self._shares_core and generator.any_active()):
            return
        self._due_s = now_s + PERIOD_S
        generator.tick()
        text = summary(generator)
        self._write(f"\r{text[: self._width() - 1]}{_ERASE_TO_END}" if self._in_place else f"{text}\n")

    def close(self) -> None:
        """Leave the line to what is written next."""
        if self._in_place:
            self._write("\n")
        self._stream = None

    def _width(self) -> int:
        columns = 0
        if self._stream is not None:
            with contextlib.suppress(OSError):
                columns = os.get_terminal_size(self._stream.fileno()).columns
        return columns or _UNKNOWN_WIDTH

    def _write(self, text: str) -> None:
        """Write; a terminal that has gone is no reason to stop serving."""
        if self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            # What it holds would be written once more at the end of the program, which then had failed.
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), self._stream.fileno())
            self._stream = None
