"""The description of this machine."""

import os

from lab.results.environment import environment


def test_it_describes_this_machine() -> None:
    found = environment(qemu="7.2")
    assert found.cores == len(os.sched_getaffinity(0))
    assert found.cpu
    assert 0 < found.memory_gib < 1e5
    assert found.versions["qemu"] == "7.2"
    assert found.versions["python"].startswith("3.")
