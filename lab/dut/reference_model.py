"""The model as a known device under test."""

from __future__ import annotations

import time
from typing import Any

from lab.dut.counters import Conservation, Counters, PortCounters
from lab.dut.model import ModelForwarder, Truth
from lab.dut.reference import WireDut
from lab.dut.reset import ResetRecord
from lab.dut.subject import Known
from lab.metrics.hops import PortTally, Tally
from lab.testbed.model import Dut as Node

DEAD_S = 0.4
"""How long it forwards nothing after its reset."""


class ModelDut(WireDut):
    """The model, which does to frames what its testbed says, and keeps the truth about it (``model.truth()``)."""

    def __init__(self, known: Known, node: Node, model: ModelForwarder) -> None:
        """Bind to a model that is up."""
        super().__init__(known, node, [port.mac for port in node.ports])
        self.model = model

    def version(self) -> dict[str, Any]:
        """Return ``name``, ``version``, ``build_id``, and what it was told to do, as far as that is unlike a wire."""
        behaviour = self.model.behaviour.model_dump_json(exclude_defaults=True)
        return {**super().version(), "behaviour": behaviour}

    def cores(self) -> list[dict[str, Any]]:
        """Return the core that polls."""
        return [{"core": 1, "role": "exclusive", "state": "online"}]

    def start(self) -> None:
        """Start forwarding."""
        self.model.start()

    def stop(self) -> None:
        """Stop forwarding."""
        self.model.stop()

    def reset(self, kind: str) -> ResetRecord:
        """Lose all frames for ``DEAD_S`` from now on."""
        began_s = time.time()
        self.model.die(DEAD_S * 1e3)
        time.sleep(DEAD_S)
        return ResetRecord(kind=kind, began_at_s=began_s, phases_s={"dead": DEAD_S})

    def counters(self) -> Counters:
        """Return the truth as counters: received by the port in, sent by the port out, drops by the port in."""
        truth = {direction.in_port: direction for direction in self.model.truth()}
        sent = {direction.out_port: direction for direction in truth.values()}
        return Counters(
            ports=tuple(
                PortCounters(
                    port=port,
                    rx_packets=came.received,
                    rx_bytes=came.received_bytes,
                    tx_packets=sent[port].sent,
                    tx_bytes=sent[port].sent_bytes,
                    drops=_drops(came),
                )
                for port, came in sorted(truth.items())
            )
        )

    def tally(self) -> Tally:
        """Return the truth: its copies are frames that it originated."""
        truth = {direction.in_port: direction for direction in self.model.truth()}
        sent = {direction.out_port: direction.sent for direction in truth.values()}
        return Tally(
            ports=tuple(
                PortTally(port=port, rx_frames=came.received, tx_frames=sent[port], drops=_drops(came))
                for port, came in sorted(truth.items())
            ),
            originated=sum(direction.duplicated for direction in truth.values()),
            held=sum(direction.held for direction in truth.values()),
            complete=True,
        )

    def clear_counters(self) -> None:
        """Count from here on; frames are numbered from 0 again."""
        self.model.begin()

    def conservation(self) -> Conservation | None:
        """Return the balance: its copies are frames that it originated."""
        truth = self.model.truth()
        return Conservation(
            rx_packets=sum(direction.received for direction in truth),
            originated=sum(direction.duplicated for direction in truth),
            tx_packets=sum(direction.sent for direction in truth),
            dropped=sum(direction.lost for direction in truth),
            consumed=0,
            held=sum(direction.held for direction in truth),
        )


def _drops(came: Truth) -> dict[str, int]:
    return {"asked": came.lost_asked, "queue_full": came.lost_capacity, "dead": came.lost_dead}
