"""The unmodified official client drives the server over the wire."""

from __future__ import annotations

from tests.vtrex.serving import Server, run_client


def test_a_run_with_streams_statistics_and_latency_is_counted_exactly(wire_server: Server) -> None:
    seen = run_client(
        wire_server,
        """
        client.reset(ports=[0, 1])
        vm = STLScVmRaw([
            STLVmFlowVar("src", min_value="16.0.0.1", max_value="16.0.0.254", size=4, op="inc"),
            STLVmWrFlowVar("src", pkt_offset="IP.src"),
            STLVmFlowVar("dst", min_value="48.0.0.1", max_value="48.0.0.254", size=4, op="random"),
            STLVmWrFlowVar("dst", pkt_offset="IP.dst"),
            STLVmFixIpv4(offset="IP"),
        ])
        for port in (0, 1):
            client.add_streams([
                STLStream(packet=STLPktBuilder(pkt=udp(64), vm=vm), mode=STLTXCont(pps=30000 + 2 * port),
                          flow_stats=STLFlowStats(pg_id=10 + port)),
                STLStream(packet=STLPktBuilder(pkt=udp(128)), mode=STLTXCont(pps=1000),
                          flow_stats=STLFlowLatencyStats(pg_id=20 + port)),
            ], ports=[port])
        client.clear_stats()
        runs = []
        for factor in (1, 2):
            client.clear_stats()
            client.start(ports=[0, 1], mult=str(factor), duration=0.5)
            client.wait_on_traffic(ports=[0, 1])
            stats = client.get_stats()
            runs.append({
                "ports": [stats[port] for port in (0, 1)],
                "flows": {pg: {k: stats["flow_stats"][pg][k] for k in ("tx_pkts", "rx_pkts", "tx_bytes", "rx_bytes")}
                          for pg in (10, 11, 20, 21)},
                "latency": {pg: stats["latency"][pg] for pg in (20, 21)},
                "trial": rpc("pixlab_get_trial_report"),
            })
        answer(runs)
        """,
    )
    for factor, run in zip((1, 2), seen, strict=True):
        for port in (0, 1):
            bulk = (15000 + port) * factor
            latency = 500  # not scaled by the multiplier
            assert run["ports"][port]["opackets"] == bulk + latency
            assert run["ports"][1 - port]["ipackets"] == bulk + latency
            for pg_id, frames, size_bytes in ((10 + port, bulk, 64), (20 + port, latency, 128)):
                flow = run["flows"][str(pg_id)]
                assert flow["tx_pkts"] == {str(port): frames, str(1 - port): 0, "total": frames}
                assert flow["rx_pkts"] == {str(port): 0, str(1 - port): frames, "total": frames}
                assert flow["tx_bytes"]["total"] == flow["rx_bytes"]["total"] == frames * size_bytes
            group = run["latency"][str(20 + port)]
            assert sum(group["latency"]["histogram"].values()) == latency
            assert not any(group["err_cntrs"].values())
            report = run["trial"]["ports"][port]
            assert report["intended_packets"] == report["sent_packets"] == bulk + latency
            assert report["rx_unknown"] == report["queue_full"] == 0
    assert seen[1]["trial"]["trial"] == seen[0]["trial"]["trial"] + 1


def test_bursts_updates_pause_and_stop(wire_server: Server) -> None:
    seen = run_client(
        wire_server,
        """
        client.reset(ports=[0, 1])
        client.add_streams([STLStream(packet=STLPktBuilder(pkt=udp(64)), isg=1000.0,
                                      mode=STLTXSingleBurst(pps=20000, total_pkts=777))], ports=[0])
        client.start(ports=[0])
        client.wait_on_traffic(ports=[0])
        burst = client.get_stats()[0]["opackets"]
        client.reset(ports=[0, 1])
        client.add_streams([STLStream(packet=STLPktBuilder(pkt=udp(64)), mode=STLTXCont(percentage=0.1))], ports=[0])
        client.clear_stats()
        client.start(ports=[0])
        client.update(ports=[0], mult="5kpps")
        client.pause(ports=[0])
        first = client.get_stats()[0]["opackets"]
        time.sleep(0.2)
        paused = client.get_stats()[0]["opackets"]
        client.resume(ports=[0])
        time.sleep(0.2)
        client.stop(ports=[0])
        resumed = client.get_stats()[0]["opackets"]
        time.sleep(0.1)
        status = client.get_port_info([0])[0]["status"]
        answer([burst, first, paused, resumed, client.get_stats()[0]["opackets"], status])
        """,
    )
    burst, first, paused, resumed, stopped, status = seen
    assert burst == 777
    assert first == paused < resumed == stopped
    assert status == "IDLE"


def test_captures_hold_what_was_pushed_and_what_the_filter_lets_through(wire_server: Server) -> None:
    seen = run_client(
        wire_server,
        """
        import base64
        client.reset(ports=[0, 1])
        client.set_service_mode(ports=[0, 1])
        capture = client.start_capture(tx_ports=[0], rx_ports=[1], limit=10, bpf_filter="udp and dst host 48.0.0.9")
        wanted = bytes(udp(96, dst="48.0.0.9"))
        packets = [{"binary": base64.b64encode(data).decode(), "use_port_dst_mac": False, "use_port_src_mac": False}
                   for data in (bytes(udp(64)), wanted)]
        sent = rpc("push_pkts", port_id=0, pkts=packets, force=False, ipg_usec=0)["sent"]
        time.sleep(0.2)
        frames = []
        client.stop_capture(capture["id"], output=frames)
        client.set_service_mode(ports=[0, 1], enabled=False)
        answer([sent, wanted.hex(), [[f["origin"], f["port"], f["wirelen"], f["binary"].hex()] for f in frames]])
        """,
    )
    sent, wanted, frames = seen
    assert sent == 2
    assert frames == [["TX", 0, 92, wanted], ["RX", 1, 92, wanted]]


def test_resolving_a_next_hop_uses_the_ports_own_answer_to_arp(wire_server: Server) -> None:
    seen = run_client(
        wire_server,
        """
        client.reset(ports=[0, 1])
        client.set_service_mode(ports=[0, 1])
        rpc("set_l3", port_id=1, src_addr="192.0.2.1", dst_addr="192.0.2.0")
        client.set_l3_mode(port=0, src_ipv4="192.0.2.0", dst_ipv4="192.0.2.1")  # asks for the neighbour's address
        attributes = rpc("get_port_status", port_id=0)["attr"]["layer_cfg"]
        for port in (0, 1):
            client.set_l2_mode(port=port, dst_mac="02:00:00:00:00:01")
        client.set_service_mode(ports=[0, 1], enabled=False)
        answer([attributes, rpc("get_port_status", port_id=1)["attr"]["layer_cfg"]["ether"]["src"]])
        """,
    )
    layers, neighbour = seen
    assert layers["ipv4"] == {"state": "resolved", "src": "192.0.2.0", "dst": "192.0.2.1"}
    assert layers["ether"]["dst"] == neighbour
