"""Frames that a tap has no room for came to the device, and were dropped there."""

from __future__ import annotations

import os
import socket

import pytest

from lab.dut.on_taps import OnTaps
from lab.machines.taps import taps
from lab.metrics.hops import PortTally, Tally

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


class Known:
    """A device that has counted."""

    def tally(self) -> Tally:
        ports = tuple(PortTally(port=n, rx_frames=2, tx_frames=2, drops={"runt": n}) for n in (0, 1))
        return Tally(ports=ports, complete=True)

    def restore(self) -> None:
        pass


def test_what_a_tap_dropped_is_in_the_tally() -> None:
    with taps({"tap0": 2, "tap1": 2}) as made:
        device = OnTaps(Known(), made.namespace, {0: "tap1", 1: "tap0"})
        assert [port.rx_frames for port in device.tally().ports] == [2, 2]
        with made.namespace.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as near:
            near.bind(("tap1", 0))
            for _ in range(5):
                near.send(bytes(60))
        first, second = device.tally().ports
        assert (first.rx_frames, first.drops) == (5, {"runt": 0, "rx_dropped": 3})
        assert (second.rx_frames, second.drops) == (2, {"runt": 1, "rx_dropped": 0})
