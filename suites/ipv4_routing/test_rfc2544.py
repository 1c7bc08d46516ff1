"""Throughput, latency and reordering of the router (RFC 2544, RFC 9971, RFC 4737), both directions at once."""

from __future__ import annotations

from lab.measurements import Measurements


def test_ndr_and_pdr(measure: Measurements, frame_size: int) -> None:
    """There are rates that the router forwards without loss (NDR) and with at most 0.5 % loss (PDR)."""
    found = measure.ndr_and_pdr(frame_size)
    ndr, pdr = found["NDR"], found["PDR"]
    assert pdr.lower_pps is not None, "no load at all was forwarded with at most 0.5 % loss"
    assert ndr.lower_pps is not None, "no load at all was forwarded without loss"
    assert ndr.lower_pps <= pdr.lower_pps


def test_throughput_by_binary_search(measure: Measurements, throughput_frame_size: int) -> None:
    """The greatest load that is forwarded without any loss, by bisection and confirmed (RFC 2544 section 26.1)."""
    found = measure.throughput(throughput_frame_size)
    assert found.lower_pps is not None, "no load at all was forwarded without loss"


def test_latency(measure: Measurements, frame_size: int) -> None:
    """Every direction has a latency distribution at each load (RFC 2544 section 26.2)."""
    records = measure.latency(frame_size)
    assert records, "no latency was measured"
    for record in records:
        assert record.samples > 0
        assert 0 < record.min_us <= record.mean_us <= record.max_us


def test_frames_keep_their_order(order: Measurements, frame_size: int) -> None:
    """No frame of a flow overtakes another (RFC 4737): in-order I/O is a promise of the design."""
    found = order.reordering(frame_size)
    assert found is not None, "no load at all was forwarded without loss"
    assert found.records, "nobody looked at the order"
    for record in found.records:
        assert record.received > 0
        assert record.reordered == 0, f"port {record.tx_port} to {record.rx_port}: {record}"
