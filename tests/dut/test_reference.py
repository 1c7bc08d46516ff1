"""References are brought up by their testbeds, as a user asks for them, and tested as far as they go."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from lab import paths, session
from lab.dut.reference_kernel import NamespaceDut
from lab.dut.reference_model import ModelDut
from lab.dut.subject import known
from lab.errors import DutError, UsageError
from lab.methods.meanwhile import Once
from lab.methods.trial import TrialRequest
from lab.results.writer import read_results
from lab.session import Session
from lab.testbed import Testbed, load
from lab.testbed.behaviour import Behaviour, Picks
from lab.testbed.resources import Reference
from tests.commands import assert_one_line, run_suites

NAMES = ("wire", "dpdk", "linux", "model")
HOPS = {"wire": 0, "dpdk": 0, "linux": 1, "model": 1}

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


def bed(name: str) -> Testbed:
    return load(f"reference-{name}", paths.ROOT / "testbeds")


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def used(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    testbed = bed(name)
    assert isinstance(testbed.dut.machine, Reference)
    folder = tmp_path_factory.mktemp(f"reference-{name}")
    with session.use(testbed, known(testbed.dut.machine), folder, lambda step: None) as used:
        yield used


def test_it_tells_what_it_is(used: Session) -> None:
    told = used.deployed.dut.version()
    assert {"name", "version", "build_id"} <= set(told)
    assert all(told.values())
    assert used.deployed.boot is None
    assert len(used.deployed.dut.ports()) == used.deployed.data_ports == 2


def test_frames_come_back_right_in_both_directions(used: Session, name: str) -> None:
    """Every frame is verified: addresses of its link, TTL, checksum, and the rest as it was sent."""
    assert {direction.hops for direction in used.directions} == {HOPS[name]}
    request = TrialRequest(frame_size_bytes=64, rate_pps=2_000, duration_s=0.3, tagged_rate_pps=500)
    result = used.measurer.measure(request)
    for direction in result.directions:
        assert direction.verified
        assert direction.sent_frames > 0
        assert direction.wrong == ()
    assert result.lost_frames == 0


def test_what_it_counts_is_compared_with_what_was_sent(used: Session, name: str) -> None:
    """A wire does not count; only the model tells the fate of every frame, and then all must add up."""
    request = TrialRequest(frame_size_bytes=64, rate_pps=2_000, duration_s=0.3, tagged_rate_pps=500)
    result = used.measurer.measure(request)
    assert (result.dut_restart, result.lost_frames, result.hop_losses) == ("", 0, ())
    tally = used.deployed.tally()
    assert len(tally.ports) == (0 if name == "wire" else 2)
    assert all(port.rx_frames >= result.sent_frames // 2 for port in tally.ports)
    assert len(result.balances) == (5 if name == "model" else 0)
    assert [side for side in result.balances if not side.adds_up] == []


def test_what_it_cannot_be_asked_is_refused_in_one_line(used: Session) -> None:
    dut = used.deployed.dut
    for ask, count in ((dut.use_cores, 2), (dut.load_routes, 1)):
        with pytest.raises(DutError, match="is a reference device: it cannot ") as refused:
            ask(count)
        assert len(str(refused.value).splitlines()) == 1
    with pytest.raises(UsageError, match="cannot be reset by 'power'"):
        used.deployed.reset("power")


def test_only_a_router_takes_routes(used: Session, name: str) -> None:
    dut = used.deployed.dut
    if isinstance(dut, NamespaceDut):
        assert used.deployed.no_router == ""
        dut.route_add("203.0.113.0/24", "198.19.0.2")
        assert any(line.startswith("203.0.113.0/24 via 198.19.0.2") for line in dut.command("ip route"))
        dut.route_del("203.0.113.0/24")
        with pytest.raises(DutError, match="refused 'ip route del"):
            dut.route_del("203.0.113.0/24")
        return
    assert "no router" in used.deployed.no_router
    with pytest.raises(DutError, match=r"it cannot take the route 203\.0\.113\.0/24"):
        dut.route_add("203.0.113.0/24", "198.19.0.2")


def test_its_counters_are_those_of_its_ports(used: Session, name: str) -> None:
    dut, (first, second) = used.deployed.dut, used.router.ports
    if not isinstance(dut, ModelDut | NamespaceDut):
        assert dut.counters().ports == ()
        return
    dut.clear_counters()
    packet = Ether(src=first.tester_mac, dst=first.dut_mac) / IP(src=first.first_host, dst=second.first_host)
    used.router.send(first, packet / UDP() / Raw(bytes(100))).only_at(second)
    counted = dut.counters()
    assert [(port.rx_packets, port.tx_packets) for port in counted.ports] == [(1, 0), (0, 1)]
    assert [(port.rx_bytes, port.tx_bytes) for port in counted.ports] == [(142, 0), (0, 142)]
    balance = dut.conservation()
    assert balance is None or balance.taken_in == balance.accounted_for == 1


def test_while_stopped_it_forwards_nothing(used: Session, name: str) -> None:
    if name == "wire":
        pytest.skip("a wire cannot be stopped")
    dut, (first, second) = used.deployed.dut, used.router.ports
    packet = used.router.ipv4(first, second) / UDP() / Raw(bytes(20))
    dut.stop()
    used.router.send(first, packet, expect=0, wait_s=0.2).assert_nothing()
    dut.start()
    assert used.router.send(first, packet).at(second)


@pytest.mark.parametrize("name", ["model"], indirect=True)
def test_a_trial_says_what_the_model_did(used: Session) -> None:
    """Through the official client and all of the lab: loss, copies and reordering of both directions, to a frame."""
    dut = used.deployed.dut
    assert isinstance(dut, ModelDut)
    told = dut.model.behaviour
    move = Picks(frames=tuple(range(5, 300, 17)))  # none near the end, where too few would follow
    dut.model.behave(Behaviour(lose=Picks(every=11), duplicate=Picks(every=13), move=move, move_places=2))
    result = used.measurer.measure(TrialRequest(frame_size_bytes=64, rate_pps=4_000, duration_s=0.5, tagged=False))
    truth = {direction.in_port: direction for direction in dut.model.truth()}
    for direction in result.directions:
        real = truth[direction.tx_port]
        assert real.lost > 0 and real.duplicated > 0 and real.moved > 0
        assert direction.sent_frames == real.received + direction.refused_frames
        assert direction.received_frames == real.received - real.lost
        assert [(wrong.kind, wrong.frames) for wrong in direction.wrong] == [("duplicate", real.duplicated)]
    dut.model.behave(Behaviour(move=move, move_places=2))
    result = used.measurer.measure(
        TrialRequest(frame_size_bytes=64, rate_pps=4_000, duration_s=0.5, tagged_rate_pps=2_000)
    )
    moved = {direction.in_port: direction.moved for direction in dut.model.truth()}
    assert min(moved.values()) > 0
    for record in result.reordering:  # of the tagged half of the frames; some of the others overtook only bulk frames
        assert 0 < record.reordered <= moved[record.tx_port]
        assert (record.lost, record.duplicates, record.complete) == (0, 0, True)
    dut.model.behave(told)


@pytest.mark.parametrize("name", ["model"], indirect=True)
def test_where_frames_were_lost_is_what_the_model_says(used: Session) -> None:
    """Reset in a trial, it loses all that comes; a tenth of what comes afterwards or before it loses as it was told."""
    dut = used.deployed.dut
    assert isinstance(dut, ModelDut)
    assert used.deployed.resets() == ("model",)
    told = dut.model.behaviour
    dut.model.behave(Behaviour(lose=Picks(every=10)))
    resetting = Once(used.measurer, lambda: used.deployed.reset("model"), 0.05)
    result = resetting.measure(TrialRequest(frame_size_bytes=64, rate_pps=2_000, duration_s=0.8, tagged=False))
    truth = dut.model.truth()
    refused = sum(direction.refused_frames for direction in result.directions)
    found = {(loss.hop, loss.reason, loss.port): loss.frames for loss in result.hop_losses if loss.hop != "generator"}
    assert resetting.problem == ""
    assert sum(frames for (_, reason, _), frames in found.items() if reason == "refused_frames") == refused
    for direction in truth:
        assert found["other drops", "dead", direction.in_port] == direction.lost_dead > 0
        assert found["other drops", "asked", direction.in_port] == direction.lost_asked > 0
    assert sum(found.values()) == result.lost_frames
    assert [side for side in result.balances if not side.adds_up] == []
    dut.model.behave(told)


def test_a_user_runs_a_suite_on_it_and_gets_a_report(tmp_path: Path) -> None:
    tests = ["suites/ipv4_routing/test_forwarding.py", "suites/ipv4_routing/test_zz_balance.py", "suites/boot"]
    done = run_suites([*tests, "--testbed=reference-model"], tmp_path)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    results = read_results(tmp_path / "reports" / "latest" / "results.json")
    assert results.complete
    assert (results.image, results.boot) == (None, None)
    assert results.dut is not None
    assert (results.dut.name, results.dut.ports, results.dut.cores) == ("model", 2, 1)
    assert "nothing is booted" in results.dut.details["reference"]
    assert '"capacity_pps":100000' in results.dut.details["behaviour"]
    outcomes = {test.test.split("::")[-1]: test for test in results.tests}
    assert outcomes.pop("test_no_packet_is_unaccounted_for").outcome == "passed"
    assert {test.outcome for test in outcomes.values()} == {"skipped"}
    assert {test.message.split(":")[0] for test in outcomes.values()} == {
        "model is a reference and no router",
        "the testbed has a reference, of which nothing is booted",
    }
    assert (tmp_path / "reports" / "latest" / "index.html").stat().st_size > 100_000


def test_an_image_on_a_reference_is_refused(tmp_path: Path) -> None:
    done = run_suites(["suites/boot", "--testbed=reference-wire", "--image=pix-padded"], tmp_path)
    assert "boots nothing" in assert_one_line(done, UsageError.exit_code)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("program: model", "program: wire", "a behaviour goes with the programs model"),
        ("program: model", "program: modell", "program"),
        ("capacity_pps: 100000", "capacity: 1000000", "did you mean 'capacity_pps'?"),
        ("capacity_pps: 100000", "move_places: 3", "move and one of move_places and move_ns go together"),
        ("queue_size: 1024", "queue_size: 77", "queue_size"),
        ("queue_frames: 1000", "queue_frames: 0", "behaviour.queue_frames"),
    ],
)
def test_a_wrong_reference_is_one_line_with_its_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = (paths.ROOT / "testbeds" / "reference-model.yaml").read_text()
    assert old in text
    (tmp_path / "mine.yaml").write_text(text.replace(old, new))
    with pytest.raises(UsageError) as refused:
        load("mine", tmp_path)
    message = str(refused.value)
    assert says in message
    assert "mine.yaml line" in message
    assert "\n" not in message
