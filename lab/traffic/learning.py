"""Learning frames, by which a DUT comes to know before a trial who is on its links (RFC 2544 section 23 b)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scapy.layers.l2 import ARP, Ether

from lab.errors import DutError
from lab.traffic.models import SentFrame
from lab.traffic.protocol import TrafficGenerator
from lab.traffic.router import SHORTEST_FRAME_BYTES, RouterPort

ANSWER_LIMIT_S = 2.0


def learner(generator: TrafficGenerator, ports: Sequence[RouterPort], *, answered: bool) -> Callable[[], None]:
    """Return what sends an ARP request from the tester at each port for the address of the DUT on that link.

    A router takes the tester's addresses from it (RFC 826) and answers; a bridge learns where the tester is.

    Args:
        generator: whose ports are at the other ends.
        ports: of the DUT.
        answered: the DUT is a router; False: no answer is waited for.

    Returns:
        A callable, which raises DutError where a port does not answer.

    """
    requests = [SentFrame(port=port.index, frame=_request(port)) for port in ports]

    def learn() -> None:
        if not answered:
            generator.exchange(requests, [port.index for port in ports], wait_s=0.0)
            return
        captured = generator.exchange(
            requests, [port.index for port in ports], wait_s=ANSWER_LIMIT_S, expect=len(requests)
        )
        came = {(frame.port, Ether(frame.frame)[ARP].psrc) for frame in captured if ARP in Ether(frame.frame)}
        silent = [port for port in ports if (port.index, port.dut_address) not in came]
        if silent:
            raise DutError(
                f"port {silent[0].index} of the DUT does not answer ARP requests for {silent[0].dut_address} within "
                f"{ANSWER_LIMIT_S:g} s: no trial can be run through it"
            )

    return learn


def _request(port: RouterPort) -> bytes:
    packet = Ether(src=port.tester_mac, dst="ff:ff:ff:ff:ff:ff") / ARP(
        op="who-has", hwsrc=port.tester_mac, psrc=port.tester_address, pdst=port.dut_address
    )
    return bytes(packet).ljust(SHORTEST_FRAME_BYTES, b"\0")
