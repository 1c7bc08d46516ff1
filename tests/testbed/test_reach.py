"""A rack that does not answer is named in one line, in time; one that answers passes."""

import socket
import threading
import time

import pytest

from lab.errors import TestbedUnreachable
from lab.testbed import Testbed, load, reach
from lab.testbed.consoles import SolConsole
from lab.testbed.power import IpmiPower
from lab.testbed.resources import Server, TrexHost


def rack(bmc_port: int, trex_port: int, interface: str) -> Testbed:
    """Put the rack of lab2 at ports of this machine."""
    testbed = load("lab2")
    machine = testbed.dut.machine
    assert isinstance(machine, Server)
    assert isinstance(machine.power, IpmiPower)
    assert isinstance(machine.console, SolConsole)
    bmc = {"address": "127.0.0.1", "port": bmc_port}
    server = machine.model_copy(
        update={
            "power": machine.power.model_copy(update=bmc),
            "console": machine.console.model_copy(update=bmc),
            "boot": machine.boot.model_copy(update={"interface": interface}),
        }
    )
    host = TrexHost(driver="trex-host", address="127.0.0.1", rpc_port=trex_port, async_port=trex_port)
    nodes = {
        "dut": testbed.dut.model_copy(update={"machine": server}),
        "trex": testbed.generator.model_copy(update={"machine": host}),
    }
    return testbed.model_copy(update={"nodes": nodes})


def test_absent_rack_is_named_in_one_line_within_ten_seconds() -> None:
    begun_s = time.monotonic()
    with pytest.raises(TestbedUnreachable) as caught:
        reach.check_reachable(load("lab2"))
    assert time.monotonic() - begun_s < 10
    message = str(caught.value)
    assert "\n" not in message
    for part in (
        "power (BMC dut-bmc.lab2.example",
        "console (BMC",
        "interface boot-lab2",
        "TRex RPC (trex.lab2.example",
    ):
        assert part in message


def test_silent_machines_do_not_hold_it_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        begun_s = time.monotonic()
        reached = reach.check(rack(silent.getsockname()[1], 1, "lo"), timeout_s=1.0)
        assert time.monotonic() - begun_s < 5
    problems = {part.what.split(" (")[0]: part.problem for part in reached}
    assert problems["power"] == "no answer within 1 s"
    assert problems["boot network"] == ""
    assert "refused" in problems["TRex RPC"]


def test_answering_rack_passes() -> None:
    def answer(bmc: socket.socket) -> None:
        for _ in range(2):
            ping, asker = bmc.recvfrom(64)
            bmc.sendto(ping[:8] + b"\x40" + ping[9:], asker)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bmc, socket.create_server(("127.0.0.1", 0)) as trex:
        bmc.bind(("127.0.0.1", 0))
        threading.Thread(target=answer, args=(bmc,), daemon=True).start()
        reach.check_reachable(rack(bmc.getsockname()[1], trex.getsockname()[1], "lo"))


def test_virtual_testbed_asks_nobody() -> None:
    assert reach.check(load("virtual")) == ()
