"""Throughput, latency and reordering of the router (RFC 2544, RFC 9971, RFC 4737), both directions at once."""

from __future__ import annotations

import pytest

from lab.dut.bring_up import Deployed
from lab.measurements import Measurements
from lab.methods import imix
from lab.traffic.modifiers import Broadcast, Queries
from lab.traffic.router import RouterTester


def test_ndr_and_pdr(measure: Measurements, frame_size: int) -> None:
    """There are rates that the router forwards without loss (NDR) and with at most 0.5 % loss (PDR)."""
    found = measure.ndr_and_pdr(frame_size)
    ndr, pdr = found["NDR"], found["PDR"]
    assert pdr.lower_pps is not None, "no load at all was forwarded with at most 0.5 % loss"
    assert ndr.lower_pps is not None, "no load at all was forwarded without loss"
    assert ndr.lower_pps <= pdr.lower_pps


def test_ndr_and_pdr_of_a_mix_of_sizes(measure: Measurements, mix: str) -> None:
    """The same with frames of several sizes in turn (IMIX, RFC 6985)."""
    parsed = imix.parse(mix)
    found = measure.of_mix(parsed).ndr_and_pdr(parsed.frame_size_bytes)
    assert found["NDR"].lower_pps is not None, "no load at all was forwarded without loss"


def test_throughput_by_binary_search(measure: Measurements, throughput_frame_size: int) -> None:
    """The greatest load that is forwarded without any loss, by bisection and confirmed (RFC 2544 section 26.1)."""
    found = measure.throughput(throughput_frame_size)
    assert found.lower_pps is not None, "no load at all was forwarded without loss"


def test_throughput_beside_other_frames(measure: Measurements, router: RouterTester, modifiers_frame_size: int) -> None:
    """The same with one per cent of broadcast frames and a query a second at each port (RFC 2544 section 11)."""
    beside = (Broadcast(), Queries(ports=tuple(router.ports)))
    varied = measure.varied("with broadcast frames and queries", modifiers=beside)
    assert varied.throughput(modifiers_frame_size).lower_pps is not None, "no load at all was forwarded without loss"


def test_throughput_in_one_direction(measure: Measurements, modifiers_frame_size: int) -> None:
    """The same with every second direction silent: RFC 2544 section 14 asks for both, the talk of 2015 for one."""
    varied = measure.in_one_direction()
    assert varied.throughput(modifiers_frame_size).lower_pps is not None, "no load at all was forwarded without loss"


def test_maximum_receive_rate(measure: Measurements, receive_rate_frame_size: int) -> None:
    """Overload does not stop the router: frames arrive while the greatest load is offered (MRR)."""
    found = measure.receive_rate(receive_rate_frame_size)
    assert min(found.received_pps) > 0, "nothing was forwarded"


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


def test_frame_loss_rate(measure: Measurements, loss_rate_frame_size: int) -> None:
    """From the greatest load down, until two loads in a row lose nothing (RFC 2544 section 26.3)."""
    curve = measure.loss_rate(loss_rate_frame_size)
    assert curve.complete, "every load down to the least lost frames"


def test_back_to_back_frames(measure: Measurements, back_to_back_frame_size: int) -> None:
    """There is a burst at the greatest load that is forwarded without loss (RFC 2544 section 26.4, RFC 9004)."""
    assert measure.back_to_back(back_to_back_frame_size).burst_frames > 0, "not even one frame was forwarded"


def test_system_recovery(measure: Measurements, recovery_frame_size: int) -> None:
    """After an overload the router forwards without loss again (RFC 2544 section 26.5)."""
    found = measure.recovery(recovery_frame_size)
    assert found is not None, "no load at all was forwarded without loss"
    if found.recovery_s is None and found.limited_by:
        pytest.skip(f"no overload of 110 % can be offered ({found.limited_by}): {found.reason}")
    assert found.recovery_s is not None, found.reason


def test_soak(measure: Measurements, soak_frame_size: int) -> None:
    """Over a long run at a load below NDR the router does not lose more than a thousandth."""
    found = measure.soak(soak_frame_size)
    assert found is not None, "no load at all was forwarded without loss"
    assert found.verdict != "above", found.sentence


def test_critical_load(measure: Measurements, critical_load_frame_size: int) -> None:
    """There is a load that is proved to be borne, nearly always, over a long run."""
    found = measure.critical_load(critical_load_frame_size)
    assert found is not None, "no load at all was forwarded without loss"
    assert found.estimate_pps > 0


def test_reset(measure: Measurements, deployed: Deployed, reset_kind: str, reset_frame_size: int) -> None:
    """Reset under load, the router comes back by itself, and forwards again (RFC 2544 section 26.6, RFC 6201)."""
    if reset_kind not in deployed.resets():
        pytest.skip(f"no {reset_kind} reset here: {', '.join(deployed.resets()) or 'it cannot be reset'}")
    found = measure.reset(reset_kind, reset_frame_size)
    assert found is not None, "no load at all was forwarded without loss"
    assert found.by_loss_s is not None, found.reason
    assert found.by_loss_s > 0, "no frame was lost: nothing was reset"
