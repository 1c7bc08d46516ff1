"""Rows of the tables of back-to-back frames, recovery and reset, and of where frames were lost, as text."""

from __future__ import annotations

from dataclasses import dataclass

from lab.methods.back_to_back import BackToBack
from lab.methods.recovery import SystemRecovery
from lab.methods.reset import ResetTime
from lab.report.words import mpps, percent, seconds
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
        found.reason,
    )


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
