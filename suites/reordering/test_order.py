"""No frame of a flow overtakes another, whatever the way it takes through the router."""

from __future__ import annotations

import pytest

from lab.dut.subject import Subject
from lab.images import PixManifest
from lab.measurements import Measurements
from lab.methods.reordering import ReorderingAtLoad
from lab.traffic.router import mesh


def require_order(found: ReorderingAtLoad | None) -> None:
    """Fail unless frames were looked at in every direction and none was reordered or seen twice."""
    assert found is not None, "no load at all was forwarded with at most 0.5 % loss"
    assert found.records, "nobody looked at the order"
    for record in found.records:
        way = f"port {record.tx_port} to {record.rx_port}"
        assert record.received > 0, f"{way}: nothing arrived"
        assert record.reordered == 0, f"{way}: {record}"
        assert record.duplicates == 0, f"{way}: {record}"


def test_frames_between_pairs_of_ports_keep_their_order_at_pdr(order: Measurements, frame_size: int) -> None:
    """Port 0 to 1, 1 to 0, 2 to 3, ...: as much as is forwarded with at most 0.5 % loss."""
    require_order(order.reordering(frame_size, "PDR", fraction=1.0))


def test_frames_between_all_ports_keep_their_order_at_pdr(order: Measurements, throughput_frame_size: int) -> None:
    """Every port to every other: frames for one way out come from all cores at once."""
    ports = order.used.router.ports
    if len(ports) == 2:
        pytest.skip("two ports are one pair: measured above")
    if order.used.deployed.no_router:
        pytest.skip(order.used.deployed.no_router)
    meshed = order.varied("between all ports", mesh(ports))
    require_order(meshed.reordering(throughput_frame_size, "PDR", fraction=1.0))


def test_order_holds_on_any_number_of_cores(
    order: Measurements, image: Subject, qgm_count: int, throughput_frame_size: int
) -> None:
    """Ports dealt to one core, to two, ... to all: some ways cross between cores, and some do not."""
    if qgm_count == order.used.testbed.dut.machine.exclusive_cores:
        pytest.skip("all cores: measured above")
    if not isinstance(image, PixManifest):
        pytest.skip(f"cores that one deals ports to are a design of PIX: {image.name} has a scheduler")
    with order.on_cores(qgm_count) as dealt:
        require_order(dealt.reordering(throughput_frame_size, "PDR", fraction=1.0))
