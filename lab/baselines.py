"""The simulated baselines that stand beside the throughputs of a run, and the verdicts by them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from lab.errors import UsageError
from lab.images import PixManifest, all_manifests
from lab.results.model import BaselineBand, LatencyBand
from lab.simulation import layout as layouts
from lab.simulation import machines
from lab.simulation.calibration.frozen import Frozen, with_alone
from lab.simulation.facts import HostFacts
from lab.simulation.layout import LayoutName
from lab.simulation.machine import Machine, host
from lab.simulation.prediction.frame_sizes import predict_forwarding
from lab.simulation.prediction.model import Band, Prediction
from lab.simulation.prediction.predictor import predict, samples
from lab.simulation.prediction.quantiles import band
from lab.simulation.prediction.question import Question
from lab.simulation.verdict import Expected, Measured, Verdict, compare
from lab.simulation.workload.case import Case

LAYOUTS: tuple[LayoutName, ...] = ("padded", "packed")
TALK, TALK_PORTS, TALK_CORES, TALK_GBPS = "e5-2670x2", 8, 8, 10.0
MEASURED = "host"
"""Name of the machine that is measured, in bands and reports."""
LATENCIES = ("c2c_latency_ns_low", "c2c_latency_ns_median", "c2c_latency_ns_high")
DRAWS_OF_A_LOAD = 4  # of each seed: half of what rates get, as there are many loads, simulated between measurements
REMEMBERED_LOADS = 64


@dataclass(frozen=True)
class Baselines:
    """Predictions for the machine that is measured and for the talk's, for both layouts.

    ``facts`` are those of this machine, where the DUT runs on it; else ``machine`` is the model of the DUT's own, under
    the name by which the measured machine goes in bands (``MEASURED``). ``elfs`` holds the image of each layout, where
    it is built. ``workload`` is that of the measured machine, and ``frozen`` what a calibration found of it, None where
    there was none.
    """

    facts: HostFacts | None
    ports: int
    cores: int
    speed_gbps: float
    elfs: tuple[tuple[LayoutName, Path], ...]
    workload: str = "virtio"
    frozen: Frozen | None = None
    machine: Machine | None = None

    def of_half_the_ports(self) -> Baselines:
        """Return those of traffic in one direction: each pair of ports is one port that frames leave by as well."""
        return replace(self, ports=max(self.ports // 2, 1))

    def between_all_ports(self, cores: int) -> Baselines:
        """Return those of traffic from every port to every other, dealt to some cores: packets cross their rings.

        Ports are taken as NICs, which cost the cores less than rings shared with the generator.
        """
        return replace(self, cores=cores, workload="ipv4-routing")

    def bands(self, frame_size_bytes: int) -> tuple[BaselineBand, ...]:
        """Return the bands of both machines and layouts at a frame size.

        Simulated once a process, whatever the size, one draw after the other: there may be measurements beside.
        """
        predicted = [
            predict_forwarding(question) for question in (*self._host(frame_size_bytes), *_talk(frame_size_bytes))
        ]
        return tuple(_recorded(each) for each in predicted)

    def latency_bands(self, frame_size_bytes: int, offered_pps: float) -> dict[str, tuple[LatencyBand, ...]]:
        """Return what is simulated of the latency at a load, by percentile, for both layouts of the measured machine.

        It is that of the device alone, without the generator's own.

        Args:
            frame_size_bytes: with FCS.
            offered_pps: frames a second, all directions.

        """
        found: dict[str, list[LatencyBand]] = {}
        for asked in self._host(frame_size_bytes):
            case = asked.case.model_copy(update={"offered_pps": offered_pps})
            predicted = _at_load(replace(asked, case=case, draws_per_seed=DRAWS_OF_A_LOAD))
            for percentile, one in predicted.latency_us.items():
                found.setdefault(percentile, []).append(
                    LatencyBand(
                        machine=predicted.machine,
                        layout=predicted.layout,
                        low_us=one.low,
                        median_us=one.median,
                        high_us=one.high,
                    )
                )
        return {percentile: tuple(each) for percentile, each in found.items()}

    def ratio(self, frame_size_bytes: int, c2c_ns: float | None = None) -> Band:
        """Return the simulated rate of the packed layout over that of the padded one, on the same draws.

        Args:
            frame_size_bytes: with FCS.
            c2c_ns: core-to-core latency that was seen, in place of that of the facts.

        """
        assert self.facts is not None, "layouts are compared on this machine"
        times = 1.0 if c2c_ns is None else c2c_ns / self.facts.c2c_latency_ns_median
        seen = {name: times * getattr(self.facts, name) for name in LATENCIES}
        then = replace(self, facts=self.facts.model_copy(update=seen))
        padded, packed = (samples(question) for question in then._host(frame_size_bytes))
        return band([each.rate_pps / other.rate_pps for each, other in zip(packed, padded, strict=True)])

    def _host(self, frame_size_bytes: int) -> tuple[Question, ...]:
        images = dict(self.elfs)
        case = Case(
            ports=self.ports, cores=self.cores, line_rate_gbps=self.speed_gbps, frame_size_bytes=frame_size_bytes
        )
        machine = self._measured()
        return tuple(
            Question(
                machine,
                self.workload,
                layouts.of_image(images.get(layout), layout, self.cores),
                case,
                frozen=self.frozen,
            )
            for layout in LAYOUTS
        )

    def _measured(self) -> Machine:
        """Return the model of the machine that is measured."""
        if self.machine is not None:
            return self.machine
        assert self.facts is not None, "one of both is given"
        machine = host(self.facts) if self.frozen is None else with_alone(host(self.facts), self.frozen.alone)
        return machine if self.workload == "virtio" else machine.with_free_ports(self.ports, self.speed_gbps)


@lru_cache(maxsize=REMEMBERED_LOADS)
def _at_load(question: Question) -> Prediction:
    return predict(question)


def _recorded(predicted: Prediction) -> BaselineBand:
    rate_pps = predicted.rate_pps
    return BaselineBand(
        machine=predicted.machine,
        layout=predicted.layout,
        low_pps=rate_pps.low,
        median_pps=rate_pps.median,
        high_pps=rate_pps.high,
        limited_by=predicted.limited_by,
        calibration=predicted.frozen,
    )


def verdict(measured: Measured, bands: tuple[BaselineBand, ...], ceiling_pps: float | None) -> Verdict | None:
    """Say which layout of the measured machine a throughput agrees with.

    Args:
        measured: summed over the directions.
        bands: of both layouts, and of other machines as well.
        ceiling_pps: of the generator towards this DUT.

    Returns:
        None where the bands of the measured machine are not there.

    """
    own = {band.layout: band for band in bands if band.machine == MEASURED}
    if not {"padded", "packed"} <= own.keys():
        return None
    return compare(measured, _expected(own["padded"]), _expected(own["packed"]), ceiling_pps)


def _expected(band: BaselineBand) -> Expected:
    rate_pps = Band(low=band.low_pps, median=band.median_pps, high=band.high_pps)
    return Expected(band.layout, rate_pps, band.limited_by)


def _talk(frame_size_bytes: int) -> tuple[Question, ...]:
    case = Case(ports=TALK_PORTS, cores=TALK_CORES, line_rate_gbps=TALK_GBPS, frame_size_bytes=frame_size_bytes)
    return tuple(
        Question(machines.load(TALK), "ipv4-routing", layouts.default(layout, TALK_CORES), case) for layout in LAYOUTS
    )


def of_host(
    image: PixManifest, facts: HostFacts, *, ports: int, cores: int, speed_gbps: float, frozen: Frozen | None = None
) -> Baselines:
    """Prepare the baselines of this machine.

    Args:
        image: that is measured; the other layout's is taken from its build as well.
        facts: of this machine.
        ports: data ports of the DUT.
        cores: exclusive cores of the DUT.
        speed_gbps: of each link.
        frozen: calibrated parameters of this host, None for priors.

    Raises:
        UsageError: a manifest is wrong, or an image is not built.

    """
    return Baselines(facts=facts, ports=ports, cores=cores, speed_gbps=speed_gbps, elfs=_elfs_of(image), frozen=frozen)


def of_server(image: PixManifest, model: str, *, ports: int, cores: int, speed_gbps: float) -> Baselines:
    """Prepare the baselines of a server of a rack, which is not the machine that runs the lab.

    Args:
        image: as of ``of_host``, like what follows ``model``.
        model: name of the machine that it is simulated as, of lab/simulation/machines.
        ports: data ports of the DUT.
        cores: exclusive cores of the DUT.
        speed_gbps: of each link.

    Raises:
        UsageError: there is no such machine, or as of ``of_host``.

    """
    machine = replace(machines.load(model), name=MEASURED)
    return Baselines(
        facts=None,
        ports=ports,
        cores=cores,
        speed_gbps=speed_gbps,
        elfs=_elfs_of(image),
        workload="ipv4-routing",
        machine=machine,
    )


def _elfs_of(image: PixManifest) -> tuple[tuple[LayoutName, Path], ...]:
    """Return the ELF file of each layout of an image's build; UsageError where there is none."""
    family = [
        other
        for other in all_manifests()
        if isinstance(other, PixManifest) and other.directory == image.directory and other.elf_path.exists()
    ]
    if not family:
        raise UsageError(f"image {image.name!r}: its ELF file {image.elf_path} is missing: build the image anew")
    return tuple((m.layout, m.elf_path) for m in family)
