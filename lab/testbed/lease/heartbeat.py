"""The signs of life of who holds a lease, and what happens when it is lost.

Invariant: a lease is given up here before its place can give it to another. Its life is counted from before a renewal
was asked for, by a clock of this machine that nobody sets and that goes on while the machine sleeps; the place counts
from when it heard of it. Clocks of two machines are never compared.
"""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType

from lab.errors import LabError
from lab.testbed.lease.model import LeaseLost, lost
from lab.testbed.lease.place import LeasePlace

_SIGNAL = signal.SIGUSR1
_raising: list[LeaseLost] = []


def listen() -> None:
    """Have the main thread told of a lost lease, in whatever it waits; called by it before a lease is taken.

    The handler stays: one that is put back to the default while a signal is on its way would end the process.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(_SIGNAL, _raise)


def _raise(_signal: int, _frame: FrameType | None) -> None:
    if _raising:
        raise _raising.pop()


def now_s() -> float:
    """Return seconds since this machine booted, those that it slept included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Heartbeat:
    """Renews a lease from when it is made until it is stopped.

    Where the lease is lost, LeaseLost is raised in the main thread, once; ``problem`` keeps it.
    """

    def __init__(self, testbed: str, place: LeasePlace, taken_at_s: float) -> None:
        """Begin.

        Args:
            testbed: whose lease.
            place: where it was taken. Nobody else uses this object until ``stop``.
            taken_at_s: a time of ``now_s`` from before the lease was asked for.

        """
        self.problem: LeaseLost | None = None
        self._testbed = testbed
        self._place = place
        self._renewed_at_s = taken_at_s
        self._why = ""
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._renewer = threading.Thread(target=self._renew, name=f"lease of {testbed}", daemon=True)
        self._watcher = threading.Thread(target=self._watch, name=f"expiry of {testbed}", daemon=True)
        self._renewer.start()
        self._watcher.start()

    def stop(self) -> None:
        """End the signs of life; nothing is raised any more when this returns."""
        with self._lock:
            self._stopped.set()
        self._place.wake()
        self._renewer.join()
        self._watcher.join()
        if self.problem in _raising:
            _raising.remove(self.problem)

    def _renew(self) -> None:
        while True:
            self._place.wait(self._stopped)
            if self._stopped.is_set():
                return
            asked_at_s = now_s()
            try:
                self._place.renew()
                self._renewed_at_s = asked_at_s
            except LeaseLost as problem:
                self._lose(problem)
                return
            except LabError as problem:  # it may work again before the lease expires
                self._why = str(problem)

    def _watch(self) -> None:
        """Give the lease up at its expiry, also while a renewal hangs."""
        if self._place.expiry_s is None:
            return
        while True:
            left_s = self._renewed_at_s + self._place.expiry_s - now_s()
            if left_s <= 0:
                why = f"it could not be renewed for {self._place.expiry_s:g} s: {self._why or 'no answer'}"
                self._lose(lost(self._testbed, why))
                return
            if self._stopped.wait(left_s):
                return

    def _lose(self, problem: LeaseLost) -> None:
        with self._lock:
            if self._stopped.is_set():
                return
            self._stopped.set()
            self.problem = problem
            _raising[:] = [problem]
            main = threading.main_thread().ident
            if main is not None and signal.getsignal(_SIGNAL) is _raise:
                signal.pthread_kill(main, _SIGNAL)
