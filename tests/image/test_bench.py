"""The microbenchmarks in the image: on parked exclusive cores, from the shell, verified; nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from lab.microbench.host import HostBench, cpus
from lab.microbench.model import Bench, Layout, Request, Window, latencies, run
from tests.image import boot_disk
from tests.image.debugger import jump
from tests.image.machine import Machine
from tests.image.router import Router, datagram
from tests.image.test_faults import symbol

EXCLUSIVE = 3
TRIES = 100


class Bench3:
    """A machine of three exclusive cores, asked as lab.microbench asks."""

    def __init__(self, machine: Machine, layout: Layout) -> None:
        self.machine = machine
        self.layout = layout

    def ask(self, command: str) -> list[str]:
        return self.machine.command(f"bench {command}")


@pytest.fixture(scope="module", params=["padded", "packed"])
def bench(request: pytest.FixtureRequest, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench3]:
    folder = tmp_path_factory.mktemp("machine")
    with boot_disk.booted(built / f"pix-{request.param}", folder, cores=1 + EXCLUSIVE) as machine:
        yield Bench3(machine, request.param)


@pytest.mark.parametrize("kind", get_args(Bench))
def test_every_message_arrives_once_and_in_order(bench: Bench3, kind: Bench) -> None:
    """On as many cores as the benchmark takes; the host's program answers with the same fields."""
    windows = run(bench, Request(bench=kind, batch=8, queue_length=64), windows=2)
    assert len(windows) == 2
    assert sum(window.received for window in windows) > 0
    for window in windows:
        assert window.verified
        assert (window.bench, window.layout, window.batch, window.queue_length) == (kind, bench.layout, 8, 64)
        assert window.cores == (2 if kind in ("ring", "tx") else EXCLUSIVE)
        assert window.cycles >= window.tsc_hz // 50
    with HostBench(bench.layout, (cpus() * 2)[:2]) as host:
        (native,) = run(host, Request(bench=kind, batch=8, queue_length=64), windows=1)
    assert native.verified
    assert native.layout == bench.layout


def test_batch_and_length_have_defaults(bench: Bench3) -> None:
    windows = [Window.model_validate_json(line) for line in bench.ask("ring")]
    assert [(window.batch, window.queue_length) for window in windows] == [(32, 256)] * 5


def test_memory_and_a_device_register(bench: Bench3) -> None:
    found = latencies(bench)
    assert [one.bench for one in found][-3:] == ["memory", "register read", "register write"]
    sizes = [one.size_bytes for one in found if one.bench == "memory"]
    assert sizes == [2 ** (14 + i) for i in range(len(sizes))]
    assert sizes[-1] >= 2**23
    assert all(one.latency_cycles > 0 for one in found)


def test_nothing_is_left_behind(bench: Bench3) -> None:
    """The cores park, the counters stay as they were, and the router then routes."""
    machine = bench.machine
    before = machine.objects("counters")
    bench.ask("forward 1 2 1")
    bench.ask("matrix 64 1024 1")
    assert {core["state"] for core in machine.objects("cores")[1:]} == {"parked"}
    after = machine.objects("counters")
    ignored = {"tsc_hz"}
    assert [{k: v for k, v in one.items() if k not in ignored} for one in after] == [
        {k: v for k, v in one.items() if k not in ignored} for one in before
    ]
    router = Router(machine)
    router.send(datagram())
    assert router.receive().ttl == 63
    router.require_balance()
    assert bench.ask("ring 8") == ["error: the QGMs have the cores: stop them first"]
    machine.ok("stop")
    machine.ok("addr del 0")
    machine.ok("addr del 1")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("ring 0", "error: the batch is a number from 1 to 64"),
        ("tx 1 100", "error: the length is a power of two from 2 to 1024"),
        ("forward 1 256 x", "error: the windows are a number from 1 to 1000"),
        ("matrix 1 2 3 4", "error: too many words: give [BATCH [LENGTH [WINDOWS]]]"),
        ("memory 1", "usage: bench ring"),
    ],
)
def test_a_wrong_command_gets_one_line(bench: Bench3, command: str, says: str) -> None:
    (answer,) = bench.ask(command)
    assert answer.startswith(says)


def test_a_core_that_faults_ends_the_benchmark(bench: Bench3, built: Path) -> None:
    """The other cores wait for it; they are let go, and the next benchmark finds all of them."""
    machine = bench.machine
    elf = built / f"pix-{bench.layout}.elf"
    machine.begin("bench ring 8 64 1000")
    user_text = range(symbol(elf, "__user_text_start"), symbol(elf, "__user_text_end"))
    for _ in range(TRIES):
        machine.listen(0.1)  # each try stops the machine: it has to run meanwhile
        if jump(machine.debugger, 1, symbol(elf, "kernel_main"), only_from=user_text):
            break  # else it was parked, between two windows
    else:
        pytest.fail("core 1 was never seen in ring 3")
    assert "in ring 3 of core 1" in machine.read_line_that_begins(b"error: fault ")
    assert machine.end()[-1] == "error: a core has faulted"
    (window,) = run(bench, Request(bench="ring", batch=8), windows=1)
    assert window.verified
