"""The shell of the booted image: what booted, the listings, wrong commands, start and stop."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.image.machine import Machine


def test_booted_image_is_the_file(machine: Machine, built: Path) -> None:
    """The machine measures the digest of the bytes that it was sent."""
    (version,) = machine.objects("version")
    manifest = json.loads((built / f"{version['name']}.manifest.json").read_text())
    assert version["sha256"] == hashlib.sha256((built / version["name"]).read_bytes()).hexdigest() == manifest["sha256"]
    assert {key: version[key] for key in ("layout", "build_id", "version")} == {
        key: manifest[key] for key in ("layout", "build_id", "version")
    }
    assert version["boot_tsc_cycles"] > 0


def test_ready_text_comes_before_the_first_prompt(machine: Machine) -> None:
    assert machine.log.index(b"pix ready\r\n") < machine.log.index(b"\r\npix> ")


def test_cores(machine: Machine) -> None:
    cores = machine.objects("cores")
    assert [(core["core"], core["role"]) for core in cores] == [(0, "generic"), (1, "exclusive")]
    assert cores[0]["apic_id"] != cores[1]["apic_id"]


def test_ports_are_the_data_cards_in_their_order(machine: Machine) -> None:
    """The card that it booted from is none of them."""
    ports = machine.objects("ports")
    assert [(port["mac"], port["pci"]) for port in ports] == [
        ("52:54:00:00:00:01", "00:04.0"),
        ("52:54:00:00:00:02", "00:05.0"),
    ]


def test_idle_machine_halts(machine: Machine) -> None:
    """A boot core that spins would take the processor from the exclusive core."""
    before_s = machine.busy_s()
    assert machine.is_silent(0, duration_s=2.0)
    assert machine.busy_s() - before_s < 0.5


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("frobnicate", "error: unknown command"),
        ("addr add 0", "usage: addr [json] | addr add PORT"),
        ("addr add 7 10.0.0.1/24", "error: no port 7"),
        ("addr add 0 10.0.0.256/24", "error: 10.0.0.256/24 is not an address"),
        ("addr add 0 10.0.0.0/24", "error: this is no host's address"),
        ("addr del 0", "error: the port has no address"),
        ("route add 10.0.0.0/8 over 10.0.0.2", "usage: route add"),
        ("route add 10.0.0.0/33 via 10.0.0.2", "error: 10.0.0.0/33 is not a prefix"),
        ("route add 172.16.0.0/12 via 9.9.9.9", "error: the gateway is in no port's network"),
        ("route del 172.16.0.0/12", "error: there is no route"),
        ("neigh add 0 10.0.0.2 52:54", "error: 52:54 is not a host's address"),
        ("neigh add 0 10.0.0.2 01:00:5e:00:00:01", "error: 01:00:5e:00:00:01 is not a host's address"),
        ("start now", "usage: start"),
        ("qgm add 9 0", "error: no exclusive core 9: there are 1 to 1"),
        ("qgm add 0 0", "error: no exclusive core 0: there are 1 to 1"),
        ("qgm add 1 5", "error: no port 5: there are 0 to 1"),
        ("qgm add 1 0/1", "error: no queue 1 of port 0: it has 1"),
        ("qgm del 1", "error: queue 0 of port 1 has no QGM"),
        ("set ring_length 100", "error: ring_length is a power of two, not 100"),
        ("set batch 65", "error: batch is 1 to 64, not 65"),
        ("set speed 9", "error: no setting speed"),
        ("stop", "error: not started"),
        ("bench ring", "error: it takes two exclusive cores, and there are fewer"),
        ("version xml", "usage: version [json]"),
        ("help json", "usage: help"),
        ("a b c d e f g h i j k l m n o p", "error: unknown command a"),
    ],
)
def test_wrong_command_gets_one_line(machine: Machine, line: str, says: str) -> None:
    answer = machine.command(line)
    assert len(answer) == 1
    assert answer[0].startswith(says)


def test_routes_come_and_go_with_addresses(machine: Machine) -> None:
    machine.ok("addr add 0 10.0.0.1/24")
    machine.ok("route add 172.16.0.0/12 via 10.0.0.2")
    assert machine.command("route add 172.16.0.0/12 via 10.0.0.3")[0].startswith("error: there is a route")
    assert machine.command("route add 172.16.0.1/12 via 10.0.0.2")[0].startswith("error: the prefix has bits set")
    assert machine.command("route del 10.0.0.0/24")[0].startswith("error: 10.0.0.0/24 comes with a port's address")
    assert machine.command("addr add 1 10.0.0.129/25")[0].startswith("error: the network overlaps")
    routes = {route["prefix"]: route for route in machine.objects("route")}
    assert routes["172.16.0.0/12"] == {"prefix": "172.16.0.0/12", "kind": "static", "port": 0, "via": "10.0.0.2"}
    assert routes["10.0.0.0/24"]["kind"] == "connected"
    assert routes["10.0.0.1/32"]["kind"] == "local"
    assert routes["10.0.0.255/32"]["kind"] == "broadcast"
    assert machine.objects("addr") == [{"port": 0, "address": "10.0.0.1/24"}]
    machine.ok("addr del 0")
    assert machine.objects("route") == []
    assert machine.objects("addr") == []


def test_static_neighbour_survives_a_flush(machine: Machine) -> None:
    machine.ok("neigh add 1 10.0.1.9 02:00:00:00:00:09")
    machine.ok("neigh flush")
    (neighbour,) = machine.objects("neigh")
    assert neighbour == {"port": 1, "address": "10.0.1.9", "state": "static", "mac": "02:00:00:00:00:09"}


def test_line_editing(machine: Machine) -> None:
    """Backspace takes a character back, and a line longer than the buffer does no harm."""
    assert machine.type(b"coresx\b\r")[-2:] == machine.command("cores")
    assert machine.type(b"x" * 1000 + b"\r")[-1].startswith("error: unknown command xxx")
    assert machine.type(b"cores\r\n")[-2:] == machine.command("cores")


def test_start_and_stop_again_and_again(machine: Machine) -> None:
    for _ in range(3):
        machine.ok("start")
        assert machine.command("start") == ["error: started already"]
        assert {port["state"] for port in machine.objects("ports")} == {"started"}
        assert machine.objects("cores")[1]["state"] == "running"
        machine.ok("stop")
        assert {port["state"] for port in machine.objects("ports")} == {"stopped"}
        assert machine.objects("cores")[1]["state"] == "parked"


def test_without_a_route_file_the_boot_goes_on(machine: Machine) -> None:
    (said,) = machine.command("route load")
    assert said == "error: there is no route file: the boot service has none beside the image (PXE status 0x3b)"
    assert b"warning" not in machine.log
