"""The kept corpus of the fuzzer and changed copies of it, the same each time: ``make fuzz`` in hostlib goes on."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.image import hostlib

CORPUS = Path(hostlib.__file__).parent / "corpus.bin"
CHANGED_COPIES = 15_000


def test_no_input_of_the_fuzzer_does_harm(tmp_path: Path) -> None:
    program = tmp_path / "fuzz-replay-packed"
    hostlib.build(tmp_path, str(program))
    command = [str(program), str(CORPUS), str(CHANGED_COPIES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-6000:]
    assert f"{CHANGED_COPIES} changed copies" in done.stdout
