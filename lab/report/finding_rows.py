"""Rows of the tables of what methods found beyond rates, and of where frames were lost, as text."""

from __future__ import annotations

from dataclasses import dataclass

from lab.methods.back_to_back import BackToBack
from lab.methods.critical_load import CriticalLoad
from lab.methods.interleaved import InterleavedComparison
from lab.methods.mrr import Mrr
from lab.methods.recovery import SystemRecovery
from lab.methods.reset import ResetTime
from lab.methods.soak import Soak
from lab.report.words import microseconds, mpps, percent, seconds
from lab.results.finding import Finding
from lab.results.model import Results


@dataclass(frozen=True)
class Row:
    """One line of a table: its cells, and a sentence below it that may be empty."""

    cells: tuple[str, ...]
    remark: str = ""


def back_to_back_rows(results: Results) -> list[Row]:
    """Return size, load, average, least, greatest, deviation, implied and corrected buffer time, trials."""
    return [_back_to_back(one, one.back_to_back) for one in results.findings if one.back_to_back]


def _back_to_back(finding: Finding, found: BackToBack) -> Row:
    deviation = "-" if found.std_frames is None else f"{found.std_frames:.1f}"
    doubt = "pauses of the test host explain the loss of a burst in every attempt: more may be possible"
    return Row(
        (
            _size(finding, found.frame_size_bytes),
            mpps(found.burst_rate_pps),
            f"{found.burst_frames:.1f}{' or more' if found.unlimited else ''}",
            str(found.min_frames),
            str(found.max_frames),
            deviation,
            seconds(found.implied_buffer_s),
            seconds(found.corrected_buffer_s),
            _trials(found.trials, found.invalid_trials),
        ),
        "; ".join(filter(None, (found.limit, found.reason, doubt if found.in_doubt else ""))),
    )


def recovery_rows(results: Results) -> list[Row]:
    """Return size, overload, loss in it, load after it, recovery time, least, greatest, resolution, trials."""
    return [_recovery(one, one.recovery) for one in results.findings if one.recovery]


def _recovery(finding: Finding, found: SystemRecovery) -> Row:
    losses = [one.overload_loss_ratio for one in found.repetitions]
    resolution = max((one.frame_time_s for one in found.repetitions), default=None)
    limited = f"the overload is what the {found.limited_by} allows" if found.limited_by else ""
    doubt = f"{found.in_doubt} of {len(found.repetitions)} times may be those of pauses of the test host"
    return Row(
        (
            _size(finding, found.frame_size_bytes),
            f"{mpps(found.overload_pps)} ({found.overload_percent:.0f} %)",
            percent(sum(losses) / len(losses)) if losses else "-",
            mpps(found.relief_pps),
            seconds(found.recovery_s),
            seconds(found.min_s),
            seconds(found.max_s),
            seconds(resolution),
            _trials(found.trials, found.invalid_trials),
        ),
        "; ".join(filter(None, (found.reason, limited, doubt if found.in_doubt else ""))),
    )


def reset_rows(results: Results) -> list[Row]:
    """Return kind, size, load, reset time by lost frames and by time stamps, frames lost, repetitions, trials."""
    return [_reset(one, one.reset) for one in results.findings if one.reset]


def _reset(finding: Finding, found: ResetTime) -> Row:
    late = f"by lost frames up to {seconds(found.uncertain_s)} more" if found.uncertain_s else ""
    return Row(
        (
            found.kind,
            _size(finding, found.frame_size_bytes),
            mpps(found.rate_pps),
            seconds(found.by_loss_s),
            seconds(found.by_time_s),
            ", ".join(str(one.lost_frames) for one in found.repetitions),
            str(len(found.repetitions)),
            _trials(found.trials, found.invalid_trials),
        ),
        "; ".join(filter(None, (found.reason, late))),
    )


def receive_rate_rows(results: Results) -> list[Row]:
    """Return size, offered load, mean received, deviation, least, greatest, loss, disturbed trials, trials."""
    return [_receive_rate(one, one.receive_rate) for one in results.findings if one.receive_rate]


def _receive_rate(finding: Finding, found: Mrr) -> Row:
    return Row(
        (
            _size(finding, found.frame_size_bytes),
            f"{mpps(found.rate_pps)} ({found.limited_by})",
            mpps(found.mean_pps),
            mpps(found.stdev_pps),
            mpps(min(found.received_pps)),
            mpps(max(found.received_pps)),
            percent(found.loss_ratio),
            f"{found.disturbed_trials} of {len(found.received_pps)}",
            _trials(found.trials, found.invalid_trials),
        )
    )


def soak_rows(results: Results) -> list[Row]:
    """Return size, load, rate, parts, parts with loss, loss ratio, its lower and upper bound, trials."""
    return [_soak(one, one.soak) for one in results.findings if one.soak]


def _soak(finding: Finding, found: Soak) -> Row:
    return Row(
        (
            _size(finding, found.frame_size_bytes),
            found.load,
            mpps(found.rate_pps),
            f"{sum(chunk.counts for chunk in found.chunks)} x {found.chunk_s:g} s",
            str(found.lossy_chunks),
            percent(found.loss_ratio),
            percent(found.loss_ratio_low),
            percent(found.loss_ratio_high),
            _trials(found.trials, found.invalid_trials),
        ),
        found.sentence,
    )


def critical_load_rows(results: Results) -> list[Row]:
    """Return size, loss ratio, share of trials that may exceed it, lower and upper bound, estimate, trials."""
    return [_critical_load(one, one.critical_load) for one in results.findings if one.critical_load]


def _critical_load(finding: Finding, found: CriticalLoad) -> Row:
    return Row(
        (
            _size(finding, found.frame_size_bytes),
            percent(found.loss_ratio),
            percent(found.exceed_ratio),
            mpps(found.lower_pps),
            mpps(found.upper_pps),
            mpps(found.estimate_pps),
            f"{found.chunks} x {found.chunk_s:g} s",
            _trials(found.trials, found.invalid_trials),
        )
    )


def in_turns_rows(results: Results) -> list[Row]:
    """Return size, load, both sides' medians, ratio with its interval, effect, turns, trials."""
    return [_in_turns(one, one.in_turns) for one in results.findings if one.in_turns]


def _in_turns(finding: Finding, found: InterleavedComparison) -> Row:
    ratio = found.ratio
    return Row(
        (
            _size(finding, found.frame_size_bytes),
            mpps(found.rate_pps),
            f"{found.first}: {mpps(ratio.against_rate)}",
            f"{found.second}: {mpps(ratio.rate)}",
            f"{ratio.ratio:.3f}",
            f"{ratio.low:.3f} to {ratio.high:.3f}",
            f"{ratio.effect:.2f}",
            str(ratio.windows),
            _trials(found.trials, found.invalid_trials),
        ),
        found.sentence,
    )


def jitter_rows(results: Results) -> list[Row]:
    """Return size, load, ports, PDV at 50, 99 and 99.9 % and at most, IPDV least, mean of the absolute, greatest."""
    rows = []
    for one in results.latency:
        found = one.jitter
        if found is None:
            continue
        pdv = [microseconds(found.pdv_percentiles_us.get(p)) for p in ("50", "99", "99.9")]
        ipdv = ("-", "-", "-")
        if found.ipdv is not None:
            ipdv = (f"{found.ipdv.min_us:.3g}", f"{found.ipdv.mean_abs_us:.3g}", f"{found.ipdv.max_us:.3g}")
        way = f"{one.tx_port} to {one.rx_port}"
        rows.append(Row((str(one.frame_size_bytes), one.load, way, *pdv, microseconds(found.pdv_max_us), *ipdv)))
    return rows


def order_rows(results: Results) -> list[Row]:
    """Return size, load, ports, arrivals judged, 3-reordering, late time and extent at 99 %, runs, discontinuities."""
    rows = []
    for one in results.reordering:
        for record in one.records:
            detail = record.detail
            if detail is None:
                continue
            late_ns = detail.late_time_ns.percentile(99.0) if detail.late_time_ns else None
            extent = detail.extent.percentile(99.0)
            density = detail.displacement
            kept = next((share for value, share in density.shares if value == 0), 0.0)
            rows.append(
                Row(
                    (
                        str(one.frame_size_bytes),
                        one.load,
                        f"{record.tx_port} to {record.rx_port}",
                        str(detail.judged),
                        percent(detail.n_reordering.ratio(3)),
                        "-" if extent is None else str(extent),
                        microseconds(None if late_ns is None else late_ns / 1e3),
                        str(detail.discontinuities),
                        "-" if not detail.runs.lengths.count else f"{detail.runs.lengths.mean:.1f}",
                        percent(kept),
                    ),
                    "" if detail.complete else "of the recorded arrivals: the generator's log was full",
                )
            )
    return rows


def hop_rows(results: Results) -> list[Row]:
    """Return method, size, hop, counter, frames and their share of all that the method's valid trials lost."""
    rows = []
    for search in results.searches:
        lost: dict[tuple[str, str], int] = {}
        for trial in search.trials:
            for hop in trial.hop_losses if trial.valid else ():
                lost[hop.hop, hop.reason] = lost.get((hop.hop, hop.reason), 0) + hop.frames
        total = sum(lost.values())
        for (hop_name, reason), frames in sorted(lost.items(), key=lambda item: -item[1]):
            cells = (search.kind, str(search.frame_size_bytes), hop_name, reason or "-", str(frames))
            rows.append(Row((*cells, percent(frames / total))))
    return rows


def _size(finding: Finding, size_bytes: int) -> str:
    return f"{size_bytes}, {finding.variant}" if finding.variant else str(size_bytes)


def _trials(trials: int, invalid: int) -> str:
    return f"{trials} ({invalid})"
