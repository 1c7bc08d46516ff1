"""Holds a lease in a process of its own, to be killed: python -m tests.testbed.holder TESTBED-JSON EXPIRY_S."""

from __future__ import annotations

import subprocess
import sys
import threading

from lab import paths
from lab.errors import LabError
from lab.testbed import Testbed, lease, load
from lab.testbed.access import SshAccess
from lab.testbed.resources import FileLease, SshLease


def bed(kept: FileLease | SshLease, name: str = "bench") -> Testbed:
    """Return a testbed with a lease of that kind."""
    return load("reference-computed").model_copy(update={"name": name, "lease": kept})


def ssh_lease(access: SshAccess, directory: str, expiry_s: float) -> SshLease:
    """Return where a lease lies, with an expiry that may be shorter than a testbed's file can have."""
    return SshLease(driver="ssh", ssh=access, directory=directory).model_copy(update={"expiry_s": expiry_s})


def holding(testbed: Testbed, *command: str) -> subprocess.Popen[str]:
    """Start a process that holds the lease, by a command before its own if there is one; returns when it does."""
    expiry_s = testbed.lease.expiry_s if isinstance(testbed.lease, SshLease) else 120.0
    whole = testbed.model_copy(
        update={
            "lease": testbed.lease.model_copy(update={"expiry_s": 120.0} if isinstance(testbed.lease, SshLease) else {})
        }
    )
    words = [*command, sys.executable, "-m", "tests.testbed.holder", whole.model_dump_json(), str(expiry_s)]
    process = subprocess.Popen(words, cwd=paths.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first == "held\n", first + process.stdout.read()
    return process


def main(text: str, expiry_s: float) -> None:
    testbed = Testbed.model_validate_json(text)
    if isinstance(testbed.lease, SshLease):
        testbed = testbed.model_copy(update={"lease": testbed.lease.model_copy(update={"expiry_s": expiry_s})})
    try:
        with lease.take(testbed, "the first run"):
            print("held", flush=True)
            threading.Event().wait(60)  # faketime breaks the sleep of who it sets the clock of
    except LabError as error:
        print(error)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
