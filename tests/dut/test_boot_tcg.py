"""The real image, booted over PXE by the emulator: asked, served and booted are one, and it takes commands."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import images
from lab.dut.deploy import deploy
from lab.dut.deployed import RESETS, DeployedDut
from lab.errors import LabError, UsageError
from lab.metrics.hops import restart
from lab.testbed import load

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace: needs root")


@pytest.fixture(scope="module")
def steps() -> list[str]:
    return []


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, steps: list[str]) -> Iterator[DeployedDut]:
    images.build()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIXLAB_ACCELERATOR", "tcg")
        run_dir = tmp_path_factory.mktemp("run")
        image = images.find("pix-padded")
        routes = run_dir / "routes"
        routes.write_text("20.0.0.0/8 via 198.18.0.2\n20.1.0.0/16 via 198.19.0.2\n20.2.0.0/16 via 203.0.113.1\n")
        with deploy(
            load("virtual"), image, vhost_sockets=[], run_dir=run_dir, progress=steps.append, route_file=routes
        ) as booted:
            yield booted


def test_what_booted_is_what_was_asked_for(deployed: DeployedDut, steps: list[str]) -> None:
    record = deployed.boot
    assert record.asked_sha256 == record.served_sha256 == record.booted_sha256 == images.find("pix-padded").digest
    assert record.booted_build_id == images.find("pix-padded").build_id
    assert record.served.sent_at_s is not None
    assert record.accelerator is not None
    assert record.accelerator.accelerator == "tcg"
    assert list(record.phases_s) == ["power on", "PXE", "image start", "proof"]
    assert any("under TCG" in step for step in steps)


def test_router_is_configured_as_the_testbed_says(deployed: DeployedDut) -> None:
    testbed = load("virtual")
    assert [port["mac"] for port in deployed.dut.ports()] == [port.mac for port in testbed.dut.ports]
    listed = " ".join(deployed.dut.command("addr") + deployed.dut.command("route") + deployed.dut.command("neigh"))
    for wanted in ("198.18.0.1/24", "198.19.128.0/17", testbed.generator.ports[1].mac):
        assert wanted in listed


def test_ports_start_and_stop_and_counters_balance(deployed: DeployedDut) -> None:
    deployed.dut.start()
    assert {port["state"] for port in deployed.dut.ports()} == {"started"}
    deployed.dut.stop()
    assert {port["state"] for port in deployed.dut.ports()} == {"stopped"}
    deployed.dut.clear_counters()
    balance = deployed.dut.conservation()
    assert balance is not None
    assert balance.taken_in == balance.accounted_for == 0
    assert deployed.dut.drops() == {}
    assert [qgm.qgm for qgm in deployed.dut.counters().qgms] == [1]


def test_routes_of_the_file_come_and_go_and_those_of_the_testbed_stay(deployed: DeployedDut) -> None:
    dut = deployed.dut
    before = sorted(dut.command("route json"))
    dut.load_routes(2)
    assert "via 198.19.0.2" in dut.command("route lookup 20.1.2.3")[0]
    dut.churn_routes(5)
    assert "via 198.18.0.2" in dut.command("route lookup 20.2.2.3")[0]
    dut.clear_routes()
    assert sorted(dut.command("route json")) == before
    with pytest.raises(LabError, match=r"line 3: the gateway is in no port's network"):
        dut.load_routes(3)
    assert sorted(dut.command("route json")) == before


def test_a_neighbour_is_added(deployed: DeployedDut) -> None:
    deployed.dut.neighbour_add(1, "198.19.0.77", "02:67:00:00:01:77")
    assert any("02:67:00:00:01:77" in line for line in deployed.dut.command("neigh"))


def test_wrong_command_is_refused(deployed: DeployedDut) -> None:
    with pytest.raises(LabError, match="refused"):
        deployed.dut.route_add("10.0.0.0/40", "198.18.0.2")


@pytest.mark.parametrize("kind", [kind for kind in RESETS if kind != "power"])  # restoring is that
def test_after_a_reset_it_is_proved_again_and_as_it_was(deployed: DeployedDut, kind: str) -> None:
    dut = deployed.dut
    dut.neighbour_add(0, "198.18.0.9", "02:67:00:00:00:09")
    dut.route_add("10.9.0.0/16", "198.18.0.9")
    dut.load_routes(2)
    dut.start()
    listings = ("route json", "neigh json", "addr json", "qgm json")
    first, before, listed = deployed.boot, deployed.tally(), [sorted(dut.command(line)) for line in listings]
    assert restart(before, deployed.tally()) == ""
    record = deployed.reset(kind)
    assert record.kind == kind
    assert record.boot is deployed.boot is not first
    assert deployed.boot.booted_sha256 == first.asked_sha256
    assert list(record.phases_s) == ["reset", "power on", "PXE", "image start", "proof", "configuration"]
    assert [sorted(dut.command(line)) for line in listings] == listed
    assert {port["state"] for port in dut.ports()} == {"started"}
    assert restart(before, deployed.tally()).startswith(f"its boot was {before.boot} and is ")
    deployed.restore()
    assert deployed.boot is record.boot, "nothing had to be restored"
    dut.clear_routes()
    dut.route_del("10.9.0.0/16")
    dut.stop()


def test_a_machine_that_has_ended_is_restored_and_an_unknown_reset_refused(deployed: DeployedDut) -> None:
    first = deployed.boot
    with pytest.raises(UsageError, match=r"cannot be reset by 'powr': did you mean 'power'\?"):
        deployed.reset("powr")
    with pytest.raises(LabError, match="console"):
        deployed.dut.command("reboot")
    deployed.restore()
    assert deployed.boot is not first
    assert "198.18.0.1/24" in " ".join(deployed.dut.command("addr"))


def test_an_image_that_does_not_drive_the_cards_of_a_server_is_refused(tmp_path: Path) -> None:
    image = images.find("pix-padded")
    with (
        pytest.raises(UsageError, match="port p0 is a x520, but the image drives virtio-net"),
        deploy(load("lab2"), image, vhost_sockets=[], run_dir=tmp_path, progress=lambda step: None),
    ):
        pass
