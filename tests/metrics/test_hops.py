"""Where frames were lost, and what does not add up, by counts whose story is known."""

from __future__ import annotations

import re

import pytest

from lab import paths
from lab.methods.trial import DirectionCount, HopBalance, HopLoss, WrongFrames
from lab.metrics.hops import HOP_OF_REASON, NO_TEST_FRAMES, PortTally, Tally, balances, losses, restart

STRAIGHT = {0: 0, 1: 1}


def count(tx: int, sent: int, received: int, refused: int = 0, intended: int | None = None) -> DirectionCount:
    return DirectionCount(
        tx_port=tx,
        rx_port=1 - tx,
        intended_frames=sent if intended is None else intended,
        sent_frames=sent,
        received_frames=received,
        refused_frames=refused,
    )


def tally(first: tuple[int, int], second: tuple[int, int], complete: bool = True, **facts: object) -> Tally:
    """Of two ports (frames received, frames sent); ``drops0`` are those of the first."""
    drops = facts.pop("drops0", {})
    ports = (
        PortTally(port=0, rx_frames=first[0], tx_frames=first[1], drops=drops),  # type: ignore[arg-type]
        PortTally(port=1, rx_frames=second[0], tx_frames=second[1], drops={}),
    )
    return Tally(ports=ports, complete=complete).model_copy(update=facts)


def found(*directions: DirectionCount, counted: Tally) -> list[tuple[str, int, str, int | None]]:
    return [(loss.hop, loss.frames, loss.reason, loss.port) for loss in losses(directions, counted, STRAIGHT)]


def wrong_balances(*directions: DirectionCount, counted: Tally) -> list[HopBalance]:
    return [side for side in balances(directions, counted, STRAIGHT) if not side.adds_up]


def test_every_drop_reason_of_the_image_has_its_hop() -> None:
    listed = (paths.ROOT / "firmware-images/pix/qgm/drops.h").read_text()
    reasons = set(re.findall(r"^\s+D\((\w+)\)", listed, re.MULTILINE))
    assert len(reasons) > 20
    assert reasons - set(HOP_OF_REASON) == {reason for reason in reasons if reason.startswith("arp_")} == NO_TEST_FRAMES
    assert set(HOP_OF_REASON.values()) == {"Rx ring", "FIB", "inter-core ring", "Tx ring", "other drops"}


def test_every_hop_is_told_with_its_port_in_the_order_of_the_way() -> None:
    """100 of 1000 are refused, 10 get lost on the link, 58 are dropped, 3 held, 2 get lost on the link back."""
    lossy = count(0, sent=1000, received=827, refused=100, intended=1005)
    drops = {"no_route": 40, "tx_queue_full": 7, "ring_full": 5, "ttl_expired": 6, "arp_not_for_us": 1}
    counted = tally((891, 500), (500, 829), drops0=drops, held=3, consumed=0)
    assert found(lossy, count(1, 500, 500), counted=counted) == [
        ("generator", 5, "", 0),
        ("link to the DUT", 9, "", 0),
        ("Rx ring", 100, "refused_frames", 0),
        ("FIB", 40, "no_route", 0),
        ("inter-core ring", 5, "ring_full", 0),
        ("Tx ring", 7, "tx_queue_full", 0),
        ("other drops", 6, "ttl_expired", 0),
        ("held", 3, "", None),
        ("link from the DUT", 2, "", 1),
        ("not accounted for", 1, "", None),
    ]


def test_without_a_loss_and_without_counters_there_is_nothing_to_tell() -> None:
    assert found(count(0, 10, 10), counted=tally((10, 0), (0, 10), drops0={"no_route": 3})) == []
    assert found(count(0, 10, 5), counted=Tally()) == []


def test_a_dut_that_tells_no_reason_leaves_frames_unaccounted_for_and_is_not_accused() -> None:
    counted = tally((1000, 0), (0, 900), complete=False)
    assert found(count(0, 1000, 900), counted=counted) == [("not accounted for", 100, "", None)]
    assert balances([count(0, 1000, 900)], counted, STRAIGHT) == ()


def test_all_sides_add_up_with_a_loss_and_with_frames_that_are_none_of_the_test() -> None:
    """An ARP request comes in and is answered, an ICMP error goes out, a frame held from before leaves."""
    counted = tally((1001, 2), (0, 951), drops0={"no_route": 50}, originated=1, held=-1)
    assert wrong_balances(count(0, 1000, 950), counted=counted) == []
    assert [loss for loss in losses([count(0, 1000, 950)], counted, STRAIGHT) if loss.hop != "FIB"] == []


@pytest.mark.parametrize(
    ("direction", "counted", "hop", "port"),
    [
        (count(0, 1000, 900), tally((900, 0), (0, 900)), "link to the DUT", 0),
        (count(0, 1000, 900), tally((1000, 0), (0, 900)), "DUT", None),
        (count(0, 1000, 1000), tally((1000, 0), (0, 1000), held=1), "DUT", None),
        (count(0, 1000, 900), tally((1000, 0), (0, 1000)), "link from the DUT", 1),
        (count(0, 1000, 950), tally((1000, 0), (0, 900), drops0={"no_route": 100}), "link from the DUT", 1),
    ],
)
def test_what_does_not_add_up_is_named(direction: DirectionCount, counted: Tally, hop: str, port: int | None) -> None:
    (wrong,) = wrong_balances(direction, counted=counted)
    assert (wrong.hop, wrong.port) == (hop, port)


def test_a_wrong_frame_was_received_all_the_same() -> None:
    wrong = WrongFrames(kind="duplicate", frames=7, port=1, reason="", first_hex="00")
    direction = count(0, 1000, 1000).model_copy(update={"wrong": (wrong,)})
    assert wrong_balances(direction, counted=tally((1000, 0), (0, 1007), originated=7)) == []


def test_ports_are_compared_as_they_are_cabled() -> None:
    crossed = {0: 1, 1: 0}
    counted = tally((0, 10), (10, 0))
    assert all(side.adds_up for side in balances([count(0, 10, 10)], counted, crossed))
    assert losses([count(0, 10, 8)], counted, crossed) == (HopLoss(hop="link from the DUT", frames=2, port=0),)


def test_differences_are_of_two_times_and_a_restart_shows() -> None:
    before = tally((100, 20), (5, 6), drops0={"no_route": 4}, boot="7", held=2, originated=3)
    after = tally((150, 20), (5, 56), drops0={"no_route": 9, "runt": 1}, boot="7", originated=4)
    since = after.since(before)
    assert since.ports[0] == PortTally(port=0, rx_frames=50, tx_frames=0, drops={"no_route": 5, "runt": 1})
    assert (since.held, since.originated, since.complete) == (-2, 1, True)
    assert restart(before, after) == ""
    assert restart(before, after.model_copy(update={"boot": "8"})) == "its boot was 7 and is 8"
    assert restart(after, before) == "its port 0 had received 150 frames and now 100"
    assert "no port 0 before" in restart(Tally(), tally((0, 0), (0, 0)))
