"""A dry run tells what a run would do, down to files and machines, and touches nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import UsageError
from tests.commands import run_suites


@pytest.mark.parametrize(
    ("testbed", "told"),
    [
        ("virtual", ("serve pix-padded (", "start QEMU", "calibrate vtrex")),
        (
            "lab2",
            ("on interface boot-lab2 (bios, DHCP of its own)", "(sol)", "once, and switch it on (ipmi)", "8 ports"),
        ),
        ("reference-wire", ("nothing is booted",)),
    ],
)
def test_it_tells_the_steps_and_the_tests(testbed: str, told: tuple[str, ...], tmp_path: Path) -> None:
    done = run_suites(["suites/ipv4_routing", f"--testbed={testbed}", "--dry-run", "-q"], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for part in (f"take the lease of testbed {testbed} ", *told, "test_ndr_and_pdr[64B]"):
        assert part in done.stdout
    assert not list(tmp_path.glob("reports/*"))


def test_what_is_wrong_is_told_as_in_a_run(tmp_path: Path) -> None:
    done = run_suites(["suites/ipv4_routing", "--testbed=lab3", "--dry-run"], tmp_path)
    assert done.returncode == UsageError.exit_code
    assert "did you mean 'lab2'" in done.stderr
