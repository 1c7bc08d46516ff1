"""A journal survives whatever ends its run."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.results.events import Event, RunEnded, SearchStarted
from lab.results.journal import Journal, read

EVENTS: tuple[Event, ...] = (
    SearchStarted(at_s=1.0, test="test_ä", kind="NDR+PDR", frame_size_bytes=64),
    SearchStarted(at_s=2.0, test="test_ö", kind="throughput", frame_size_bytes=1518),
    RunEnded(at_s=3.0, exit_code=0),
)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "run" / "journal.jsonl"
    with Journal(path) as journal:
        for event in EVENTS:
            journal.append(event)
    return path


def test_what_was_written_is_read(written: Path) -> None:
    content = read(written)
    assert content.events == EVENTS
    assert content.notes == ()


def test_cut_off_at_every_byte_it_keeps_every_whole_line(written: Path) -> None:
    whole = written.read_bytes()
    for size in range(len(whole) + 1):
        written.write_bytes(whole[:size])
        content = read(written)
        # A line that lacks nothing but its line feed is whole.
        complete = whole[: size + 1].count(b"\n")
        assert content.events == EVENTS[:complete], size
        torn = size > 0 and whole[size - 1 : size] != b"\n" and whole[size : size + 1] not in (b"\n", b"")
        assert bool(content.notes) is torn, size
        assert not torn or f"line {complete + 1} of the journal is torn" in content.notes[0]


@pytest.mark.parametrize(
    "damage",
    [
        b'{"event":"run-ended"',
        b"",
        b'{"event":"no-such"}',
        b'{"event":"run-ended","at_s":"x","exit_code":0}',
        b"\xff\x00",
    ],
)
def test_damage_in_the_middle_names_the_line(written: Path, damage: bytes) -> None:
    lines = written.read_bytes().split(b"\n")
    lines[1] = damage
    written.write_bytes(b"\n".join(lines))
    with pytest.raises(UsageError, match=r"journal\.jsonl, line 2: damaged") as caught:
        read(written)
    assert "\n" not in str(caught.value)


def test_a_second_journal_in_the_same_folder_is_refused(written: Path) -> None:
    with pytest.raises(UsageError, match="another run"):
        Journal(written)
    assert read(written).events == EVENTS


def test_a_missing_journal_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read(tmp_path / "journal.jsonl")


def test_a_killed_writer_leaves_a_readable_journal(tmp_path: Path) -> None:
    """Steps: a process appends without end and is killed. Verify: whole events only, none missing."""
    path = tmp_path / "journal.jsonl"
    program = (
        "import pathlib, sys\n"
        "from lab.results.events import RunEnded\n"
        "from lab.results.journal import Journal\n"
        "journal = Journal(pathlib.Path(sys.argv[1]))\n"
        "for number in range(10**9):\n"
        "    journal.append(RunEnded(at_s=0.0, exit_code=number))\n"
        "    print(number, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        acknowledged = max(int(writer.stdout.readline()) for _ in range(50))
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in writer.stdout if line.endswith("\n"))])
    events = read(path).events
    assert [e.exit_code for e in events if isinstance(e, RunEnded)] == list(range(len(events)))
    assert len(events) > acknowledged  # whatever append() returned from is there
