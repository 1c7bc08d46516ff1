"""The microbenchmarks as threads of this host: what they answer, that they verify, and how they refuse."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from lab import paths
from lab.errors import LabError, UsageError
from lab.microbench import interleaved
from lab.microbench.host import HostBench, cpus
from lab.microbench.model import Bench, Request, latencies, run

BENCHES = get_args(Bench)
TWO = (cpus() * 2)[:2]  # on a host of one processor both threads share it


@pytest.fixture(scope="module", params=["padded", "packed"])
def host(request: pytest.FixtureRequest) -> Iterator[HostBench]:
    with HostBench(request.param, TWO) as bench:
        yield bench


@pytest.mark.parametrize("bench", BENCHES)
@pytest.mark.parametrize(("batch", "length"), [(1, 2), (64, 1024), (7, 256)])
def test_every_message_arrives_once_and_in_order(host: HostBench, bench: Bench, batch: int, length: int) -> None:
    windows = run(host, Request(bench=bench, batch=batch, queue_length=length), windows=3)
    assert sum(window.messages for window in windows) > 0
    assert max(max(window.c2c_before_ns, window.c2c_after_ns) for window in windows) > 0
    for window in windows:
        assert window.verified
        assert window.messages <= window.received
        assert (window.bench, window.layout, window.cores) == (bench, host.layout, 2)
        assert (window.batch, window.queue_length) == (batch, length)
        assert window.rate_mps == pytest.approx(window.messages * window.tsc_hz / window.cycles, rel=1e-3, abs=2)


@pytest.mark.parametrize("bench", ["matrix", "forward"])
def test_more_cores_than_processors_lose_nothing_either(bench: Bench) -> None:
    with HostBench("packed", TWO + TWO) as host:
        windows = run(host, Request(bench=bench, batch=8, queue_length=64), windows=2)
    assert {window.cores for window in windows} == {4}
    assert sum(window.received for window in windows) > 0
    assert all(window.verified for window in windows)


def test_forwarding_needs_one_core_only() -> None:
    with HostBench("padded", TWO[:1]) as host:
        (window,) = run(host, Request(bench="forward", batch=32), windows=1)
        assert window.verified
        assert window.c2c_before_ns == 0
        with pytest.raises(LabError, match="two exclusive cores"):
            host.ask("ring")


def test_larger_memory_is_slower(host: HostBench) -> None:
    found = latencies(host)
    assert [one.size_bytes for one in found] == [2**power for power in range(14, 29)]
    assert all(one.latency_ns > 0 for one in found)
    assert (
        found[-1].latency_ns > found[0].latency_ns
    )  # beyond every cache, against the first: no machine has it otherwise


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("rings", "there are ring, matrix, forward, tx and memory"),
        ("", "there are ring"),
        ("ring 0", "batch is a number from 1 to 64"),
        ("ring 65", "batch is a number from 1 to 64"),
        ("ring x", "batch is a number"),
        ("ring 1 3", "power of two from 2 to 1024"),
        ("tx 1 2048", "power of two from 2 to 1024"),
        ("forward 1 256 0", "windows are a number"),
        ("matrix 1 2 3 4", "too many words"),
        ("memory 1", "takes no words"),
    ],
)
def test_a_wrong_command_is_refused_in_one_line(host: HostBench, command: str, says: str) -> None:
    with pytest.raises(LabError, match=says):
        host.ask(command)
    assert host.ask("ring 1 2 1")  # it goes on


def test_what_cannot_be_started_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no processor 4096"):
        HostBench("padded", (4096,))
    monkeypatch.setattr(paths, "NATIVE", tmp_path)
    with pytest.raises(LabError, match="make native"):
        HostBench("padded", TWO)


def test_layouts_take_turns() -> None:
    with HostBench("padded", TWO) as padded, HostBench("packed", TWO) as packed:
        windows = interleaved.measure({"padded": padded, "packed": packed}, Request(bench="ring", batch=8), blocks=2)
    assert [(block, window.layout) for block, window in windows] == [
        (block, layout) for block in (0, 1) for layout in ("padded", "packed", "packed", "padded")
    ]
    assert [one.rate for one in interleaved.observations(windows)] == [window.rate_mps for _, window in windows]


TAKE = "consumer->next++ & consumer->mask"
FAULTS = {
    "a ring that swaps neighbours": ("qgm/ring.h", TAKE, "(consumer->next++ ^ 1) & consumer->mask"),
    "a FIB that leads astray": ("qgm/fib.h", "return (uint16_t)(hop ?", "return (uint16_t)(hop == 1 ? 2 : hop ?"),
    "a TTL that stays": ("qgm/frame.h", "__builtin_memcpy(ip + IPV4_TTL, &after, 2);", ";"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_sources_is_found(fault: str, tmp_path: Path) -> None:
    """The verification of the benchmark fails when the thing that it measures is broken."""
    sources = tmp_path / "pix"
    shutil.copytree(paths.ROOT / "firmware-images" / "pix", sources, ignore=shutil.ignore_patterns("build"))
    file, old, new = FAULTS[fault]
    text = (sources / file).read_text()
    assert len(re.findall(re.escape(old), text)) == 1
    (sources / file).write_text(text.replace(old, new))
    program = tmp_path / "pix-bench-padded"
    make = ["make", "-s", "-C", str(sources / "bench" / "host"), f"OUT={tmp_path}", str(program)]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    said = subprocess.run(
        [str(program), *map(str, TWO)], input="forward 8 64 1\n", capture_output=True, text=True, timeout=60, check=True
    )
    assert '"wrong":0' not in said.stdout
    assert '"wrong":' in said.stdout
