"""The field engine through the official client: each of its STLVm classes, offsets by name as profiles have them."""

from __future__ import annotations

from typing import Any

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6ND_NS, IPv6
from scapy.layers.l2 import Ether

from tests.vtrex.field_model import checksums_right
from tests.vtrex.serving import Server, run_client

SENT = """
def sent(packet, instructions, frames=30, **options):
    client.reset(ports=[0, 1])
    client.set_service_mode(ports=[1])
    capture = client.start_capture(rx_ports=[1], limit=frames)["id"]
    vm = STLScVmRaw(instructions, **options)
    mode = STLTXSingleBurst(total_pkts=frames, pps=10000)
    client.add_streams([STLStream(packet=STLPktBuilder(pkt=packet, vm=vm), mode=mode)], ports=[0])
    client.start(ports=[0])
    client.wait_on_traffic(ports=[0])
    packets = []
    client.stop_capture(capture, packets)
    client.set_service_mode(ports=[1], enabled=False)
    return [bytes(packet["binary"]).hex() for packet in packets]

plain = Ether() / IP(src="16.0.0.1", dst="48.0.0.1") / UDP(sport=1025, dport=12) / ("x" * 80)
"""


def sent(server: Server, script: str) -> dict[str, list[Any]]:
    seen = run_client(server, SENT + "answer(" + " ".join(script.split()) + ")")
    return {name: [Ether(bytes.fromhex(frame)) for frame in frames] for name, frames in seen.items()}


def test_every_instruction_of_the_official_client(wire_server: Server) -> None:
    seen = sent(
        wire_server,
        """{
        "linked": sent(plain, [
            STLVmFlowVar(name="port", min_value=5, max_value=6, size=2, op="dec"),
            STLVmFlowVar(name="src", min_value="10.0.0.1", max_value="10.0.0.3", size=4, op="inc", next_var="port"),
            STLVmWrFlowVar(fv_name="src", pkt_offset="IP.src"),
            STLVmWrFlowVar(fv_name="port", pkt_offset="UDP.sport", offset_fixup=2, add_val=100),
            STLVmFixIpv4(offset="IP")], cache_size=100),
        "tuple": sent(Ether() / IP(dst="48.0.0.1") / TCP() / ("x" * 20), [
            STLVmTupleGen(ip_min="16.0.0.1", ip_max="16.0.0.4", port_min=2000, port_max=2001, name="t", limit_flows=6),
            STLVmWrFlowVar(fv_name="t.ip", pkt_offset="IP.src"),
            STLVmWrFlowVar(fv_name="t.port", pkt_offset="TCP.sport"),
            STLVmFixChecksumHw(l3_offset="IP", l4_offset="TCP", l4_type=CTRexVmInsFixHwCs.L4_TYPE_TCP)]),
        "masked": sent(plain, [
            STLVmFlowVar(name="mac", min_value=1, max_value=30, size=2, op="dec", step=1),
            STLVmWrMaskFlowVar(fv_name="mac", pkt_offset=10, pkt_cast_size=1, mask=0x1, shift=-1)]),
        "random": sent(plain, [
            STLVmFlowVarRepeatableRandom("r", size=4, limit=10, seed=5, min_value="48.0.0.0", max_value="48.0.0.255"),
            STLVmWrFlowVar(fv_name="r", pkt_offset="IP.dst"),
            STLVmFixChecksumHw(l3_offset="IP", l4_offset="UDP", l4_type=CTRexVmInsFixHwCs.L4_TYPE_UDP)]),
        "trimmed": sent(plain, [
            STLVmFlowVar(name="size", min_value=64, max_value=len(plain), size=2, op="inc"),
            STLVmTrimPktSize("size"),
            STLVmWrFlowVar(fv_name="size", pkt_offset="IP.len", add_val=-14),
            STLVmWrFlowVar(fv_name="size", pkt_offset="UDP.len", add_val=-34),
            STLVmFixChecksumHw(l3_offset="IP", l4_offset="UDP", l4_type=CTRexVmInsFixHwCs.L4_TYPE_UDP)], frames=80),
        "neighbour": sent(Ether() / IPv6(dst="::2") / ICMPv6ND_NS(tgt="::2"), [
            STLVmFlowVar(name="low", min_value=1, max_value=9, size=2, op="inc"),
            STLVmWrFlowVar(fv_name="low", pkt_offset="IPv6.src", offset_fixup=14),
            STLVmFixIcmpv6(l3_offset="IPv6", l4_offset=ICMPv6ND_NS().name)])
        }""",
    )
    assert [(p[IP].src, p[UDP].dport) for p in seen["linked"][:8]] == [
        (f"10.0.0.{k % 3 + 1}", 106 - k // 3 % 2) for k in range(8)
    ]
    flows = [(f"16.0.0.{k % 6 % 4 + 1}", 2000 + k % 6 // 4) for k in range(30)]
    assert [(p[IP].src, p[TCP].sport) for p in seen["tuple"]] == flows
    assert [int(p.src.split(":")[4], 16) & 1 for p in seen["masked"]] == [(30 - k) // 2 % 2 for k in range(30)]
    targets = [p[IP].dst for p in seen["random"]]
    assert targets == targets[:10] * 3
    assert len(set(targets)) > 5
    assert [len(p) for p in seen["trimmed"]] == [64 + k % 59 for k in range(80)]
    assert [p[IPv6].src for p in seen["neighbour"]] == [f"::{k % 9 + 1}" for k in range(30)]
    for name in ("tuple", "random", "trimmed", "neighbour"):
        assert all(checksums_right(packet) for packet in seen[name]), name
    assert all(ICMPv6ND_NS in packet for packet in seen["neighbour"])
