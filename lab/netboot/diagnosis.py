"""Says in a clause how far a server came in its boot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lab.netboot.trail import Firmware, Trail


def of_service(
    trail: Trail,
    mac: str,
    names: Sequence[str],
    *,
    firmware: Firmware,
    proxy: bool,
    moving: Mapping[str, str],
) -> str:
    """Say how far a server came that the lab's own boot service answers.

    Args:
        trail: what was seen.
        mac: of the server.
        names: of the files, the one that boots first.
        firmware: that the testbed says it has.
        proxy: whether another DHCP server gives the addresses.
        moving: files whose transfer has begun and not ended, and how far it is.

    """
    if trail.requested_at_s is None:
        return f"no DHCP request came from {mac}: its PXE ROM did not run, or its boot NIC has no link"
    if trail.firmware not in (None, firmware):
        return (
            f"{mac} asked as a {str(trail.firmware).upper()} machine (DHCP option 93: {trail.architecture}), but the "
            f"testbed says firmware: {firmware}: correct the testbed or the machine's setup"
        )
    if trail.foreign and not proxy:
        return (
            f"{mac} took the offer of another DHCP server that answers on the boot network: have that server ignore "
            "it, or set mode: proxy"
        )
    if trail.offered_at_s is None:
        return f"{mac} asked for an address and was offered none"
    if trail.given_at_s is None and not proxy:
        return f"{mac} asked for an address and did not take the offered one"
    return of_files(trail, mac, names, moving=moving) or _nothing_fetched(trail, mac, names[0], proxy=proxy)


def of_files(trail: Trail, mac: str, names: Sequence[str], *, moving: Mapping[str, str]) -> str:
    """Say which of the files a server got, and which not and why; empty where nothing was seen of any."""
    sent = [name for name in names if name in trail.sent_at_s]
    cut = {name: how for name, how in {**trail.cut, **moving}.items() if name not in sent}
    words = [f"{' and '.join(sent)} was sent to {mac} in full"] if sent else []
    words += [f"the transfer of {name} to {mac} broke off ({how})" for name, how in cut.items()]
    if len(sent) < len(names) and trail.absent:
        words.append(f"{mac} asked for {trail.absent[-1]}, which is not there")
    return ", and ".join(words)


def _nothing_fetched(trail: Trail, mac: str, first: str, *, proxy: bool) -> str:
    if proxy:
        return (
            f"{mac} was told what to boot and did not fetch {first}: did the network's own DHCP server give it an "
            "address, with a way to this machine?"
        )
    return f"{mac} took the address {trail.ip} and did not fetch {first}"
