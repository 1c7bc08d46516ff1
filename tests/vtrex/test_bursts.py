"""Bursts of the official client end with exactly their frames, also long ones at the greatest rate on two ports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.vtrex.serving import PATIENT, Server, run_client


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = Server("--wire", *PATIENT)
    yield running
    assert running.stop() == (0, "")


@pytest.mark.parametrize(("frames", "rate_pps"), [(1_000_000, 10e9 / 8 / 84), (3_000_001, 2_000_000.0)])
def test_a_long_burst_on_two_ports_has_all_its_frames_and_no_more(server: Server, frames: int, rate_pps: float) -> None:
    seen = run_client(
        server,
        f"""
        client.reset(ports=[0, 1])
        for port in (0, 1):
            client.add_streams(STLStream(
                packet=STLPktBuilder(pkt=udp(64)), mode=STLTXSingleBurst(total_pkts={frames}, pps={rate_pps}),
                flow_stats=STLFlowStats(pg_id=10 + port)), ports=port)
        client.clear_stats()
        client.start(ports=[0, 1])
        client.wait_on_traffic(ports=[0, 1])
        stats = client.get_pgid_stats([10, 11])["flow_stats"]
        answer([[stats[10 + port]["tx_pkts"][port], stats[10 + port]["rx_pkts"][1 - port]] for port in (0, 1)]
               + [rpc("pixlab_get_trial_report")])
        """,
    )
    report = seen.pop()
    assert seen == [[frames, frames]] * 2
    for port in report["ports"]:
        assert port["intended_packets"] == port["sent_packets"] == port["rx_packets"] == frames
        due_ns, period_ns, late_ns = (frames - 1) * 1e9 / rate_pps, 1e9 / rate_pps, port["lateness_ns"]["max"]
        # How long it took is told, as a generator that falls behind its schedule sends no frame early.
        assert due_ns - 31 * period_ns - late_ns - 1000 <= port["sending_ns"] <= due_ns + late_ns + 1000


def test_bursts_that_repeat_have_each_all_their_frames(server: Server) -> None:
    seen = run_client(
        server,
        """
        client.reset(ports=[0, 1])
        modes = [STLTXMultiBurst(pkts_per_burst=100_000, count=7, ibg=1000.0, pps=1_000_000),
                 STLTXMultiBurst(pkts_per_burst=33, count=1001, ibg=50.0, pps=5_000_000)]
        for port, mode in enumerate(modes):
            client.add_streams(STLStream(packet=STLPktBuilder(pkt=udp(64)), mode=mode,
                                         flow_stats=STLFlowStats(pg_id=20 + port)), ports=port)
        client.clear_stats()
        client.start(ports=[0, 1])
        client.wait_on_traffic(ports=[0, 1])
        stats = client.get_pgid_stats([20, 21])["flow_stats"]
        answer([[stats[20 + port]["tx_pkts"][port], stats[20 + port]["rx_pkts"][1 - port]] for port in (0, 1)])
        """,
    )
    assert seen == [[700_000, 700_000], [33 * 1001, 33 * 1001]]


def test_one_tagged_frame_after_a_while_has_a_latency(server: Server) -> None:
    """RFC 2544, 26.2: a frame with a tag in the middle of the stream."""
    seen = run_client(
        server,
        """
        client.reset(ports=[0, 1])
        client.add_streams([
            STLStream(packet=STLPktBuilder(pkt=udp(64)), mode=STLTXCont(pps=10_000), flow_stats=STLFlowStats(pg_id=30)),
            STLStream(packet=STLPktBuilder(pkt=udp(64)), isg=1_500_000.0, mode=STLTXSingleBurst(total_pkts=1, pps=1000),
                      flow_stats=STLFlowLatencyStats(pg_id=31)),
        ], ports=0)
        client.clear_stats()
        client.start(ports=[0], duration=2.0)
        client.wait_on_traffic(ports=[0])
        latency = client.get_stats()["latency"][31]["latency"]
        answer([rpc("pixlab_get_latency", pg_id=31), rpc("pixlab_get_arrivals", pg_id=31),
                rpc("pixlab_get_sequence", pg_id=31), latency["total_max"]])
        """,
    )
    latency, arrivals, sequence, in_words_of_trex = seen
    assert (latency["count"], arrivals["recorded"], sequence["numbered"], sequence["lost"]) == (1, 1, 1, 0)
    assert 0 < latency["min_ns"] == latency["max_ns"] == latency["mean_ns"]
    assert in_words_of_trex == latency["max_ns"] // 1000
    assert latency["variation"]["count"] == 0
