"""It boots again from nothing: after its power was cycled, and when it resets itself."""

from __future__ import annotations

import pytest

from lab.dut.bring_up import Deployed
from lab.dut.record import BootRecord
from lab.images import Manifest
from lab.metrics.hops import restart
from lab.run import Run


@pytest.mark.parametrize("kind", ["power", "software"])
def test_it_boots_again_and_proves_it_again(
    boot: BootRecord, deployed: Deployed, image: Manifest, run: Run, kind: str
) -> None:
    """The image is fetched once more, proves what it is, and is configured as before; the console log goes on."""
    if kind not in deployed.resets():
        pytest.skip(f"the server has no {kind} reset")
    log = run.folder / "console.log"
    before, ports, said = deployed.tally(), deployed.dut.ports(), log.read_bytes().count(image.ready_text.encode())
    record = deployed.reset(kind)
    again = record.boot
    assert again is not None
    assert again is not boot
    assert (again.asked_sha256, again.served_sha256) == (boot.asked_sha256, boot.asked_sha256)
    assert (again.booted_sha256, again.booted_build_id) == (boot.booted_sha256, boot.booted_build_id)
    assert again.served.requested_at_s is None or again.served.requested_at_s >= record.began_at_s
    assert restart(before, deployed.tally()), "it says of itself that it has not been booted since"
    assert [(port["mac"], port["state"]) for port in deployed.dut.ports()] == [(p["mac"], p["state"]) for p in ports]
    assert log.read_bytes().count(image.ready_text.encode()) == said + 1
    run.record_value(test=f"{kind} reset", metric="time until it routes again", value=record.duration_s, unit="s")
