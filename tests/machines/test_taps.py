"""Taps as data ports: what the generator's side sends arrives at the descriptor that QEMU gets, and back."""

from __future__ import annotations

import os
import socket

import pytest

from lab.machines.taps import taps

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

FRAME = bytes.fromhex("0200000000010200000000aa88b5") + bytes(range(46))


def test_frames_pass_in_both_directions_and_nothing_is_left() -> None:
    with taps({"tap0": 2, "tap1": 16}) as made:
        with made.namespace.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as near:
            near.bind(("tap1", 0))
            near.settimeout(5.0)
            near.send(FRAME)
            assert os.read(made.descriptors[1], 2000) == FRAME
            os.write(made.descriptors[1], FRAME[::-1])
            arrived = near.recvfrom(2000)
            while arrived[1][2] == socket.PACKET_OUTGOING:
                arrived = near.recvfrom(2000)
            assert arrived[0] == FRAME[::-1]
            assert {name for _, name in socket.if_nameindex()} == {"lo", "tap0", "tap1"}
        assert "tap1" not in {name for _, name in socket.if_nameindex()}
    for descriptor in made.descriptors:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def test_a_tap_keeps_as_many_frames_as_its_queue_is_long() -> None:
    with taps({"tap0": 2}) as made, made.namespace.inside():
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as near:
            near.bind(("tap0", 0))
            for number in range(10):
                near.send(FRAME[:-1] + bytes([number]))
        os.set_blocking(made.descriptors[0], False)
        kept = []
        with pytest.raises(BlockingIOError):
            while True:
                kept.append(os.read(made.descriptors[0], 2000)[-1])
    assert kept == [0, 1]
