"""Power by an outlet of a PDU, with a real SNMP agent (net-snmp's snmpd) whose outlet is a program."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import LabError, TestbedUnreachable
from lab.machines.power import connect, pdu
from lab.rackbox.child import Child
from lab.testbed.power import PduPower
from tests.machines.power.machine import SECRET, Machine, credentials, free_port

APC = "1.3.6.1.4.1.318.1.1.4.4.2.1.3"
READ_ONLY = "looks-0nly"

# snmpd calls it with -g OID, or -s OID TYPE VALUE (snmpd.conf(5), pass). Outlet 3 is a machine's, outlet 4 is odd.
_OUTLETS = """\
#!/bin/sh
oid=$2
case "$1 $oid" in
"-g .{apc}.3") [ "$({machine} state)" = on ] && value=1 || value=2 ;;
"-g .{apc}.4") value=7 ;;
"-s .{apc}.3")
    case "$3 $4" in
    "integer 1") {machine} on >/dev/null 2>&1 ;;
    "integer 2") {machine} off >/dev/null 2>&1 ;;
    *) echo wrong-type ;;
    esac
    exit ;;
"-s "*) echo not-writable; exit ;;
*) exit ;;
esac
printf '%s\\ninteger\\n%s\\n' "$oid" "$value"
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with Machine(tmp_path_factory.mktemp("pdu") / "machine") as described:
        yield described


@pytest.fixture(scope="module")
def agent(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Child, int]]:
    folder = tmp_path_factory.mktemp("agent")
    outlets = folder / "outlets"
    outlets.write_text(_OUTLETS.format(apc=APC, machine=shlex.join(machine.program)))
    outlets.chmod(0o700)
    config = folder / "snmpd.conf"
    config.touch(mode=0o600)
    config.write_text(
        f"rwcommunity {SECRET} 127.0.0.1\nrocommunity {READ_ONLY} 127.0.0.1\npass .{APC} /bin/sh {outlets}\n"
        f"[snmp] persistentDir {folder}\n"
    )
    port = free_port(socket.SOCK_DGRAM)
    program = shutil.which("snmpd") or "/usr/sbin/snmpd"
    command = [program, "-f", "-C", "-c", str(config), "-Lo", "-I", "-smux", f"127.0.0.1:{port}"]
    secret = credentials(folder, SECRET)
    asked = PduPower(driver="pdu", address="127.0.0.1", port=port, outlet=3, credentials=secret)

    def serves() -> bool:
        try:
            return connect(asked).state() == "off"
        except TestbedUnreachable:
            return False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pdu, "_ANSWER_LIMIT_S", 0.2)
        running = Child("snmpd", command, folder / "snmpd.log", serves)
    with running:
        yield running, port


@pytest.fixture
def power(agent: tuple[Child, int], tmp_path: Path) -> PduPower:
    given = {"driver": "pdu", "address": "127.0.0.1", "port": agent[1], "outlet": 3, "off_s": 0, "limit_s": 5}
    return PduPower.model_validate({**given, "credentials": credentials(tmp_path, SECRET)})


def with_(power: PduPower, **values: object) -> PduPower:
    return power.model_copy(update=values)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdu, "_ANSWER_LIMIT_S", 0.1)


def test_an_outlet_is_switched(machine: Machine, power: PduPower) -> None:
    before = len(machine.told)
    server = connect(power)
    server.boot_from_network()
    server.on()
    assert (server.state(), machine.state) == ("on", "on")
    server.reset()
    assert machine.state == "on"
    server.off()
    server.close()
    server.close()
    assert (server.state(), machine.state) == ("off", "off")
    assert machine.told[before:] == ["on", "off", "on", "off"], "it has no reset line"


def test_an_outlet_that_does_not_change_is_told(machine: Machine, power: PduPower) -> None:
    with machine.stuck(), pytest.raises(LabError, match=r"outlet 3 .* the power is still off, 0.3 s after"):
        connect(with_(power, limit_s=0.3)).on()


@pytest.mark.usefixtures("impatient")
def test_a_wrong_community_is_told_without_it(power: PduPower, tmp_path: Path) -> None:
    wrong = with_(power, credentials=credentials(tmp_path, f"wrong-{SECRET}"))
    with pytest.raises(TestbedUnreachable, match="whether the community may read and write there") as caught:
        connect(wrong).state()
    assert SECRET not in str(caught.value)


def test_a_community_that_may_only_read_is_told(power: PduPower, tmp_path: Path) -> None:
    looks = connect(with_(power, credentials=credentials(tmp_path, READ_ONLY)))
    assert looks.state() == "off"
    with pytest.raises(LabError, match=r"switching was refused: .*check outlet and outlet_oid") as caught:
        looks.on()
    assert READ_ONLY not in str(caught.value)


def test_an_outlet_that_is_not_there_is_told(power: PduPower) -> None:
    with pytest.raises(LabError, match=r"outlet 99 .* its state is '.*', which is neither on .1. nor off .2."):
        connect(with_(power, outlet=99)).state()
    with pytest.raises(LabError, match="its state is '7', which is neither"):
        connect(with_(power, outlet=4)).state()


@pytest.mark.usefixtures("impatient")
def test_a_pdu_that_falls_silent_is_told(agent: tuple[Child, int], power: PduPower) -> None:
    server = connect(power)
    assert server.state() == "off"
    os.kill(agent[0].pid, signal.SIGSTOP)
    try:
        with pytest.raises(TestbedUnreachable, match="does not answer"):
            server.on()
    finally:
        os.kill(agent[0].pid, signal.SIGCONT)


def test_a_pdu_whose_name_is_not_known_is_told(power: PduPower) -> None:
    with pytest.raises(TestbedUnreachable, match="name or service not known: check its address"):
        connect(with_(power, address="pdu.invalid")).state()
