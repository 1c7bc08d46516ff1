"""What the worker tells of a run, as the lab's own records."""

from __future__ import annotations

from typing import Any

from lab.methods.trial import DelayVariation, Disturbance, WrongFrames
from lab.traffic import histogram
from lab.traffic.models import (
    EngineReport,
    LossRecord,
    PortReport,
    SequenceRecord,
    TaggedRecord,
    VerifiedDirection,
)


def tagged_record(record: dict[str, Any]) -> TaggedRecord:
    """Make one record of what the server's own extra methods told or, failing these, TRex's statistics."""
    trex = record["trex"] or {}
    errors = trex.get("err_cntrs", {})
    counts = {"out_of_order": errors.get("out_of_order", 0), "duplicates": errors.get("dup", 0)}
    exact = record.get("latency")
    if exact is not None:
        arrivals, sequence = record["arrivals"], record["sequence"]
        return TaggedRecord(
            pg_id=record["pg_id"],
            count=exact["count"],
            min_ns=exact["min_ns"],
            max_ns=exact["max_ns"],
            mean_ns=exact["mean_ns"],
            latency_hdr=exact["hdr"],
            latency_source="vtrex-tsc",
            variation=_variation(exact["variation"]),
            arrivals=arrivals["seqs"],
            arrival_times=arrivals["times_ns"],
            arrival_delays=arrivals["delays_ns"],
            arrivals_recorded=arrivals["recorded"],
            arrivals_received=arrivals["received"],
            sequence=SequenceRecord(
                numbered_frames=sequence["numbered"],
                distinct_frames=sequence["received"],
                lost_frames=sequence["lost"],
                duplicates=sequence["duplicates"],
                reordered=sequence["reordered"],
                too_old=sequence["too_old"],
                never_sent=sequence["never_sent"],
                extent_max=sequence["extent"]["max"],
                extent_mean=sequence["extent"]["mean"],
                extent_unknown=sequence["extent"]["unknown"],
            ),
            **counts,
        )
    latency = trex.get("latency", {})
    count, encoded = histogram.from_trex(latency.get("histogram", {}))
    return TaggedRecord(
        pg_id=record["pg_id"],
        count=count,
        min_ns=int(latency.get("total_min") or 0) * 1000,
        max_ns=int(latency.get("total_max") or 0) * 1000,
        mean_ns=float(latency.get("average") or 0.0) * 1000,
        latency_hdr=encoded,
        latency_source="trex-histogram",
        **counts,
    )


def _variation(found: dict[str, Any]) -> DelayVariation | None:
    if not found["count"]:
        return None
    return DelayVariation(
        count=found["count"],
        min_ns=found["min_ns"],
        max_ns=found["max_ns"],
        mean_abs_ns=found["mean_abs_ns"],
        hdr=found["hdr"],
    )


def loss_record(found: dict[str, Any]) -> LossRecord:
    """Make the record of a verified stream's losses of what the server told."""
    nothing: dict[str, Any] = {"number": None, "at_ns": None, "frames": 0}
    first, last, longest = (found[name] or nothing for name in ("first", "last", "longest"))
    return LossRecord(
        pg_id=found["pg_id"],
        tx_port=found["tx_port"],
        rx_port=found["rx_port"],
        numbered_frames=found["numbered"],
        lost_frames=found["lost"],
        first_lost=first["number"],
        last_lost=last["number"],
        longest_first=longest["number"],
        longest_frames=longest["frames"],
        first_lost_at_s=_seconds(first["at_ns"]),
        last_lost_at_s=_seconds(last["at_ns"]),
        longest_at_s=_seconds(longest["at_ns"]),
        first_due_s=found["first_due_ns"] / 1e9,
        frame_time_s=found["frame_time_ns"] / 1e9,
        exact=found["times_exact"],
    )


def _seconds(time_ns: float | None) -> float | None:
    return None if time_ns is None else time_ns / 1e9


def engine_report(report: dict[str, Any]) -> EngineReport:
    """Make the engine's account of a run of what the server told."""
    return EngineReport(
        ports=tuple(
            PortReport(
                port=p["port_id"],
                intended_frames=p["intended_packets"],
                sent_frames=p["sent_packets"],
                refused_frames=p["queue_full"],
                unknown_frames=p["rx_unknown"],
                sending_s=p["sending_ns"] / 1e9,
            )
            for p in report["ports"]
        ),
        invalid=tuple(report["invalid"]),
        cores=tuple(
            Disturbance(
                who="generator",
                core=core["id"],
                gap_max_ns=core["gap_max_ns"],
                gap_total_ns=core["gap_total_ns"],
                gaps_over_100us=core["gaps_over_100us"],
                run_delay_ns=core["run_delay_ns"],
                steal_ns=core["steal_ns"],
            )
            for core in report["cores"]
        ),
        verification=tuple(_verified(direction) for direction in report["verification"]),
    )


def _verified(direction: dict[str, Any]) -> VerifiedDirection:
    wrong = [
        WrongFrames(
            kind=kind,
            frames=found["frames"],
            port=found["first"]["port"],
            reason=found["first"]["reason"],
            first_hex=found["first"]["hex"],
        )
        for kind, found in direction["wrong"].items()
    ]
    return VerifiedDirection(
        tx_port=direction["tx_port"],
        rx_port=direction["rx_port"],
        reordered_frames=direction["reordered"],
        wrong=tuple(wrong),
    )
