"""Taps as the data ports of a virtual machine: network interfaces in a namespace, where a generator opens them.

What a frame passes on its way to the machine: the generator's packet socket (packet(7)), the tap's queue of
``txqueuelen`` frames, which drops what finds no room, and QEMU's main loop, which copies frames one by one into the
virtio queue. On the way back QEMU writes them to the tap, and the kernel into the ring of the generator's socket.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.machines.netns import NetworkNamespace

_TUNSETIFF = 0x400454CA  # <linux/if_tun.h>
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000
_NO_IPV6 = "/proc/sys/net/ipv6/conf/default/disable_ipv6"


@dataclass(frozen=True)
class Taps:
    """Interfaces of ``namespace`` that are up, and the ``descriptors`` of their far ends, which QEMU takes."""

    namespace: NetworkNamespace
    descriptors: tuple[int, ...]


@contextmanager
def taps(names: Mapping[str, int]) -> Iterator[Taps]:
    """Make taps in a namespace of their own; they are gone at the end.

    Args:
        names: of the taps in the order of the machine's ports, with the length of each one's queue in frames.

    Raises:
        LabError: not root, or the kernel refuses.

    """
    descriptors: list[int] = []
    with NetworkNamespace("the data ports of a virtual machine are taps in a network namespace") as namespace:
        try:
            with namespace.inside():  # a tap is in the namespace of the thread that opens it
                if Path(_NO_IPV6).exists():
                    Path(_NO_IPV6).write_text("1")  # whose neighbour discovery would be frames of its own
                for name in names:
                    descriptors.append(_open(name))
            commands = ["link set lo up"]
            commands += [f"link set {name} txqueuelen {length} up" for name, length in names.items()]
            namespace.configure(commands, "the taps of the data ports")
            yield Taps(namespace, tuple(descriptors))
        finally:
            for descriptor in descriptors:
                os.close(descriptor)


def _open(name: str) -> int:
    try:
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
        except BaseException:
            os.close(descriptor)
            raise
    except OSError as error:
        raise LabError(f"the tap {name} cannot be made: {error.strerror}: load the module tun") from error
    return descriptor
