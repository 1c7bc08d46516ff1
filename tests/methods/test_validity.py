"""What makes a trial invalid, and what must not."""

import pytest

from lab.methods.trial import DirectionCount, Disturbance, TrialRequest, TrialResult, burst
from lab.methods.validity import ValidityLimits, disturbed, explained_frames, judge

NDR_AND_PDR = ValidityLimits().telling_apart(0.0, 0.005)
STALL = Disturbance(who="vCPU 1", core=1, run_delay_ns=2_000_000)


def trial(
    sent: int, received: int, *disturbances: Disturbance, intended: int = 1_000_000, **facts: object
) -> TrialResult:
    """A trial of 1 s in one direction."""
    made = TrialResult(
        request=TrialRequest(frame_size_bytes=64, rate_pps=intended, duration_s=1.0),
        started_at_s=0.0,
        duration_s=1.0,
        directions=(
            DirectionCount(tx_port=0, rx_port=1, intended_frames=intended, sent_frames=sent, received_frames=received),
        ),
        disturbances=disturbances,
    )
    return made.model_copy(update=facts)


def test_a_clean_and_a_lossy_trial_both_count() -> None:
    assert judge(trial(1_000_000, 1_000_000), NDR_AND_PDR) == ()
    assert judge(trial(1_000_000, 900_000), NDR_AND_PDR) == ()
    assert judge(trial(1_000_000, 999_999), NDR_AND_PDR) == ()


@pytest.mark.parametrize(("sent", "valid"), [(999_000, True), (998_999, False)])
def test_the_generator_may_fall_a_thousandth_short(sent: int, valid: bool) -> None:
    reasons = judge(trial(sent, sent), NDR_AND_PDR)
    assert (reasons == ()) is valid
    assert valid or "fell 0.10 % short" in reasons[0]


def test_a_shortfall_of_one_direction_is_not_hidden_by_the_other() -> None:
    whole = trial(1_000_000, 1_000_000)
    short = whole.directions[0].model_copy(
        update={"tx_port": 1, "rx_port": 0, "sent_frames": 500_000, "received_frames": 0}
    )
    reasons = judge(whole.model_copy(update={"directions": (whole.directions[0], short)}), NDR_AND_PDR)
    assert len(reasons) == 1
    assert reasons[0].startswith("port 1 to 0: the generator fell 50.00 % short")


def test_more_received_than_sent_is_invalid() -> None:
    assert "1 frames more received" in judge(trial(1_000_000, 1_000_001), NDR_AND_PDR)[0]


def test_nothing_sent_and_unsettled_counters_are_invalid() -> None:
    assert "the generator sent nothing" in judge(trial(0, 0), NDR_AND_PDR)
    assert "still moved" in judge(trial(1_000_000, 1_000_000, settled=False), NDR_AND_PDR)[0]


def test_what_the_driver_noted_is_kept_once() -> None:
    noted = trial(1_000_000, 1_000_000, invalid=("link of port 0 went down",))
    assert judge(noted, NDR_AND_PDR) == ("link of port 0 went down",)
    assert judge(noted.model_copy(update={"invalid": judge(noted, NDR_AND_PDR)}), NDR_AND_PDR) == noted.invalid


def test_a_disturbed_trial_without_loss_counts_and_is_marked() -> None:
    clean = trial(1_000_000, 1_000_000, STALL)
    assert judge(clean, NDR_AND_PDR) == ()
    assert disturbed(clean, NDR_AND_PDR) == ("vCPU 1 on core 1: waited for its core 2.00 ms",)


def test_loss_that_the_disturbance_can_explain_is_invalid() -> None:
    # 2 ms at 1 Mpps are 2000 frames, by the factor 1.5: 3000.
    (reason,) = judge(trial(1_000_000, 998_500, STALL), NDR_AND_PDR)
    assert "1500 frames lost, of which the test host can have cost 1500" in reason
    assert "vCPU 1" in reason


def test_loss_beyond_what_the_disturbance_can_explain_counts() -> None:
    assert judge(trial(1_000_000, 996_000, STALL), NDR_AND_PDR) == ()
    assert judge(trial(1_000_000, 900_000, STALL), NDR_AND_PDR) == ()


def test_loss_on_either_side_of_a_goal_is_invalid_for_that_goal_only() -> None:
    around_pdr = trial(1_000_000, 994_000, STALL)  # 0.6 % lost, 0.3 % of the DUT at least
    assert judge(around_pdr, NDR_AND_PDR) != ()
    assert judge(around_pdr, ValidityLimits().telling_apart(0.0)) == ()
    assert judge(around_pdr, ValidityLimits()) == ()


def test_pauses_shorter_than_a_ring_explain_nothing() -> None:
    short = Disturbance(who="generator", core=0, gap_max_ns=40_000, gap_total_ns=5_000_000, run_delay_ns=4_000_000)
    assert judge(trial(1_000_000, 999_999, short), NDR_AND_PDR) == ()
    assert disturbed(trial(1_000_000, 999_999, short), NDR_AND_PDR) == ()


@pytest.mark.parametrize(
    ("disturbance", "explained"),
    [
        (Disturbance(who="g", core=0, gap_max_ns=400_000, gap_total_ns=10_000_000), 15_000),
        (Disturbance(who="g", core=0, gap_max_ns=400_000, gaps_over_100us=2, gap_total_ns=10_000_000), 1_200),
        (Disturbance(who="g", core=0, gap_max_ns=90_000, gaps_over_100us=0, gap_total_ns=10_000_000), 135),
        (Disturbance(who="g", core=0, gap_max_ns=400_000, gaps_over_100us=2, gap_total_ns=500_000), 750),
        (Disturbance(who="g", core=0, gap_max_ns=400_000, gaps_over_100us=2), 1_200),
        (Disturbance(who="g", core=0, gap_max_ns=400_000, run_delay_ns=50_000_000), 600),
        (Disturbance(who="v", core=1, run_delay_ns=1_000_000, steal_ns=3_000_000), 4_500),
        (Disturbance(who="v", core=1, run_delay_ns=40_000), 0),
        (Disturbance(who="v", core=1, run_delay_ns=7_000_000_000), 1_500_000),
    ],
)
def test_how_many_frames_a_disturbance_explains_at_1_mpps(disturbance: Disturbance, explained: int) -> None:
    assert explained_frames(trial(1_000_000, 0, disturbance), NDR_AND_PDR) == pytest.approx(explained)


def test_the_gaps_of_a_loop_add_up() -> None:
    gaps = Disturbance(who="generator", core=0, gap_max_ns=400_000, gap_total_ns=10_000_000)
    assert judge(trial(1_000_000, 999_000, gaps), NDR_AND_PDR) != ()


def test_refused_frames_are_the_loss_of_the_dut() -> None:
    counted = trial(1_000_000, 900_000)
    refused = counted.directions[0].model_copy(update={"refused_frames": 100_000})
    result = counted.model_copy(update={"directions": (refused,)})
    assert judge(result, NDR_AND_PDR) == ()
    assert result.loss_ratio == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("sending_s", "received", "valid"),
    [(0.0101, 10_000, True), (0.0102, 10_000, False), (0.0102, 9_999, True), (None, 10_000, True)],
)
def test_a_burst_that_passed_was_sent_back_to_back(sending_s: float | None, received: int, valid: bool) -> None:
    """10,000 frames at 1 Mpps are 10 ms; a lossy one that took longer would have lost frames at full speed, too."""
    made = trial(10_000, received, intended=10_000, request=burst(64, 10_000, 995_000.0, 1))
    counted = made.directions[0].model_copy(update={"sending_s": sending_s})
    reasons = judge(made.model_copy(update={"directions": (counted,)}), NDR_AND_PDR)
    assert (reasons == ()) is valid
    assert valid or reasons == ("port 0 to 1: the burst took 10.20 ms and not 10.05 ms: not back to back",)
