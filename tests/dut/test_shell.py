"""What the lab makes of the shell's answers, also of broken ones."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab.dut.pix import PixDut
from lab.dut.shell import Shell
from lab.errors import DutError, LabError
from lab.machines.consoles import open_console
from lab.machines.protocol import ConsoleLink
from lab.metrics.hops import PortTally, Tally
from lab.testbed import load
from lab.testbed.consoles import QemuConsole
from tests.dut.far_end import FarEnd

ANSWERS = {
    "help": "help | version\nports | cores\n",
    "route add nonsense": "usage: route add PREFIX/LEN via A.B.C.D\n",
    "ports json": '{"port":0}\n[  12.345678] ring 0: link up\n{"port":1}\n',
    "cores json": "not json\n",
    "version json": '{"name":"pix-padded"}\n',
    "counters json": '{"scope":"port","port":0,"rx_packets":5,"rx_bytes":300,"tx_packets":3,"tx_bytes":180,'
    '"drops":{"no_route":1,"runt":0}}\n{"scope":"qgm","qgm":1,"busy_cycles":9,"busy_packets":5,"polls":7,'
    '"empty_polls":2,"originated":1,"consumed":1,"held":1,"ring_in":0,"ring_out":0,"new":4}\n',
    "tally json": '{"booted":77,"originated":1,"consumed":2,"held":3,"ports":[{"rx":5,"tx":3,"drops":{"runt":1}}]}\n',
    "stop": "SILENCE",
    "hang": "HANG UP",
}


@pytest.fixture
def far_end(tmp_path: Path) -> Iterator[FarEnd]:
    end = FarEnd(tmp_path / "line", ANSWERS)
    yield end
    end.close()


def console(folder: Path) -> ConsoleLink:
    line = QemuConsole(driver="qemu", path=folder / "line")
    return open_console(line, folder / "console.log", reconnect_s=0)


@pytest.fixture
def shell(far_end: FarEnd, tmp_path: Path) -> Shell:
    return Shell(console(tmp_path), "pix> ", lambda: None)


@pytest.fixture
def dut(shell: Shell) -> PixDut:
    return PixDut(shell)


def test_answers_come_without_echo_and_prompt(shell: Shell) -> None:
    assert shell.run("help") == ["help | version", "ports | cores"]
    assert shell.run("neigh flush") == []


def test_commands_of_several_threads_take_turns(shell: Shell) -> None:
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(shell.run, ["help", "ports json"] * 20))
    assert told[::2] == [["help | version", "ports | cores"]] * 20
    assert told[1::2] == [['{"port":0}', '{"port":1}']] * 20


def test_refused_command_is_an_error_with_its_usage_line(shell: Shell) -> None:
    assert shell.run("route add nonsense") == ["usage: route add PREFIX/LEN via A.B.C.D"]
    with pytest.raises(DutError, match="refused 'route add nonsense': usage: route add"):
        shell.tell("route add nonsense")


def test_tally_is_one_object_that_is_known(dut: PixDut, monkeypatch: pytest.MonkeyPatch) -> None:
    port = PortTally(port=0, rx_frames=5, tx_frames=3, drops={"runt": 1})
    assert dut.tally() == Tally(boot="77", ports=(port,), originated=1, consumed=2, held=3, complete=True)
    for broken in ('{"booted":77}\n', "", '{"booted":77,"originated":1,"consumed":2,"held":3,"ports":[{"rx":5}]}\n'):
        monkeypatch.setitem(ANSWERS, "tally json", broken)
        with pytest.raises(DutError, match="tally is unknown to the lab"):
            dut.tally()


def test_messages_of_the_kernel_are_no_answers(dut: PixDut) -> None:
    assert dut.ports() == [{"port": 0}, {"port": 1}]


def test_broken_json_is_named(dut: PixDut) -> None:
    with pytest.raises(DutError, match="no JSON: 'not json'"):
        dut.cores()


def test_a_version_without_digest_proves_nothing(dut: PixDut) -> None:
    with pytest.raises(DutError, match="does not tell the SHA-256"):
        dut.version()


def test_counters_add_up(dut: PixDut) -> None:
    assert dut.drops() == {"no_route": 1}
    balance = dut.conservation()
    assert balance.taken_in == balance.accounted_for == 6


def test_silence_is_an_error_with_the_last_lines(shell: Shell) -> None:
    shell.run("help")
    with pytest.raises(DutError, match=r"within 0\.2 s; its last lines: .*ports \| cores"):
        shell.run("stop", timeout_s=0.2)


def test_hung_up_console_is_an_error(shell: Shell) -> None:
    with pytest.raises(DutError, match="closed its console"):
        shell.run("hang")


def test_dead_machine_ends_the_waiting(far_end: FarEnd, tmp_path: Path) -> None:
    def dead() -> None:
        raise LabError("QEMU ended with code 1")

    with pytest.raises(LabError, match="QEMU ended"):
        Shell(console(tmp_path), "pix> ", dead).run("stop", timeout_s=30)


def test_configuration_of_the_virtual_testbed(dut: PixDut, far_end: FarEnd) -> None:
    testbed = load("virtual")
    dut.configure(testbed.dut, [testbed.peer_of(port) for port in testbed.dut.ports])
    assert far_end.asked == [
        "addr add 0 198.18.0.1/24",
        "neigh add 0 198.18.0.2 02:00:00:12:00:00",
        "addr add 1 198.19.0.1/24",
        "neigh add 1 198.19.0.2 02:00:00:12:00:01",
        "route add 198.18.128.0/17 via 198.18.0.2",
        "route add 198.19.128.0/17 via 198.19.0.2",
    ]


def test_several_cores_are_told_their_queue_pairs_before_anything_else(dut: PixDut, far_end: FarEnd) -> None:
    testbed = load("virtual")
    node = testbed.dut
    machine = node.machine.model_copy(update={"exclusive_cores": 3, "ring_length": 64, "batch": 8})
    second = node.ports[1].model_copy(update={"qgms": (3, 2)})
    node = node.model_copy(update={"machine": machine, "ports": (node.ports[0], second)})
    dut.configure(node, [testbed.peer_of(port) for port in testbed.dut.ports])
    assert far_end.asked[:6] == [
        "set ring_length 64",
        "set batch 8",
        "qgm add 1 0/0",
        "qgm add 3 1/0",
        "qgm add 2 1/1",
        "addr add 0 198.18.0.1/24",
    ]


def test_a_shell_of_a_machine_that_was_switched_off_says_so(shell: Shell) -> None:
    shell.close()
    with pytest.raises(DutError, match="the console has been closed"):
        shell.run("help")
