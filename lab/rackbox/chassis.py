"""The chassis of a box's server: it has power or not, a reset line, and a boot order for the next start."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lab.errors import LabError, UsageError, near_misses
from lab.machines.deadline import Deadline
from lab.machines.firmware import BOOT_NIC
from lab.machines.qmp import Qmp
from lab.process import dying_with_parent
from lab.rackbox.hardware import Hardware

Enter = Callable[[Sequence[str]], list[str]]

_START_LIMIT_S = 30.0
POST_S = 2.0
_NEVER = -1


class Chassis:
    """A server without power, until ``on``. All calls come from one thread, which lives as long as the chassis.

    Invariant: ``_network_next`` says whether the next start, by power or by reset, boots from the network. A start
    takes it back after POST_S, in which firmware reads the order, and may reset the machine again (SeaBIOS: twice).
    """

    def __init__(self, hardware: Hardware, folder: Path, log: Path, enter: Enter) -> None:
        """Describe it.

        Args:
            hardware: what it is made of.
            folder: for the monitor's sockets; the serial port is connected to its socket ``serial``.
            log: for what QEMU says.
            enter: makes a command run in the server's network.

        """
        self._hardware = hardware
        self._folder = folder
        self._log = log
        self._enter = enter
        self._process: subprocess.Popen[bytes] | None = None
        self._monitor: Qmp | None = None
        self._lock = threading.Lock()  # of the monitor and what follows: resets are seen by another thread
        self._network_next = False
        self._starts = 0  # counts what changes the order, so that an older start takes back nothing newer

    def ask(self, words: Sequence[str]) -> str:
        """Do what a controller asks for (``on``, ``off``, ``reset``, ``state``, ``boot pxe|none``); returns the state.

        Raises:
            LabError: it cannot be done, or is none of these.

        """
        match list(words):
            case ["on"]:
                self._on()
            case ["off"]:
                self._off()
            case ["reset"]:
                self._reset()
            case ["boot", ("pxe" | "none") as device]:
                self._boot_next(device == "pxe")
            case ["state"]:
                pass
            case _:
                known = ("on", "off", "reset", "state", "boot pxe", "boot none")
                asked = " ".join(words)
                raise UsageError(f"a machine of a box cannot be asked {asked!r}: {near_misses(asked, known)}")
        return "on" if self._has_power() else "off"

    def _has_power(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _on(self) -> None:
        if self._has_power():
            return
        self._off()
        monitors = self._folder / "qmp0", self._folder / "qmp1"
        for path in monitors:
            path.unlink(missing_ok=True)
        command = self._hardware.command(monitors, self._folder / "serial", self._network_next)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                dying_with_parent(self._enter(command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            self._monitor, events = self._connect(monitors[0]), self._connect(monitors[1])
            self._pin()
            self._begun()
            self._monitor.execute("cont")
        except BaseException:
            self._off()
            raise
        threading.Thread(target=self._watch, args=(events,), daemon=True).start()

    def _off(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        with self._lock:
            if self._monitor is not None:
                self._monitor.close()
                self._monitor = None

    def _reset(self) -> None:
        if not self._has_power():
            raise LabError("the machine is off: it cannot be reset")
        with self._lock:
            assert self._monitor is not None, "it has power"
            self._monitor.execute("system_reset")

    def _boot_next(self, network: bool) -> None:
        """Write the boot order: firmware reads it at each start, be it by power, by reset or by the system itself."""
        with self._lock:
            self._starts += 1
            self._order(network)

    def _begun(self) -> None:
        """A start has begun: take back what was said of it once firmware has read it, unless more has been said."""
        with self._lock:
            self._starts += 1
            timer = threading.Timer(POST_S, self._take_back, args=(self._starts,))
        timer.daemon = True
        timer.start()

    def _take_back(self, start: int) -> None:
        with self._lock, contextlib.suppress(LabError):  # it has lost its power meanwhile
            if start == self._starts:
                self._order(False)

    def _order(self, network: bool) -> None:
        self._network_next = network
        if self._monitor is not None and self._has_power():
            nic = f"/machine/peripheral/{BOOT_NIC}"
            # Out of the order first: QEMU refuses a place that is taken, even by the device itself.
            for place in (_NEVER, 0) if network else (_NEVER,):
                self._monitor.execute("qom-set", path=nic, property="bootindex", value=place)

    def _watch(self, events: Qmp) -> None:
        """See each reset, whoever pulled it."""
        with contextlib.closing(events), contextlib.suppress(LabError, OSError, ValueError):
            for event in events.events():
                if event == "RESET":
                    self._begun()

    def _connect(self, path: Path) -> Qmp:
        deadline = Deadline(_START_LIMIT_S)
        while True:
            try:
                return Qmp(path, deadline.remaining_s)
            except (OSError, LabError) as error:
                if deadline.passed or not self._has_power():
                    said = self._log.read_text(errors="replace").strip().splitlines()
                    raise LabError(f"QEMU did not start: {said[-1] if said else 'it said nothing'}") from error
                time.sleep(0.01)

    def _pin(self) -> None:
        """Give each exclusive processor a core of its own, and all else of QEMU another one."""
        assert self._monitor is not None
        assert self._process is not None
        tids = {int(cpu["cpu-index"]): int(cpu["thread-id"]) for cpu in self._monitor.execute("query-cpus-fast")}
        own = {tids[index]: core for index, core in enumerate(self._hardware.own_cores, start=1)}
        for task in Path(f"/proc/{self._process.pid}/task").iterdir():
            with contextlib.suppress(ProcessLookupError):  # a helper of QEMU that has just ended
                os.sched_setaffinity(int(task.name), {own.get(int(task.name), self._hardware.other_core)})
