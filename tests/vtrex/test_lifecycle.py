"""The server's processes: what they refuse to begin with, and that nothing is left of them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import paths
from lab.errors import GeneratorError
from lab.vtrex.cli import main
from lab.vtrex.engine import Engine, EngineOptions
from tests.vtrex.serving import RpcFailure, Server, connected


def until(condition: Callable[[], bool], limit_s: float = 10.0) -> bool:
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def serve(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lab.vtrex", "serve", "--rpc-port", "0", "--async-port", "0", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "either --wire or"),
        (["--wire", "--port", "vhost:/tmp/x"], "either --wire or"),
        (["--wire", "--cfg", "x.yaml"], "neither --port nor --wire"),
        (["--cfg", "/nowhere/trex_cfg.yaml"], "/nowhere/trex_cfg.yaml: No such file"),
        (["--prot", "vhost:/tmp/x"], "--port"),
        (["--wire", "extra"], "extra"),
        (["--wire", "--core", "one"], "--core one: 'one' is not available"),
        (["--wire", "--prefix", "a/b"], "prefix 'a/b'"),
        (["--wire", "--late-us", "0"], "above 0"),
        (["--wire", "--start-delay-ms", "2000"], "2000"),
        (["--port", "tap:x"], "vhost:PATH[,queues=N]"),
        (["--port", "vhost:"], "vhost:PATH"),
        (["--port", "vhost:/tmp/v,queues=0"], "queues is not a number from 1 to 16"),
        (["--port", "vhost:/tmp/v,queues=two"], "queues is not a number from 1 to 16"),
        (["--port", "vhost:/nowhere/v0"], "/nowhere does not exist"),
        (["--port", "vhost:/tmp/" + "x" * 120], "107 bytes"),
        (["--port", "vhost:/tmp/a,b"], "of the form vhost:PATH[,queues=N][,client]"),
        (["--port", "vhost:/tmp/v", "--port", "vhost:/tmp/v"], "twice"),
        (["--wire", "--core", "4096"], "--core 4096"),
        (["--wire", "--rpc-port", "70000"], "--rpc-port 70000"),
        (["--wire", "--rpc-port", "4501", "--async-port", "4501"], "both 4501"),
        (["--wire", "--line-rate-gbps", "0"], "--line-rate-gbps 0"),
        ([option for k in range(9) for option in ("--port", f"vhost:/tmp/v{k}")], "8 at most"),
    ],
)
def test_an_option_that_cannot_be_is_one_clear_line(
    options: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *options]) == 11
    said = capsys.readouterr()
    assert said.out == ""
    assert says in said.err
    assert len(said.err.splitlines()) == 1


def test_a_wrong_option_is_one_line_of_the_program_as_well() -> None:
    for module, words in (("lab.vtrex", ["serve", "--wier"]), ("lab.cli", ["vtrex", "serve", "--wier"])):
        done = subprocess.run([sys.executable, "-m", module, *words], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (11, "")
        assert "--wire" in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_an_address_of_another_machine_is_one_line() -> None:
    done = serve("--wire", "--bind", "192.0.2.77")
    assert done.returncode == 11
    assert "cannot listen on 192.0.2.77" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_engine_names_make_native(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = f"from lab import paths; paths.NATIVE = __import__('pathlib').Path({str(tmp_path)!r})\n"
    program += "from lab.vtrex.cli import main; raise SystemExit(main(['serve', '--wire']))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 14
    assert "make native" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = serve("--wire", "--rpc-port", str(taken.getsockname()[1]))
    assert done.returncode == 11
    assert "cannot listen" in done.stderr


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("v")


def vhost_options(folder: Path) -> list[str]:
    return ["--port", f"vhost:{folder}/v0", "--port", f"vhost:{folder}/v1"]


@pytest.fixture
def hangup() -> Iterator[Callable[[signal.Handlers], None]]:
    """Let processes that are started take SIGHUP in this way, whatever these tests were started with."""
    before = signal.getsignal(signal.SIGHUP)

    def take(handler: signal.Handlers) -> None:
        signal.signal(signal.SIGHUP, handler)

    yield take
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_clean_stop_leaves_no_socket_and_no_engine(
    folder: Path, number: signal.Signals, start_server: Callable[..., Server], hangup: Callable[..., None]
) -> None:
    hangup(signal.SIG_DFL)
    server = start_server(*vhost_options(folder))
    engine = server.engine_pid()
    assert (folder / "v0").is_socket()
    assert (folder / "v1").is_socket()
    server.process.send_signal(number)
    assert server.stop() == (0, "")
    assert list(folder.iterdir()) == []
    assert gone(engine)


def test_a_server_under_nohup_outlives_its_terminal(
    start_server: Callable[..., Server], hangup: Callable[..., None]
) -> None:
    hangup(signal.SIG_IGN)
    server = start_server("--wire")
    server.process.send_signal(signal.SIGHUP)
    with connected(server) as rpc:
        assert rpc.call("ping")["ts"] > 0
    assert server.stop() == (0, "")


def test_a_killed_server_leaves_no_engine_and_does_not_block_the_next(
    folder: Path, start_server: Callable[..., Server]
) -> None:
    server = start_server(*vhost_options(folder))
    engine = server.engine_pid()
    server.process.kill()
    server.process.communicate()
    assert until(lambda: gone(engine))
    again = start_server(*vhost_options(folder))
    assert again.stop() == (0, "")


def test_the_engine_of_a_killed_server_ends_even_while_it_sends(
    folder: Path, start_server: Callable[..., Server]
) -> None:
    server = start_server("--wire")
    engine = server.engine_pid()
    with connected(server) as rpc:
        rpc.reset(0)
        start_endless_traffic(rpc.call)
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.communicate()
    assert until(lambda: gone(engine))


def test_a_killed_engine_ends_the_server_with_one_line(folder: Path, start_server: Callable[..., Server]) -> None:
    server = start_server(*vhost_options(folder))
    os.kill(server.engine_pid(), signal.SIGKILL)
    _, errors = server.process.communicate(timeout=10)
    assert server.process.returncode == 14
    assert "engine" in errors
    assert len(errors.splitlines()) == 1
    assert list(folder.iterdir()) == []


def test_an_engine_that_is_killed_while_it_sends_ends_the_server_with_one_line(
    start_server: Callable[..., Server],
) -> None:
    server = start_server("--wire")
    with connected(server) as rpc:
        rpc.reset(0)
        start_endless_traffic(rpc.call)
        os.kill(server.engine_pid(), signal.SIGKILL)
        _, errors = server.process.communicate(timeout=10)
    assert server.process.returncode == 14
    assert errors == "vtrex: the vtrex engine ended unexpectedly with exit code -9\n"


def test_an_answer_that_comes_too_late_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.vtrex.engine.ANSWER_TIMEOUT_S", 2.0)
    engine = Engine(EngineOptions(paths.NATIVE / "vtrex-engine", (), (0,)))
    try:
        os.kill(engine.pid, signal.SIGSTOP)
        with pytest.raises(GeneratorError, match="does not answer a TRIAL request"):
            engine.trial()
        os.kill(engine.pid, signal.SIGCONT)
        with pytest.raises(GeneratorError, match="does not answer a PORTS request"):
            engine.port_counters()
        assert engine.end() == "ended unexpectedly with exit code 0"
    finally:
        engine.close()


def test_a_socket_that_is_in_use_or_no_socket_is_left_alone(folder: Path, start_server: Callable[..., Server]) -> None:
    (folder / "file").write_text("mine")
    assert "no socket" in serve("--port", f"vhost:{folder}/file").stderr
    assert (folder / "file").read_text() == "mine"
    server = start_server(*vhost_options(folder))
    assert "another process listens" in serve("--port", f"vhost:{folder}/v0").stderr
    assert (folder / "v0").is_socket()
    assert server.stop() == (0, "")


def test_a_port_without_a_guest_is_down_and_takes_no_traffic(folder: Path, start_server: Callable[..., Server]) -> None:
    server = start_server(*vhost_options(folder))
    with connected(server) as rpc:
        rpc.reset(0)
        assert rpc.call("get_port_status", port_id=0)["attr"]["link"] == {"up": False}
        with pytest.raises(RpcFailure, match="link"):
            start_endless_traffic(rpc.call)
        assert rpc.call("get_port_status", port_id=0)["state"] == "STREAMS"
    assert server.stop() == (0, "")


def start_endless_traffic(call: Callable[..., object]) -> None:
    from tests.vtrex.test_fields import stream

    mode = {"type": "continuous", "rate": {"type": "pps", "value": 1000}}
    call("add_stream", port_id=0, stream_id=1, stream=stream([], mode=mode))
    call("start_traffic", port_id=0, mul={"type": "raw", "value": 1, "op": "abs"}, duration=-1)
