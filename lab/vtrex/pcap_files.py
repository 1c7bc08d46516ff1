"""Files of packets that the server sends by itself (push_remote)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from scapy.error import Scapy_Exception
from scapy.utils import RawPcapNgReader, RawPcapReader

from lab.vtrex import messages as m
from lab.vtrex.fields import compile_program
from lab.vtrex.frames import ETHER_BYTES, pad
from lab.vtrex.rpc import refuse
from lab.vtrex.streams import Plan, Stream

MAX_FRAMES = 20_000  # so that reading and starting stay below the three seconds that a client waits
ETHERNET = 1


@dataclass(frozen=True)
class Record:
    """A frame of a file and when it was captured, in microseconds since the first one."""

    time_us: float
    frame: bytes


def read(path: str) -> list[Record]:
    """Return the frames of a pcap or pcapng file in the order of the file.

    Raises:
        RpcError: it cannot be read, is of another format, or has what cannot be sent.

    """
    try:
        with RawPcapReader(path) as reader:
            records = list(_records(reader, path))
    except OSError as error:
        raise refuse(f"cannot read '{path}' on this server: {error.strerror}") from None
    except (Scapy_Exception, ValueError, EOFError) as error:
        raise refuse(f"'{path}' is no pcap or pcapng file: {error}") from None
    if not records:
        raise refuse(f"'{path}' has no packet")
    first_us = records[0].time_us
    return [Record(max(0.0, record.time_us - first_us), record.frame) for record in records]


def _records(reader: RawPcapReader, path: str) -> Iterator[Record]:
    is_ng = isinstance(reader, RawPcapNgReader)
    for number, (frame, about) in enumerate(reader, 1):
        link = about.linktype if is_ng else reader.linktype
        if link != ETHERNET:
            raise refuse(f"packet {number} of '{path}' is of link type {link}; only Ethernet (1) can be sent")
        if not ETHER_BYTES <= len(frame) <= m.MAX_FRAME_BYTES:
            raise refuse(
                f"packet {number} of '{path}' has {len(frame)} bytes, expected {ETHER_BYTES} to {m.MAX_FRAME_BYTES}"
            )
        if number > MAX_FRAMES:
            raise refuse(f"'{path}' has more than {MAX_FRAMES} packets; cut it (`editcap -c {MAX_FRAMES}`)")
        if is_ng:
            ticks = ((about.tshigh or 0) << 32) + (about.tslow or 0)
            time_us = ticks * 1e6 / (about.tsresol or 1_000_000)
        else:
            time_us = about.sec * 1e6 + about.usec / (1000 if reader.nano else 1)
        yield Record(time_us, pad(frame))


def gaps_us(records: list[Record], ipg_us: float, minimum_us: float, speedup: float) -> list[float]:
    """Return the gap before each frame.

    Args:
        records: of the file.
        ipg_us: the same gap before each frame; below 0: as in the file. A repetition then follows after the mean gap.
        minimum_us: the least gap, for gaps of the file.
        speedup: by which the gaps are divided.

    """
    if ipg_us >= 0:
        return [ipg_us / speedup] * len(records)
    mean_us = records[-1].time_us / max(1, len(records) - 1)
    gaps = [mean_us] + [after.time_us - before.time_us for before, after in itertools.pairwise(records)]
    return [max(minimum_us, gap / speedup, 0.0) for gap in gaps]


def chain(records: list[Record], gaps: list[float], count: int, flags: int) -> list[Stream]:
    """Return a stream for each frame, each followed by the next one.

    Args:
        records: the frames.
        gaps: before each, in microseconds.
        count: how often the file is sent; 0 without end.
        flags: of TRex's streams, for the MAC addresses.

    """
    last = len(records) - 1
    return [
        Stream(
            stream_id=place,
            json={},
            frame=record.frame,
            program=compile_program({}, record.frame, 1),
            rate_kind="pps",
            rate_value=1.0,
            plan=Plan(
                gap_before_us=gap,
                burst_frames=1,
                next_id=place + 1 if place < last else 0,
                loops=count if place == last else 0,
                self_start=place == 0,
            ),
            flags=flags,
            enabled=True,
            rule=None,
        )
        for place, (record, gap) in enumerate(zip(records, gaps, strict=True))
    ]
