"""A TRex server that the lab starts: its configuration file, its start, its watch, its end and its log.

On its machine it has a folder of its own with ``trex_cfg.yaml``, ``server.log`` and ``pid``. The last has the number of
the process, which leads a session of its own, and the tick of its start: what a killed run left is known by both, and
ended. A server of anybody else is never touched.
"""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from lab.errors import GeneratorError, LabError
from lab.testbed.resources import TrexRelease
from lab.traffic.trex import TrexGenerator, client_for, server_version
from lab.traffic.trex_machine import Launched, Machine
from lab.traffic.trex_release import absolute, provide

START_LIMIT_S = 120.0
"""A real one takes half a minute where it reserves huge pages."""
STOP_LIMIT_S = 10.0
_ASK_S = 0.5

# The number of a process and the tick at which it started (proc(5): the 22nd field of stat, 20th behind the name).
_OWN_PID = "echo $$ $(sed 's/.*) //' /proc/$$/stat | cut -d' ' -f20)"
# Prints what was done, in words: "ended" of a server that an earlier run left, "taken PORT" of ports that others have
# (/proc/net/tcp has a listening socket in state 0A).
_MAKE_ROOM = """
mkdir -p {state} && cd {state} || exit 1
if read pid tick 2>/dev/null < pid; then
    now=$(sed 's/.*) //' /proc/$pid/stat 2>/dev/null | cut -d' ' -f20)
    if [ "$now" = "$tick" ]; then
        kill -INT -$pid; n=0
        while [ -e /proc/$pid ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done
        kill -KILL -$pid 2>/dev/null; echo ended
    fi
fi
rm -f pid server.log
for port in {ports}; do
    pattern=$(printf ': [0-9A-F]*:%04X [0-9A-F]*:0000 0A ' $port)
    if cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q "$pattern"; then echo taken $port; fi
done
"""


@dataclass(frozen=True)
class TrexPlan:
    """What is started: ``program`` in the folder of ``release`` or, without one, in ``folder``.

    ``state`` is the server's own folder on its machine, in which ``$NAME`` is put in there, ``config`` its
    configuration file's text, and ``address`` where its RPC is reached. ``inside`` puts the calling thread where that
    address is; ``housekeeping_core`` is the host core of the client, where the server runs on this host.
    """

    name: str
    state: str
    config: str
    address: str
    rpc_port: int
    async_port: int
    program: tuple[str, ...]
    options: tuple[str, ...]
    release: TrexRelease | None = None
    folder: str = "/"
    inside: Callable[[], AbstractContextManager[None]] = nullcontext
    housekeeping_core: int | None = None


class TrexServer:
    """A server that runs; see lab.traffic.serving.Server. It is a ServerProcess of its clients, too."""

    def __init__(
        self, plan: TrexPlan, reach: Callable[[], Machine], run_dir: Path, progress: Callable[[str], None]
    ) -> None:
        """Install what is missing, start the server and wait until it answers.

        Args:
            plan: what to start.
            reach: connects to its machine.
            run_dir: where NAME.log (of the server) and NAME-client.log are written.
            progress: told what happens.

        Raises:
            TestbedUnreachable: its machine cannot be reached.
            GeneratorError: it cannot be installed, does not come up, or another server has its port.

        """
        if plan.release is not None:
            client_for(plan.release.version)
        self._plan = plan
        self._reach = reach
        self._run_dir = run_dir
        self._progress = progress
        self._state = ""
        self._machine: Machine | None = None
        self._launched: Launched | None = None
        self._start()

    def connect(self) -> TrexGenerator:
        """Connect the lab's TRex driver to it."""
        plan = self._plan
        with plan.inside():
            return TrexGenerator(
                plan.address,
                plan.rpc_port,
                plan.async_port,
                self._run_dir / f"{plan.name}-client.log",
                housekeeping_core=plan.housekeeping_core,
                process=self,
            )

    def restart(self) -> None:
        """End the server, if it has not ended, and start it again; raises what the constructor raises."""
        self.stop()
        self._start()

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the server has ended."""
        assert self._launched is not None
        return self._launched.fileno()

    def last_words(self) -> str:
        """Say how the server ended, with the last line that it printed."""
        assert self._launched is not None
        return f"TRex on {self._where()} {self._launched.end(_ASK_S) or 'runs'} ({self._last_line()})"

    def stop(self) -> None:
        """End the server and keep its log. May be called twice."""
        machine, launched = self._machine, self._launched
        self._machine = self._launched = None
        if machine is None:
            return
        with contextlib.suppress(LabError):  # the connection broke: the next start there ends it
            if launched is not None and not launched.end(0.0):
                self._signal(machine, "INT")
                if not launched.end(STOP_LIMIT_S):
                    self._signal(machine, "KILL")
                    launched.end(STOP_LIMIT_S)
            if launched is not None:
                self._collect(machine)
                machine.run(["rm", "-f", f"{self._state}/pid"])
        machine.close()

    def _start(self) -> None:
        plan = self._plan
        self._machine = machine = self._reach()
        try:
            folder = plan.folder if plan.release is None else provide(machine, plan.release, self._progress)
            self._state = absolute(machine, plan.state)
            self._make_room(machine)
            machine.put(plan.config, f"{self._state}/trex_cfg.yaml")
            self._launched = machine.launch(self._command(folder))
            self._await_answer()
        except BaseException:
            self.stop()
            raise

    def _command(self, folder: str) -> str:
        """Return the shell text that becomes the server: in a session of its own, its output in its log."""
        state = shlex.quote(self._state)
        words = [*self._plan.program, "-i", "--cfg", f"{self._state}/trex_cfg.yaml", *self._plan.options]
        inner = f"{_OWN_PID} > {state}/pid; exec {shlex.join(words)} > {state}/server.log 2>&1 < /dev/null"
        return f"cd {shlex.quote(folder)} && exec setsid --wait sh -c {shlex.quote(inner)}"

    def _await_answer(self) -> None:
        """Wait for the RPC, and compare the release with the testbed's."""
        plan, launched = self._plan, self._launched
        assert launched is not None
        end_s = time.monotonic() + START_LIMIT_S
        while True:
            if launched.end(0.0):
                raise GeneratorError(f"{self.last_words()} before it answered")
            try:
                with plan.inside():
                    version = server_version(plan.address, plan.rpc_port, _ASK_S)
                break
            except GeneratorError as error:
                if time.monotonic() > end_s:
                    raise GeneratorError(
                        f"TRex on {self._where()} does not answer at {plan.address} port {plan.rpc_port} within "
                        f"{START_LIMIT_S:g} s ({self._last_line()})"
                    ) from error
        client_for(version)
        if plan.release is not None and version != plan.release.version:
            raise GeneratorError(
                f"TRex on {self._where()} is {version}, but the testbed names {plan.release.version}: correct "
                "release.version or release.folder"
            )

    def _make_room(self, machine: Machine) -> None:
        """End what an earlier run left, and refuse to start where somebody else's server listens."""
        ports = f"{self._plan.rpc_port} {self._plan.async_port}"
        found = machine.tell(_MAKE_ROOM.format(state=shlex.quote(self._state), ports=ports)).split()
        if "ended" in found:
            self._progress(f"ended the TRex server that an earlier run left on {machine.where}")
        if "taken" in found:
            raise GeneratorError(
                f"{machine.where}: a server that the lab did not start listens on port "
                f"{found[found.index('taken') + 1]}: end it there, or give the testbed another rpc_port and async_port"
            )

    def _signal(self, machine: Machine, name: str) -> None:
        machine.run(f"cd {shlex.quote(self._state)} && read pid tick < pid && kill -{name} -$pid")

    def _collect(self, machine: Machine) -> None:
        """Append the server's log to the run's."""
        fresh = self._run_dir / f"{self._plan.name}.log.part"
        machine.get(f"{self._state}/server.log", fresh)
        with (self._run_dir / f"{self._plan.name}.log").open("ab") as log:
            log.write(fresh.read_bytes())
        fresh.unlink()

    def _where(self) -> str:
        return self._plan.name if self._machine is None else f"{self._plan.name}, {self._machine.where},"

    def _last_line(self) -> str:
        try:
            assert self._machine is not None
            said = self._machine.run(f"tail -n 20 {shlex.quote(self._state)}/server.log", STOP_LIMIT_S).out
        except LabError as error:
            return str(error)
        return (said.strip().splitlines() or ["it printed nothing"])[-1]
