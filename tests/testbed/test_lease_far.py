"""The steps of a lease on the far side, run as sshd would run them: races, and clocks that jump."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import lab.testbed.lease

SCRIPT = Path(lab.testbed.lease.__file__).with_name("far.sh").read_text()
RACES = 100

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="a time namespace needs root")


def begin(folder: Path, step: str, *words: str, before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    command = [*before, "sh", "-c", SCRIPT, "sh", step, str(folder), "bench", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def answer(process: subprocess.Popen[str]) -> list[str]:
    said, complained = process.communicate(timeout=20)
    assert (process.returncode, complained) == (0, "")
    return said.splitlines()


def take(folder: Path, token: str, before: tuple[str, ...] = (), expiry_s: int = 10) -> list[str]:
    return answer(begin(folder, "take", token, str(expiry_s), f"holder {token}", before=before))


def at_uptime(moved_s: int) -> tuple[str, ...]:
    """Return what runs a command while this machine has been up for so many seconds more, or less."""
    return ("unshare", "--time", "--boottime", str(moved_s), "--fork")


def race(folder: Path, first: str, second: str, before: tuple[str, ...] = ()) -> list[list[str]]:
    racers = [begin(folder, "take", token, "10", f"holder {token}", before=before) for token in (first, second)]
    return [answer(racer) for racer in racers]


def test_one_of_two_gets_a_free_lease(tmp_path: Path) -> None:
    winners = set()
    for number in range(RACES):
        words = [said[0] for said in race(tmp_path, "a", "b")]
        assert sorted(words) == ["busy", "taken"], number
        winners.add("ab"[words.index("taken")])
        assert answer(begin(tmp_path, "end", "broken by x"))[0] == "ended"
    assert list(tmp_path.glob("*.lease")) == []


@needs_root
def test_one_of_two_gets_an_expired_lease(tmp_path: Path) -> None:
    take(tmp_path, "begin")
    last = "holder begin"
    for number in range(RACES):
        said = race(tmp_path, f"a{number}", f"b{number}", before=at_uptime(20 * (number + 1)))
        assert sorted(one[0] for one in said) == ["busy", "taken"]
        won = next(index for index, one in enumerate(said) if one[0] == "taken")
        assert said[won][1] == last
        last = f"holder {'ab'[won]}{number}"
        assert said[1 - won][2] == last


@needs_root
def test_it_expires_by_the_time_since_boot(tmp_path: Path) -> None:
    take(tmp_path, "a")
    assert take(tmp_path, "b", at_uptime(9))[0] == "busy"
    assert answer(begin(tmp_path, "renew", "a", before=at_uptime(9))) == ["renewed"]
    assert take(tmp_path, "b", at_uptime(18))[0] == "busy"
    assert take(tmp_path, "b", at_uptime(21)) == ["taken", "holder a"]
    assert answer(begin(tmp_path, "renew", "a", before=at_uptime(21))) == ["lost", "holder b"]


def test_a_clock_that_is_set_changes_nothing(tmp_path: Path) -> None:
    take(tmp_path, "a")
    for jump in ("+1y", "-1y"):
        later = ("env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "faketime", "-f", jump)
        shown = subprocess.run([*later, "date", "+%Y"], capture_output=True, text=True, check=True).stdout
        assert shown != subprocess.run(["date", "+%Y"], capture_output=True, text=True, check=True).stdout
        assert take(tmp_path, "b", later)[0] == "busy"
        assert answer(begin(tmp_path, "renew", "a", before=later)) == ["renewed"]
    assert take(tmp_path, "b")[0] == "busy"


@needs_root
def test_after_a_boot_its_owner_has_a_whole_expiry_to_come_back(tmp_path: Path) -> None:
    take(tmp_path, "a")
    file = tmp_path / "bench.lease"
    token, _boot, _stamp, expiry, holder = file.read_text().splitlines()
    file.write_text("\n".join([token, "another-boot", "999999999", expiry, holder, ""]))
    up_s = int(float(Path("/proc/uptime").read_text().split()[0]))
    just_booted, later = at_uptime(5 - up_s), at_uptime(30 - up_s)
    said = take(tmp_path, "b", just_booted)
    assert said[0] == "busy"
    assert 0 <= int(said[1]) <= 5
    assert answer(begin(tmp_path, "renew", "a", before=just_booted)) == ["renewed"]
    assert take(tmp_path, "b", just_booted)[0] == "busy"
    assert take(tmp_path, "b", later) == ["taken", "holder a"]


def test_the_same_asked_again_is_the_same_lease(tmp_path: Path) -> None:
    assert take(tmp_path, "a") == ["taken", ""]
    assert take(tmp_path, "a") == ["taken", ""]
    assert answer(begin(tmp_path, "release", "b")) == ["released"]
    assert take(tmp_path, "b")[0] == "busy"
    assert answer(begin(tmp_path, "end", "broken by x"))[2] == "holder a"
    assert answer(begin(tmp_path, "renew", "a")) == ["lost", "", "a", "broken by x"]


def test_a_killed_step_leaves_no_lock_and_nothing_half_written(tmp_path: Path) -> None:
    for number in range(30):
        process = begin(tmp_path, "take", "a", "10", "holder " + "x" * 5000)
        try:
            process.wait(timeout=number / 5000)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        state = answer(begin(tmp_path, "look"))
        assert state[2] in ("", "holder " + "x" * 5000)
