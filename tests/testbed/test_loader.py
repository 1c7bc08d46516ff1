"""Every wrong testbed file gets one line that names file, place and remedy."""

from pathlib import Path

import pytest

from lab import paths
from lab.errors import UsageError
from lab.testbed import load
from lab.testbed.power import IpmiPower
from lab.testbed.resources import Qemu, Server

VIRTUAL = (paths.TESTBEDS / "virtual.yaml").read_text(encoding="utf-8")


def refused(tmp_path: Path, text: str) -> str:
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load("mine", tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    assert "mine.yaml" in message
    return message


def changed(old: str, new: str) -> str:
    assert old in VIRTUAL
    return VIRTUAL.replace(old, new, 1)


def test_virtual_testbed_is_wired_port_to_port() -> None:
    testbed = load("virtual")
    assert isinstance(testbed.dut.machine, Qemu)
    assert list(testbed.wiring()) == [(0, 0), (1, 1)]
    assert testbed.peer_of(testbed.dut.ports[1]).name == "g1"
    assert all(testbed.peer_of(port).address.network == port.address.network for port in testbed.dut.ports)


def test_rack_is_complete_and_names_nothing_real() -> None:
    testbed = load("lab2")
    machine = testbed.dut.machine
    assert isinstance(machine, Server)
    assert len(testbed.dut.ports) == len(testbed.generator.ports) == 8
    assert isinstance(machine.power, IpmiPower)
    assert machine.power.address.endswith(".example")


RACK = (paths.TESTBEDS / "lab2.yaml").read_text(encoding="utf-8")
SECOND_HOST = """
  more:
    role: generator
    driver: trex
    machine: {driver: trex-host, address: trex2.lab2.example}
    ports:
"""


def two_hosts() -> str:
    """Move the last four ports of the rack's TRex host to another one."""
    lines = RACK.splitlines()
    ports = [line for line in lines if any(f"name: g{n}," in line for n in (4, 5, 6, 7))]
    text = "\n".join(line for line in lines if line not in ports)
    for number in (4, 5, 6, 7):
        text = text.replace(f"trex.g{number}]", f"more.g{number}]")
    return text.replace("\nlinks:", SECOND_HOST + "\n".join(ports) + "\n\nlinks:")


def test_ports_of_several_trex_hosts_are_numbered_one_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(two_hosts(), encoding="utf-8")
    testbed = load("two", tmp_path)
    assert list(testbed.generators) == ["trex", "more"]
    assert [port.name for port in testbed.generator.ports] == [f"g{number}" for number in range(8)]
    assert list(testbed.wiring()) == [(number, number) for number in range(8)]
    assert testbed.peer_of(testbed.dut.ports[6]).name == "g6"


def test_ports_of_two_hosts_have_their_own_macs(tmp_path: Path) -> None:
    text = two_hosts().replace("02:00:5e:00:54:04", "02:00:5e:00:54:00")
    assert "two ports of the generators have the same mac" in refused(tmp_path, text)


def test_only_trex_hosts_can_be_several(tmp_path: Path) -> None:
    second = SECOND_HOST.replace("{driver: trex-host, address: trex2.lab2.example}", "{driver: local}")
    ports = VIRTUAL.splitlines()
    g0 = next(line for line in ports if "name: g0" in line)
    g1 = next(line for line in ports if "name: g1" in line)
    text = VIRTUAL.replace("\nlinks:", f"{second}{g0}\n{g1}\n\nlinks:")
    assert "only TRex hosts can be several" in refused(tmp_path, text)


def test_unknown_testbed_names_the_near_miss() -> None:
    with pytest.raises(UsageError, match="did you mean 'virtual'"):
        load("virtul")


def test_unknown_key_names_the_near_miss_and_its_line(tmp_path: Path) -> None:
    message = refused(tmp_path, changed("memory_mib", "memory_mb"))
    line = next(i for i, text in enumerate(VIRTUAL.splitlines(), 1) if "memory_mib" in text)
    assert f"line {line}: nodes.dut.machine.memory_mb: unknown key: did you mean 'memory_mib'?" in message


def test_port_named_twice(tmp_path: Path) -> None:
    assert "nodes.dut.ports: two ports have the name 'p0'" in refused(tmp_path, changed("name: p1", "name: p0"))


def test_link_to_a_port_that_does_not_exist(tmp_path: Path) -> None:
    message = refused(tmp_path, changed("dut.p1,", "dut.p7,"))
    assert "names no known port, 'dut.p7'" in message
    assert "dut.p1" in message


def test_port_without_link(tmp_path: Path) -> None:
    assert "'dut.p1' has no link" in refused(tmp_path, changed("  - ends: [dut.p1, generator.g1]\n", ""))


def test_port_with_two_links(tmp_path: Path) -> None:
    assert "'dut.p0' a second time" in refused(tmp_path, changed("dut.p1,", "dut.p0,"))


def test_more_cores_than_there_can_be(tmp_path: Path) -> None:
    message = refused(tmp_path, changed("exclusive_cores: 1", "exclusive_cores: 4000"))
    assert "nodes.dut.machine.exclusive_cores: input should be less than or equal to 16" in message


def test_a_data_port_that_the_machine_boots_by(tmp_path: Path) -> None:
    (tmp_path / "bed.yaml").write_text(
        (paths.TESTBEDS / "lab2.yaml").read_text().replace("mac: 02:00:5e:00:53:ff", 'mac: "02:00:5e:00:53:02"')
    )
    with pytest.raises(UsageError, match=r"ports\[2\].mac: 02:00:5e:00:53:02 is also that of the NIC"):
        load("bed", tmp_path)


@pytest.mark.parametrize(
    ("qgms", "said"),
    [
        ("[1, 2]", "ports[0].qgms: there is no exclusive core 2: the machine has 1 to 1"),
        ("[0]", "there is no exclusive core 0"),
        ("[1, 1]", "core 1 is named twice"),
        ("1", "nodes.dut.ports[0].qgms"),
    ],
)
def test_queue_pair_of_a_core_that_cannot_have_it(tmp_path: Path, qgms: str, said: str) -> None:
    assert said in refused(tmp_path, changed("nic: virtio-net}", f"nic: virtio-net, qgms: {qgms}}}"))


@pytest.mark.parametrize("setting", ["ring_length: 100", "batch: 65", "batch: 0"])
def test_setting_that_the_image_cannot_have(tmp_path: Path, setting: str) -> None:
    message = refused(tmp_path, changed("exclusive_cores: 1", f"exclusive_cores: 1\n      {setting}"))
    assert f"nodes.dut.machine.{setting.split(':')[0]}" in message


def test_ports_are_dealt_to_cores_where_nothing_is_said(tmp_path: Path) -> None:
    text = changed("exclusive_cores: 1", "exclusive_cores: 2").replace(
        "nic: virtio-net}", "nic: virtio-net, qgms: [2, 1]}", 1
    )
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    pairs = load("mine", tmp_path).dut.queue_pairs()
    assert [(pair.core, pair.port, pair.queue) for pair in pairs] == [(2, 0, 0), (1, 0, 1), (2, 1, 0)]
    assert [(pair.core, pair.port) for pair in load("virtual8").dut.queue_pairs()] == [(n + 1, n) for n in range(8)]


def test_wrong_type(tmp_path: Path) -> None:
    assert "nodes.dut.machine.memory_mib" in refused(tmp_path, changed("memory_mib: 512", "memory_mib: much"))


def test_mac_that_yaml_reads_as_a_number(tmp_path: Path) -> None:
    assert "put it in quotes" in refused(tmp_path, changed('"52:54:00:12:00:00"', "52:54:00:12:00:00"))


def test_missing_key(tmp_path: Path) -> None:
    assert "nodes.dut.machine.memory_mib: the key is missing" in refused(tmp_path, changed("memory_mib: 512\n", "\n"))


def test_wrong_kind(tmp_path: Path) -> None:
    assert "kind" in refused(tmp_path, changed("kind: virtual", "kind: cloud"))
    assert "a rack testbed cannot have" in refused(tmp_path, changed("kind: virtual", "kind: rack"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("# nothing but a comment\n", "the file is empty"),
        ("kind: [virtual", "not YAML"),
        ("- a\n- b\n", "no mapping"),
        ("kind: virtual\nkind: rack\n", "line 2: the key 'kind' was already given in line 1"),
        ("name: other\n", "named by its file"),
    ],
)
def test_not_a_testbed_at_all(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, text)
