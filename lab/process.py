"""Child processes that never outlive the run that started them."""

from __future__ import annotations

from collections.abc import Sequence


def dying_with_parent(command: Sequence[str]) -> list[str]:
    """Return the command such that the kernel kills it when the process that starts it ends, however that ends.

    setpriv(1) asks for it with prctl(PR_SET_PDEATHSIG) and then becomes the command, so the process id stays. It holds
    for the thread that starts the child: start children from a thread that lives as long as the run.
    """
    return ["setpriv", "--pdeathsig", "KILL", *command]


def on_core(core: int | None, command: Sequence[str]) -> list[str]:
    """Return the command such that it runs on one host core only (taskset(1)); None leaves it anywhere."""
    return list(command) if core is None else ["taskset", "--cpu-list", str(core), *command]
