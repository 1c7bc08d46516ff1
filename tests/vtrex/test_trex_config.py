"""TRex's configuration file: what it means to this generator, and what is refused in one line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from lab.errors import UsageError
from lab.vtrex import config_example, trex_config
from lab.vtrex.layer import Layer

HEAD = "- version: 2\n  interfaces: [vhost:/tmp/v0, vhost:/tmp/v1]\n"


def said(folder: Path, text: str, port_limit: int | None = None, threads: int | None = None) -> dict[str, Any]:
    file = folder / "trex_cfg.yaml"
    file.write_text(text)
    return trex_config.said_in(file, port_limit, threads)


def test_the_example_is_what_its_comments_say(tmp_path: Path) -> None:
    asked = said(tmp_path, config_example.TEXT)
    assert (asked["ports"], asked["line_rate_gbps"]) == (("wire", "wire"), 10.0)
    everything = re.sub(r"^  # ( *(?:[a-z_]+:|- \{))", r"  \1", config_example.TEXT, flags=re.MULTILINE)
    asked = said(tmp_path, everything)
    assert asked["layers"] == (
        Layer(bytes.fromhex("020000000001"), bytes.fromhex("020000000002"), None, None, None),
        Layer(None, None, "198.18.1.2", "198.18.1.1", 100),
    )
    assert (asked["rpc_port"], asked["async_port"], asked["prefix"]) == (4501, 4500, "vtrex")
    assert (asked["housekeeping_core"], asked["core"]) == (0, "1")


@pytest.mark.parametrize(
    ("c", "threads", "core"),
    [("", None, "2,5"), ("  c: 2\n", None, "2,3,5,6"), ("  c: 2\n", 1, "2,5"), ("", 3, "2,3,4,5")],
)
def test_polling_threads_are_on_the_first_cpus_of_each_pair(
    tmp_path: Path, c: str, threads: int | None, core: str
) -> None:
    text = "- version: 2\n  interfaces: [a, b, c, d]\n  platform:\n    dual_if:\n"
    text += "    - {socket: 0, threads: [2, 3, 4]}\n    - {socket: 0, threads: [5, 6, 7]}\n" + c
    assert said(tmp_path, text, threads=threads)["core"] == core


def test_more_threads_than_cpus_are_refused(tmp_path: Path) -> None:
    text = HEAD + "  c: 2\n  platform: {dual_if: [{threads: [1]}]}\n"
    with pytest.raises(UsageError, match=r"platform\.dual_if\.0\.threads: 1 CPUs for 2 threads"):
        said(tmp_path, text)


@pytest.mark.parametrize(
    ("interfaces", "ports"),
    [
        ('["vhost:/tmp/v0,queues=2"]', ("vhost:/tmp/v0,queues=2",)),
        ("[veth0, veth1]", ("af_packet:veth0", "af_packet:veth1")),
        ('["--vdev=net_af_packet0,iface=veth0,framecnt=4096"]', ("af_packet:veth0",)),
        ('["--vdev=net_af_packet0,iface=t,qdisc_bypass=0"]', ("af_packet:t,qdisc_bypass=0",)),
        ('["03:00.0", "0000:0A:00.1"]', ("dpdk:0000:03:00.0", "dpdk:0000:0A:00.1")),
        ('["--vdev=net_memif0,socket=/tmp/m"]', ("dpdk:net_memif0,socket=/tmp/m",)),
        ("[ring, ring]", ("ring", "ring")),
        ("[veth0, dummy]", ("af_packet:veth0",)),
    ],
)
def test_interfaces_are_ports(tmp_path: Path, interfaces: str, ports: tuple[str, ...]) -> None:
    assert said(tmp_path, f"- version: 2\n  interfaces: {interfaces}\n")["ports"] == ports


def test_addresses_of_digits_and_lists_are_addresses(tmp_path: Path) -> None:
    info = "  port_info:\n  - {dest_mac: 10:20:30:40:50:51, src_mac: [0x2, 0, 0, 0, 0, 0x1f]}\n"
    (layer,) = said(tmp_path, HEAD + info)["layers"]
    assert (layer.peer_mac.hex(), layer.mac.hex()) == ("102030405051", "02000000001f")


def test_a_limit_of_ports_takes_the_first_ones_and_their_addresses(tmp_path: Path) -> None:
    text = HEAD + "  port_limit: 2\n  port_info: [{ip: 1.1.1.1, default_gw: 1.1.1.2}, {dest_mac: 00:00:00:00:00:05}]\n"
    asked = said(tmp_path, text, port_limit=1)
    assert asked["ports"] == ("vhost:/tmp/v0",)
    assert asked["layers"] == (Layer(None, None, "1.1.1.1", "1.1.1.2", None),)


def test_a_low_end_server_is_patient(tmp_path: Path) -> None:
    assert said(tmp_path, HEAD)["gap_limit_us"] is None
    low_end = said(tmp_path, HEAD + "  low_end: true\n")
    assert (low_end["gap_limit_us"], low_end["start_delay_ms"]) == (10_000.0, 50.0)


def test_keys_without_effect_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(tmp_path, HEAD + "  low_end: true\n  c: 4\n  memory: {mbuf_64: 1}\n  platform: {latency_thread_id: 2}\n")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("without effect here: c, memory, platform.latency_thread_id")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no list"),
        ("version: 2\n", "no list"),
        ("- a: [\n", "not YAML"),
        (HEAD + HEAD, "a list of 2"),
        ("- 7\n", "keys with values"),
        ("- interfaces: [a]\n", "version: field required"),
        ("- version: 3\n  interfaces: [a]\n", "version: "),
        ("- version: 2\n", "interfaces: field required"),
        ("- version: 2\n  interfaces: []\n", "interfaces: "),
        ("- version: 2\n  interfaces: [dummy, veth0]\n", "'dummy' may only follow"),
        ("- version: 2\n  interfaces: [dummy]\n", "there must be one"),
        ("- version: 2\n  interfaces: [wire, veth0]\n", "two joined ports"),
        ("- version: 2\n  interfaces: [a, b, c, d, e, f, g, h, i]\n", "8 ports at most"),
        ("- version: 2\n  interfaces: ['vhots:/tmp/v0']\n", "vhots"),
        (HEAD + "  port_limits: 2\n", "unknown key 'port_limits': did you mean 'port_limit'?"),
        (HEAD + "  port_limit: 3\n", "port_limit is 3, but there are 2 interfaces"),
        (HEAD + "  port_limit: many\n", "port_limit: "),
        (HEAD + "  port_info: [{dst_mac: 00:00:00:00:00:01}]\n", "did you mean 'dest_mac'?"),
        (HEAD + "  port_info: [{dest_mac: 00:00:00:00:00}]\n", "port_info.0.dest_mac: '00:00:00:00:00' is no MAC"),
        (HEAD + "  port_info: [{dest_mac: [1, x]}]\n", "port_info.0.dest_mac: "),
        (HEAD + "  port_info: [{ip: 1.2.3.400}]\n", "port_info.0.ip: '1.2.3.400' is no IPv4 address"),
        (HEAD + "  port_info: [{default_gw: 1.2.3.4}]\n", "default_gw needs an ip"),
        (HEAD + "  port_info: [{vlan: 4095}]\n", "port_info.0.vlan: "),
        (HEAD + "  port_info: [{}, {}, {}]\n", "3 entries for 2 interfaces"),
        (HEAD + "  port_bandwidth_gb: 0\n", "port_bandwidth_gb: "),
        (HEAD + "  zmq_rpc_port: 99999\n", "zmq_rpc_port: "),
        (HEAD + "  platform: {dual_if: [{socket: 0}]}\n", "platform.dual_if.0.threads: field required"),
        (HEAD + "  platform: {master_thread: 0}\n", "did you mean 'master_thread_id'?"),
        (HEAD + "  platform: 7\n", "platform: keys with values"),
    ],
)
def test_a_wrong_file_is_one_line_that_says_where(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        said(tmp_path, text)
    line = str(caught.value)
    assert "trex_cfg.yaml: " in line
    assert says in line
    assert "\n" not in line


def test_a_missing_file_names_the_example(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file or directory; `pixlab vtrex config`"):
        trex_config.said_in(tmp_path / "none.yaml")
