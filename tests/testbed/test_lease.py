"""One run at a time; a killed run leaves nothing that blocks the next."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.errors import TestbedBusy
from lab.testbed import lease

HOLDER = """
import sys, time
from lab.testbed import lease
with lease.take("bench", "first run"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXLAB_STATE", str(tmp_path))


def test_second_run_is_told_who_holds_it() -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with (
            pytest.raises(TestbedBusy, match=f"process {holder.pid} since .* \\(run first run\\)"),
            lease.take("bench", "b"),
        ):
            pass
        with lease.take("other", "b"):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with lease.take("bench", "second run") as mine:
            assert mine.pid == os.getpid()


def test_given_back_at_the_end_and_after_an_error() -> None:
    with pytest.raises(KeyError), lease.take("bench", "a"):
        raise KeyError
    with lease.take("bench", "b"), pytest.raises(TestbedBusy, match="run b"), lease.take("bench", "c"):
        pass


def test_programs_started_meanwhile_do_not_hold_it() -> None:
    with lease.take("bench", "a"):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        with lease.take("bench", "b"):
            pass
    finally:
        child.kill()
        child.wait()
