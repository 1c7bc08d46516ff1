"""``python -m lab.bench [NAME]``: run all benchmarks, or one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from lab.bench import (
    baseline,
    cycles,
    fib,
    generator,
    generator_rate,
    methods,
    path,
    pdr,
    reordering,
    search,
    sharing,
    simulator,
    versus,
)
from lab.bench.model import BenchResult
from lab.errors import LabError, UsageError, near_misses

BENCHES: dict[str, Callable[[], Iterator[BenchResult]]] = {
    "pdr-64": pdr.pdr_64,
    "dut-pix-vs-testpmd": versus.pix_vs_testpmd,
    "dut-pix-vs-linux": versus.pix_vs_linux,
    "fe-cycles": cycles.fe_cycles,
    "fib-1m-vs-1": fib.fib_1m_vs_1,
    "generator-vs-testpmd": generator.generator_vs_testpmd,
    "generator-fields-vs-testpmd": generator.generator_fields_vs_testpmd,
    "generator-rate": generator_rate.generator_rate,
    "generator-verify": generator.generator_verify,
    "search-vs-bisection": search.search_vs_bisection,
    "methods": methods.methods,
    "reordering": reordering.reordering,
    "simulator": simulator.simulator,
    "baseline": baseline.baseline,
    "ring-packed-vs-padded": sharing.ring_packed_vs_padded,
    "forward-packed-vs-padded": sharing.forward_packed_vs_padded,
    "path-cycles": path.path_cycles,
}


def run(name: str) -> None:
    """Run the benchmark of that name, or ``all``, and print its results.

    Raises:
        UsageError: there is no such benchmark.

    """
    if name != "all" and name not in BENCHES:
        raise UsageError(f"no benchmark {name!r}: {near_misses(name, BENCHES)}")
    for known, bench in BENCHES.items():
        if name in ("all", known):
            for result in bench():
                print(result.model_dump_json(), flush=True)


def main() -> None:
    """Run as a program; an error of the lab is one line on stderr and its own exit code."""
    try:
        run(sys.argv[1] if len(sys.argv) > 1 else "all")
    except LabError as error:
        print(f"pixlab: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
