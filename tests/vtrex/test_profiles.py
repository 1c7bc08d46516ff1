"""Profiles of all kinds that the official clients load: programs, YAML and pcap files."""

from __future__ import annotations

import base64
import struct
from pathlib import Path

import pytest

from tests.vtrex.serving import Rpc, RpcFailure, Server, connected, run_client
from tests.vtrex.test_fields import FRAME

IMIX = """
from trex.stl.api import *

class Mix(object):
    # Sizes and weights of the simple IMIX, 7:4:1, each with its own phase and every frame from another address.
    TABLE = [{"size": 60, "pps": 700.0, "isg": 0.0}, {"size": 590, "pps": 400.0, "isg": 100.0},
             {"size": 1514, "pps": 100.0, "isg": 200.0}]

    def stream(self, entry):
        base = Ether() / IP(src="16.0.0.1", dst="48.0.0.1") / UDP(dport=12, sport=1025)
        vm = STLVM()
        vm.var(name="src", min_value="16.0.0.1", max_value="16.0.0.254", size=4, op="inc")
        vm.write(fv_name="src", pkt_offset="IP.src")
        vm.fix_chksum()
        packet = STLPktBuilder(pkt=base / ("x" * (entry["size"] - len(base))), vm=vm)
        return STLStream(packet=packet, isg=entry["isg"], mode=STLTXCont(pps=entry["pps"]))

    def get_streams(self, direction=0, **kwargs):
        return [self.stream(entry) for entry in self.TABLE]

def register():
    return Mix()
"""

BURSTS = """
from trex.stl.api import *

class Bursts(object):
    def get_streams(self, direction=0, **kwargs):
        packet = STLPktBuilder(pkt=Ether() / IP(src="16.0.0.1", dst="48.0.0.1") / UDP() / ("x" * 30))
        return STLProfile([
            STLStream(name="first", packet=packet, mode=STLTXSingleBurst(pps=2000, total_pkts=10), next="second"),
            STLStream(name="second", packet=packet, self_start=False, isg=1000.0, next="third",
                      mode=STLTXMultiBurst(pps=2000, pkts_per_burst=4, ibg=500.0, count=5)),
            STLStream(name="third", packet=packet, self_start=False, mode=STLTXSingleBurst(pps=2000, total_pkts=3),
                      next="first", action_count=2),
        ]).get_streams()

def register():
    return Bursts()
"""


def write_pcap(path: Path, gaps_us: list[int], *, big_endian: bool = False) -> Path:
    """Write a classic pcap file; frame k is k bytes longer than the first."""
    order, at_us = ">" if big_endian else "<", 10**15
    parts = [struct.pack(f"{order}IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for extra, gap_us in enumerate(gaps_us):
        at_us += gap_us
        frame = FRAME + bytes(extra)
        parts.append(struct.pack(f"{order}IIII", at_us // 10**6, at_us % 10**6, len(frame), len(frame)) + frame)
    path.write_bytes(b"".join(parts))
    return path


def test_profiles_load_and_send_exactly_what_they_say(wire_server: Server, tmp_path: Path) -> None:
    for name, text in (("imix", IMIX), ("bursts", BURSTS)):
        (tmp_path / f"{name}.py").write_text(text)
    write_pcap(tmp_path / "some.pcap", [0, 300, 700])
    seen = run_client(
        wire_server,
        f"""
        folder = {str(tmp_path)!r}
        client.reset(ports=[0, 1])

        def run(name, **start):
            client.remove_all_streams(ports=[0])
            client.add_streams(STLProfile.load(folder + "/" + name, direction=0, port_id=0), ports=[0])
            client.clear_stats()
            client.start(ports=[0], **start)
            client.wait_on_traffic(ports=[0])
            stats = client.get_stats()
            return [stats[0]["opackets"], stats[1]["ipackets"], stats[0]["obytes"]]

        with open(folder + "/bursts.json", "w") as file:
            json.dump(STLProfile.load_py(folder + "/bursts.py").to_json(), file)
        seen = {{
            "imix": run("imix.py", duration=0.5),
            "fast": run("imix.py", duration=0.5, mult="2400pps"),
            "bursts": run("bursts.py"),
            "json": run("bursts.json"),
        }}
        client.clear_stats()
        client.push_pcap(folder + "/some.pcap", ports=[0], ipg_usec=500.0, count=4)
        client.wait_on_traffic(ports=[0])
        seen["push_pcap"] = client.get_stats()[1]["ipackets"]
        client.remove_all_streams(ports=[0])
        client.clear_stats()
        client.push_remote(folder + "/some.pcap", ports=[0], speedup=2.0, count=3)
        client.wait_on_traffic(ports=[0])
        seen["push_remote"] = client.get_stats()[1]["ipackets"]
        seen["state"] = client.get_port_info([0])[0]["status"]
        answer(seen)
        """,
    )
    imix_bytes = 350 * 64 + 200 * 594 + 50 * 1518
    assert seen["imix"] == [600, 600, imix_bytes]
    assert seen["fast"] == [1200, 1200, 2 * imix_bytes]
    assert seen["bursts"][:2] == seen["json"][:2] == [2 * (10 + 20 + 3)] * 2
    assert seen["push_pcap"] == 4 * 3
    assert seen["push_remote"] == 3 * 3
    assert seen["state"] == "IDLE"


YAML = f"""
- name: first
  stream:
    packet: {{binary: {base64.b64encode(FRAME).decode()}}}
    mode: {{type: single_burst, total_pkts: 12, pps: 2000}}
    rx_stats: []
    vm: []
- name: second
  stream:
    isg: 500.0
    packet: {{binary: {base64.b64encode(FRAME).decode()}}}
    mode: {{type: multi_burst, pkts_per_burst: 3, ibg: 100.0, count: 2, pps: 2000}}
    rx_stats: []
    vm: []
"""


def test_a_yaml_profile_as_the_client_of_api_4_has_it(wire_server: Server, tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(YAML)
    seen = run_client(
        wire_server,
        f"""
        client.reset(ports=[0, 1])
        client.add_streams(STLProfile.load({str(tmp_path / "two.yaml")!r}).get_streams(), ports=[0])
        client.clear_stats()
        client.start(ports=[0])
        client.wait_on_traffic(ports=[0])
        answer([client.get_stats()[port] for port in (0, 1)])
        """,
        generation=4,
    )
    assert seen[0]["opackets"] == seen[1]["ipackets"] == 12 + 2 * 3


def test_dynamic_profiles_of_the_client_start_and_stop_by_themselves(wire_server: Server) -> None:
    seen = run_client(
        wire_server,
        """
        client.reset(ports=[0, 1])
        def stream(mode):
            return STLStream(packet=STLPktBuilder(pkt=udp(64)), mode=mode)
        client.add_streams(stream(STLTXCont(pps=1000)), ports="0.steady")
        client.add_streams(stream(STLTXSingleBurst(pps=1000, total_pkts=40)), ports="0.short")
        client.clear_stats()
        client.start(ports=["0.steady", "0.short"])
        while [str(each) for each in client.get_profiles_with_state("active")] != ["0.steady"]:
            time.sleep(0.01)
        states = {str(profile): "active" for profile in client.get_profiles_with_state("active")}
        client.pause(ports="0.steady")
        client.resume(ports="0.steady")
        client.update(ports="0.steady", mult="2kpps")
        client.stop(ports="0.*")
        stats = client.get_stats()
        answer([states, stats[0]["opackets"], stats[1]["ipackets"], client.get_port_info([0])[0]["status"]])
        """,
    )
    states, sent, received, status = seen
    assert states == {"0.steady": "active"}
    assert sent == received >= 40
    assert status == "IDLE"


@pytest.mark.parametrize("big_endian", [False, True])
def test_a_file_keeps_its_order_lengths_and_gaps(rpc: Rpc, tmp_path: Path, *, big_endian: bool) -> None:
    path = write_pcap(tmp_path / "some.pcap", [0, 1000, 3000, 500], big_endian=big_endian)
    with rpc.capturing(1, 20) as frames:
        rpc.call("push_remote", port_id=0, pcap_filename=str(path), count=2 | 3 << 30, min_ipg_usec=700)
        while rpc.call("get_port_status", port_id=0)["state"] == "PCAP_TX":
            pass
    assert frames == [FRAME + bytes(extra) for extra in range(4)] * 2
    report = rpc.call("pixlab_get_trial_report")
    assert report["ports"][0]["sent_packets"] == report["ports"][0]["intended_packets"] == 8
    assert report["duration_ns"] >= 2 * (1500 + 1000 + 3000 + 700) * 1000


def test_what_is_no_file_to_send_is_named(wire_server: Server, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("hello, this is no capture of packets")
    empty = write_pcap(tmp_path / "empty.pcap", [])
    single = write_pcap(tmp_path / "single.pcap", [0])
    with connected(wire_server) as rpc:
        rpc.reset(0)
        for path, says in (
            (tmp_path / "none", "No such file"),
            (tmp_path, "Is a directory"),
            (text, "no pcap or pcapng"),
            (empty, "has no packet"),
            (single, "takes 0 us"),
        ):
            with pytest.raises(RpcFailure, match=says):
                rpc.call("push_remote", port_id=0, pcap_filename=str(path), count=0)
        with pytest.raises(RpcFailure, match="ERF"):
            rpc.call("push_remote", port_id=0, pcap_filename=str(single), is_dual=True)
        assert rpc.call("get_port_status", port_id=0)["state"] == "IDLE"
