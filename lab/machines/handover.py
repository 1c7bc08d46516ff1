"""Hand a running guest over from the emulator to KVM: QEMU's migration within one host, with the memory left in place.

Guest memory is one memfd that both processes map, and the capability x-ignore-shared leaves it out of the stream, so
that only the state of CPUs and devices moves. The source has ended before the destination is started: a vhost-user
server then never sees two clients on a socket.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from pathlib import Path

from lab.errors import LabError
from lab.machines.deadline import Deadline
from lab.machines.qemu import Qemu

_LIMIT_S = 20.0
_CAPABILITIES = [{"capability": "x-ignore-shared", "state": True}]


def hand_over(source: Qemu, start_destination: Callable[[], Qemu], directory: Path) -> Qemu:
    """Move a guest from one QEMU to another and let it run on there.

    Args:
        source: where it runs; has ended afterwards.
        start_destination: starts the other one with ``incoming=True``.
        directory: for the state in between.

    Returns:
        The destination; the guest runs.

    Raises:
        LabError: one of the two gave up; the guest is lost then.

    """
    state = directory / "state"
    source.qmp.execute("stop")
    source.qmp.execute("migrate-set-capabilities", capabilities=_CAPABILITIES)
    source.qmp.execute("migrate", uri=f"exec:cat>{shlex.quote(str(state))}")
    _wait_completed(source)
    source.close()
    destination = start_destination()
    try:
        destination.qmp.execute("migrate-set-capabilities", capabilities=_CAPABILITIES)
        # The guest has not moved in the network: QEMU's announcements would be frames that the DUT did not send.
        destination.qmp.execute("migrate-set-parameters", **{"announce-rounds": 0})
        destination.qmp.execute("migrate-incoming", uri=f"exec:cat {shlex.quote(str(state))}")
        _wait_completed(destination)
        destination.resume()
    except BaseException:
        destination.close()
        raise
    finally:
        state.unlink(missing_ok=True)
    return destination


def _wait_completed(qemu: Qemu) -> None:
    """Wait until QEMU says that its half of the migration is done."""
    deadline = Deadline(_LIMIT_S)
    while not deadline.passed:
        qemu.require_running()
        answer = qemu.qmp.execute("query-migrate")
        status = answer.get("status", "none")
        if status == "completed":
            return
        if status in ("failed", "cancelled"):
            raise LabError(f"the hand-over to KVM failed: {answer.get('error-desc', status)}")
        time.sleep(0.005)
    raise LabError(f"the hand-over to KVM was not done within {_LIMIT_S:g} s")
