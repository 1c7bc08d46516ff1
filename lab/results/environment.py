"""Finds out on what machine, and with what, a run is made."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

from lab import __version__
from lab.results.model import Environment

_PACKAGES = ("lbr-trex-client", "MLRsearch", "scapy", "numpy", "pydantic", "pytest")


def environment(**versions: str) -> Environment:
    """Describe this machine.

    Args:
        versions: of tools that the caller uses besides (qemu, dpdk), by name.

    """
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Environment(
        host=platform.node(),
        cpu=_cpu_model(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(memory_bytes / 2**30, 1),
        kernel=f"{platform.system()} {platform.release()}",
        versions={"pixlab": __version__, "python": platform.python_version(), **_installed(), **versions},
    )


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _installed() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
