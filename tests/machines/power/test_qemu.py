"""Power of a real QEMU, by its monitor. The machine stands still at its start, and so needs no processor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import LabError, TestbedUnreachable
from lab.machines.host import QEMU
from lab.machines.power import connect, qemu
from lab.machines.qmp import Qmp
from lab.testbed.power import QemuPower


@pytest.fixture
def power(tmp_path: Path) -> Iterator[QemuPower]:
    monitor = tmp_path / "monitor"
    start = f"{QEMU} -nodefaults -display none -m 16 -S -daemonize -qmp unix:{monitor},server=on,wait=off"
    described = QemuPower(driver="qemu", monitor=monitor, start=start, limit_s=30)
    yield described
    connect(described).off()


def thread_id(power: QemuPower) -> int:
    monitor = Qmp(power.monitor)
    found: int = monitor.execute("query-cpus-fast")[0]["thread-id"]
    monitor.close()
    return found


def test_a_machine_is_switched(power: QemuPower) -> None:
    server = connect(power)
    assert server.state() == "off"
    server.on()
    assert server.state() == "on"
    server.boot_from_network()
    first = thread_id(power)
    server.cycle()
    assert thread_id(power) != first
    server.off()
    server.close()
    assert server.state() == "off"


def test_a_reset_is_one(power: QemuPower) -> None:
    second = power.monitor.with_name("second")
    server = connect(power.model_copy(update={"start": f"{power.start} -qmp unix:{second},server=on,wait=off"}))
    server.on()
    watching = Qmp(second)
    server.reset()
    assert next(watching.events()) == "RESET"
    watching.close()


def test_a_monitor_that_says_nothing_is_told(power: QemuPower, monkeypatch: pytest.MonkeyPatch) -> None:
    """QEMU speaks with one at a time."""
    monkeypatch.setattr(qemu, "_ANSWER_LIMIT_S", 0.3)
    server = connect(power)
    server.on()
    other = Qmp(power.monitor)
    with pytest.raises(TestbedUnreachable, match=r"does not answer: .* another program holds its monitor"):
        server.off()
    other.close()
    assert server.state() == "on"


def test_a_start_command_that_fails_is_told(power: QemuPower) -> None:
    wrong = power.model_copy(update={"start": f"{power.start} -cpu nonsense"})
    with pytest.raises(LabError, match=r"ended with code 1: .*nonsense"):
        connect(wrong).on()


def test_a_start_command_that_starts_nothing_is_told(power: QemuPower) -> None:
    with pytest.raises(LabError, match=r"the power is still off, 0.3 s after"):
        connect(power.model_copy(update={"start": "true", "limit_s": 0.3})).on()
