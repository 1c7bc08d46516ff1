"""A network namespace of a test's own; it disappears with the test."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.process import dying_with_parent
from lab.vtrex.device_checks import in_netns


@contextmanager
def namespace(*commands: str) -> Iterator[str]:
    """Make a namespace without IPv6, run ``ip`` commands in it, and yield its file."""
    holder = subprocess.Popen(dying_with_parent(["unshare", "--net", "sleep", "infinity"]))
    try:
        netns = f"/proc/{holder.pid}/ns/net"
        deadline = time.monotonic() + 5
        while Path(netns).readlink() == Path("/proc/self/ns/net").readlink():
            assert time.monotonic() < deadline and holder.poll() is None, "no network namespace can be made here"
            time.sleep(0.005)
        quiet = "test ! -e /proc/sys/net/ipv6 || echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6"
        for command in (["sh", "-c", quiet], *(["ip", *words.split()] for words in commands)):
            subprocess.run(in_netns(netns, command), check=True, timeout=10)
        yield netns
    finally:
        holder.kill()
        holder.wait()


VETH_PAIR = ("link add far0 type veth peer name far1", "link set far0 up", "link set far1 up")

LINKS = [f"link add far{n} type veth peer name near{n}" for n in (0, 1)]
LINKS += [f"link set {end}{n} up" for n in (0, 1) for end in ("far", "near")]
"""Two links: a generator on far0 and far1, what it measures between near0 and near1."""
