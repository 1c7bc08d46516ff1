"""A virtual server boots over PXE, is handed over, pinned, power-cycled, and never outlives its parent."""

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.machines import cores, host
from lab.machines.deadline import Deadline
from lab.machines.spec import DataPort, MachineSpec
from lab.machines.virtual import VirtualServer
from lab.netboot.network import TAP, BootNetwork
from lab.netboot.service import BootService
from tests.machines import nbp

MAC = "52:54:00:77:00:ff"
SPEC = MachineSpec(
    memory_mib=64,
    exclusive_cores=1,
    boot_mac=MAC,
    boot_tap=TAP,
    data_ports=(DataPort(mac="52:54:00:77:00:00"), DataPort(mac="52:54:00:77:00:01")),
    queue_size=256,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace: needs root")


def plan(accelerator: host.Accelerator) -> host.AcceleratorPlan:
    return host.AcceleratorPlan(accelerator=accelerator, reason="chosen by the test", qemu_version=host.qemu_version())


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[BootNetwork, BootService]]:
    with (
        BootNetwork() as network,
        BootService(network.place, {"nbp": nbp.build(tmp_path)}, MAC, tmp_path, tmp_path / "netboot.log") as boot,
    ):
        yield network, boot


def echoed(server: VirtualServer, text: str) -> None:
    server.console.write(text)
    server.console.read_until(text, Deadline(5), server.require_running)


def test_pxe_boot_hand_over_and_power_cycle(tmp_path: Path, service: tuple[BootNetwork, BootService]) -> None:
    network, boot = service
    kvm = os.access("/dev/kvm", os.R_OK | os.W_OK)
    core_plan = cores.plan(1)
    server = VirtualServer(SPEC, plan("tcg-then-kvm" if kvm else "tcg"), core_plan, network.enter, tmp_path, tmp_path)
    server.power_on()
    try:
        server.console.read_until("nbp ready", Deadline(30), server.require_running)
        echoed(server, "under the emulator")
        served = boot.record()
        assert served.sent[0].sha256 == hashlib.sha256((tmp_path / "nbp").read_bytes()).hexdigest()
        assert served.requested_at_s and served.address_given_at_s and served.sent_at_s
        assert served.requested_at_s <= served.address_given_at_s <= served.sent_at_s
        if kvm:
            server.hand_over()
            echoed(server, "under KVM")
        tids = server.vcpu_tids()
        assert os.sched_getaffinity(tids[0]) == os.sched_getaffinity(tids[1]) == set(core_plan.exclusive)
        server.settle()
        assert os.sched_getaffinity(tids[1]) == set(core_plan.exclusive)
        assert os.sched_getaffinity(tids[0]) == {core_plan.housekeeping}
        server.console.write("!")
        assert server.wait_off(5.0), "a reset must end the machine"
        with pytest.raises(LabError, match="QEMU ended with code 0"):
            server.require_running()
        boot.forget()
        server.power_on()
        server.console.read_until("nbp ready", Deadline(30), server.require_running)
        log = (tmp_path / "console.log").read_text(encoding="ascii")
        assert len(re.findall(r"^\d+\.\d{6} nbp ready$", log, re.MULTILINE)) == 2, "of both boots, with their times"
        assert "under KVM" in log or not kvm, "of both sides of the hand-over"
    finally:
        server.power_off()
    with pytest.raises(LabError, match="off"):
        server.require_running()


def test_qemu_that_does_not_start_says_why(tmp_path: Path) -> None:
    absent = {"data_ports": (DataPort(mac=MAC, vhost_socket=tmp_path / "absent"),)}
    odd = {"data_ports": (DataPort(mac=MAC),), "queue_size": 300}
    for update, says in (
        (absent, "no generator listens at .*absent"),
        (odd, "QEMU ended with code 1: .*rx_queue_size"),
    ):
        with BootNetwork() as network:
            spec = SPEC.model_copy(update=update)
            server = VirtualServer(spec, plan("tcg"), cores.plan(1), network.enter, tmp_path, tmp_path)
            with pytest.raises(LabError, match=says):
                server.power_on()
            server.power_off()


KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, "")
from lab.machines import cores
from lab.machines.virtual import VirtualServer
from lab.netboot.network import BootNetwork
from lab.netboot.service import BootService
from tests.machines.test_virtual import MAC, SPEC, plan
folder = Path(sys.argv[1])
network = BootNetwork()
service = BootService(network.place, {"nbp": folder / "nbp"}, MAC, folder, folder / "netboot.log")
server = VirtualServer(SPEC, plan("tcg"), cores.plan(1), network.enter, folder, folder)
server.power_on()
print("on", flush=True)
time.sleep(60)
"""


def test_nothing_is_left_of_a_killed_run(tmp_path: Path) -> None:
    nbp.build(tmp_path)
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, cwd=root) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"on\n"
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text(encoding="ascii").split()
        assert len(children) == 3, "the namespace's holder, dnsmasq and QEMU"
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    deadline = Deadline(5)
    while any(Path(f"/proc/{child}/exe").exists() for child in children):
        assert not deadline.passed, "a child lives on after its parent was killed"
        time.sleep(0.02)
    assert not list(Path("/dev/shm").glob("*guest-memory*"))
