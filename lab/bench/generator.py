"""vtrex beside dpdk-testpmd: frames sent and received by one core each, in turns over links of the same kind."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from lab import paths
from lab.bench import sources
from lab.bench.model import BenchResult
from lab.bench.remote import Remote
from lab.bench.sources import Source, handled_pps, source_of_testpmd, source_of_vtrex
from lab.bench.turns import in_turns
from lab.dut.testpmd import Testpmd
from lab.dut.testpmd_process import TestpmdProcess
from lab.machines import cores
from lab.traffic.vtrex import VtrexServer

ROUNDS = 6
LINE_RATE_GBPS = 100.0
QUEUE_SIZE = 1024
FAR_MACS = tuple(f"02:00:00:00:01:0{number}" for number in range(4))
FIELDS_NOTE = "vtrex: source and destination address, IPv4 checksum and flow statistics of each frame"


def generator_vs_testpmd() -> Iterator[BenchResult]:
    """Compare plain streams: over a wire, and over vhost-user towards a far end that only receives or sends back.

    Yields:
        Frames that vtrex sends and receives in a second, one line for each kind of link; ``ratio`` is over testpmd's.

    Raises:
        LabError: something does not start, or sends nothing.

    """
    yield from _on_wire("generator-vs-testpmd", fields=False)
    yield from _on_vhost("generator-vs-testpmd", fields=False)


def generator_fields_vs_testpmd() -> Iterator[BenchResult]:
    """Compare vtrex's field engine, checksum and flow statistics with testpmd's flowgen; see generator_vs_testpmd."""
    yield from _on_wire("generator-fields-vs-testpmd", fields=True)
    yield from _on_vhost("generator-fields-vs-testpmd", fields=True)


def generator_verify() -> Iterator[BenchResult]:
    """Measure what it costs to verify frames, on a wire.

    Yields:
        Nanoseconds for a frame that is signed, sent, received and compared, beyond those without verification;
        ``ratio`` is the rate that remains.

    Raises:
        LabError: the server does not start, or sends nothing.

    """
    plain, verified = "with flow statistics", "with verification"
    with ExitStack() as stack:
        remote = wire(stack)
        turns = [
            source_of_vtrex(plain, remote, statistics=True),
            source_of_vtrex(verified, remote, statistics=True, verified=True),
        ]
        rates, c2c_ns = in_turns(turns, handled_pps, rounds=ROUNDS, words=_words)
    # A frame is both sent and received on a wire, and its cost is that of both.
    costs = [2e9 / with_it - 2e9 / without for with_it, without in zip(rates[verified], rates[plain], strict=True)]
    yield BenchResult(
        bench="generator-verify",
        value=statistics.median(costs),
        unit="ns/frame",
        against=f"the same {plain} only",
        ratio=statistics.median(a / b for a, b in zip(rates[verified], rates[plain], strict=True)),
        runs=len(costs),
        c2c_latency_ns=c2c_ns,
        note=f"{sources.FRAME_SIZE_BYTES} bytes, sending and receiving together, on one core",
    )


def _on_wire(bench: str, *, fields: bool) -> Iterator[BenchResult]:
    plan = cores.plan(1)
    with ExitStack() as stack:
        folder = _folder(stack)
        remote = wire(stack)
        eal = sources.eal_of_testpmd(sources.rings(), core=plan.exclusive[0], housekeeping_core=plan.housekeeping)
        testpmd = stack.enter_context(_testpmd(eal, folder))
        turns = [
            source_of_vtrex("vtrex", remote, statistics=fields, fields=fields),
            source_of_testpmd("flowgen", testpmd, plan.exclusive[0]),
        ]
        rates, c2c_ns = in_turns(turns, handled_pps, rounds=ROUNDS, words=_words)
    link = "two rings: vtrex's join its ports, each of testpmd's comes back to its own"
    yield _line(f"{bench}:wire", rates, c2c_ns, f"{link}; {FIELDS_NOTE}" if fields else link)


def _on_vhost(bench: str, *, fields: bool) -> Iterator[BenchResult]:
    plan = cores.plan(1)
    with _vhost_links() as (remote, testpmd, far_end):
        far = [sources.polling_of(far_end, plan.exclusive[0])]
        vtrex = source_of_vtrex("vtrex", remote, statistics=fields, fields=fields, others=far)
        if not fields:
            far_end.command("set fwd rxonly")
            turns = [vtrex, source_of_testpmd("txonly", testpmd, plan.generator, far)]
            rates, c2c_ns = in_turns([_with(far_end, turn) for turn in turns], handled_pps, rounds=ROUNDS, words=_words)
            yield _line(f"{bench}:vhost-send", rates, c2c_ns, "vhost-user to testpmd rxonly on another core")
        far_end.command("set fwd io")
        turns = [vtrex, source_of_testpmd("flowgen", testpmd, plan.generator, far)]
        rates, c2c_ns = in_turns([_with(far_end, turn) for turn in turns], handled_pps, rounds=ROUNDS, words=_words)
        link = "vhost-user to testpmd io on another core and back"
        yield _line(f"{bench}:vhost-return", rates, c2c_ns, f"{link}; {FIELDS_NOTE}" if fields else link)


@contextmanager
def _vhost_links() -> Iterator[tuple[Remote, TestpmdProcess, Testpmd]]:
    """Join vtrex (ports 0, 1) and a testpmd that generates (2, 3) to one far end; all of them stand still."""
    plan = cores.plan(1)
    with ExitStack() as stack:
        folder = _folder(stack)
        sockets = [folder / f"v{number}" for number in range(4)]
        server = _vtrex(
            stack, [word for path in sockets[:2] for word in ("--port", f"vhost:{path}")], folder, plan.generator
        )
        eal = sources.eal_of_testpmd(
            sources.vhosts(sockets[2:]), core=plan.generator, housekeeping_core=plan.housekeeping
        )
        testpmd = stack.enter_context(_testpmd(eal, folder))
        far_end = stack.enter_context(
            Testpmd(
                sockets,
                FAR_MACS,
                FAR_MACS,
                core=plan.exclusive[0],
                housekeeping_core=plan.housekeeping,
                queue_size=QUEUE_SIZE,
                log=folder / "far-end.log",
            )
        )
        yield _remote(stack, server), testpmd, far_end


def _with(far_end: Testpmd, source: Source) -> Source:
    """Return a source whose far end polls only while it sends: between turns the machine is probed."""

    def start() -> None:
        far_end.start()
        source.start()

    def stop() -> None:
        source.stop()
        far_end.stop()

    return replace(source, start=start, stop=stop)


def _folder(stack: ExitStack) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=paths.runtime_dir()))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def wire(stack: ExitStack) -> Remote:
    """Have vtrex with a wire, on a core that nothing else runs on."""
    return _remote(stack, _vtrex(stack, ["--wire"], _folder(stack), cores.plan(1).exclusive[0]))


def _vtrex(stack: ExitStack, options: Sequence[str], folder: Path, core: int) -> VtrexServer:
    return stack.enter_context(
        VtrexServer(
            options,
            core=core,
            housekeeping_core=cores.plan(1).housekeeping,
            line_rate_gbps=LINE_RATE_GBPS,
            log=folder / "vtrex.log",
        )
    )


def _remote(stack: ExitStack, server: VtrexServer) -> Remote:
    remote = Remote(server, sources.PORTS)
    stack.callback(remote.close)
    return remote


def _testpmd(eal: Sequence[str], folder: Path) -> TestpmdProcess:
    return TestpmdProcess(
        eal,
        sources.options_of_testpmd("flowgen"),
        housekeeping_core=cores.plan(1).housekeeping,
        log=folder / "testpmd.log",
    )


def _words(rate_pps: float) -> str:
    return f"{rate_pps / 1e6:.2f} M frames sent and received a second"


def _line(bench: str, rates: dict[str, list[float]], c2c_ns: float, note: str) -> BenchResult:
    ours, (against, theirs) = rates["vtrex"], next((n, r) for n, r in rates.items() if n != "vtrex")
    return BenchResult(
        bench=bench,
        value=statistics.median(ours),
        unit="frames/s",
        against=f"dpdk-{against}",
        ratio=statistics.median(a / b for a, b in zip(ours, theirs, strict=True)),
        runs=len(ours),
        c2c_latency_ns=c2c_ns,
        note=f"{sources.FRAME_SIZE_BYTES} bytes, sent and received added up; {note}",
    )
