"""Whatever is wrong with a machine file is one line that names file, line and remedy."""

from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.simulation import machines

GOOD = """\
description: a machine
topology: {sockets: 2, complexes_per_socket: 1, cores_per_complex: 4, protocol: MESIF}
core:
  clock: {low: 2.6, median: 2.8, high: 3.0, unit: GHz, source: a manual}
  window: {exactly: 84, unit: cycles, source: a manual}
  misses: {exactly: 10, unit: lines, source: a manual}
  store_buffer: {exactly: 36, unit: stores, source: a manual}
caches:
  l1: {exactly: 4, unit: cycles, source: a manual}
  shared_cache: {exactly: 34, unit: cycles, source: a manual}
transfers:
  near: {exactly: 30, unit: ns, source: a paper}
  far: {exactly: 110, unit: ns, source: a paper}
nics:
  model: X520-DA2
  cards: 1
  ports_per_card: 2
  line_rate_gbps: 10
  pcie: 2.0 x8
  doorbell: {exactly: 70, unit: ns, source: a paper}
  card: {exactly: 19, unit: Mpps, source: a paper}
  card_bytes: {exactly: 3.3, unit: GB/s, source: a paper}
"""
NEAR = "near: {exactly: 30, unit: ns, source: a paper}"
CLOCK = "low: 2.6, median: 2.8, high: 3.0, unit: GHz, source: a manual"


def load(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    machines.load(str(path))


def test_the_file_that_the_errors_are_put_into_is_right(tmp_path: Path) -> None:
    load(tmp_path, GOOD)


@pytest.mark.parametrize(
    ("right", "wrong", "line", "words"),
    [
        (NEAR, "near: {exactly: 30, unit: ns}", 12, "transfers.near.source: the key is missing"),
        (NEAR, "near: {exactly: 30, unit: ns, source: ' '}", 12, "near.source: string should have"),
        (NEAR, "near: {exactly: -30, unit: ns, source: a paper}", 12, "near.exactly: input should be greater than or"),
        (NEAR, "near: {exactly: 0, unit: ns, source: a paper}", 12, "transfers.near: it must be above zero"),
        (NEAR, "near: {exactly: .inf, unit: ns, source: a paper}", 12, "near.exactly: input should be a finite number"),
        (NEAR, "near: {exactly: '30', unit: ns, source: a paper}", 12, "near.exactly: input should be a valid number"),
        (NEAR, "near: {exactly: 30, unit: us, source: a paper}", 12, "near.unit: unknown unit 'us'"),
        (NEAR, "near: 30", 12, "transfers.near: input should be a valid dictionary"),
        (NEAR, "nearer: {exactly: 30, unit: ns, source: a paper}", 12, "nearer: unknown key: did you mean 'near'?"),
        (CLOCK, CLOCK.replace("2.8", "2.5"), 4, "core.clock: 2.6, 2.5, 3: must be low <= median <= high"),
        (CLOCK, CLOCK.replace("median: 2.8, ", ""), 4, "core.clock: median is missing"),
        (CLOCK, CLOCK + ", exactly: 2.7", 4, "core.clock: give low, median and high, or exactly, not both"),
        (CLOCK, CLOCK + ", sauce: me", 4, "core.clock.sauce: unknown key: did you mean 'source'?"),
        ("  far: {exactly: 110, unit: ns, source: a paper}\n", "", 11, "transfers.far: the key is missing"),
        ("complexes_per_socket: 1", "complexes_per_socket: 2", 11, "transfers.complex: the key is missing"),
        ("  card: {exactly: 19, unit: Mpps, source: a paper}\n", "", 14, "nics.card: the key is missing"),
        ("protocol: MESIF", "protocol: MESI", 2, "topology.protocol: input should be 'MESIF' or 'MOESI'"),
        ("sockets: 2", "sockets: 0", 2, "topology.sockets: input should be greater than or equal to 1"),
        ("caches:", "cashes:", 8, "cashes: unknown key: did you mean 'caches'?"),
        ("  misses:", "  window:", 6, "the key 'window' was already given in line 5"),
        (
            "caches:",
            "speculation:\n  overlap: {exactly: 2, unit: of the window, source: me}\ncaches:",
            9,
            "overlap: 2 is too high: it must be at most 1",
        ),
    ],
)
def test_an_error_is_one_line_with_its_place(tmp_path: Path, right: str, wrong: str, line: int, words: str) -> None:
    assert right in GOOD
    with pytest.raises(UsageError) as caught:
        load(tmp_path, GOOD.replace(right, wrong, 1))
    message = str(caught.value)
    assert f"mine.yaml line {line}: " in message
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "the file is empty"), ("- a\n", "the top is no mapping"), ("a: [\n", "line 2: not YAML"), ("a: \0", "YAML")],
)
def test_what_is_no_machine_file_at_all(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load(tmp_path, text)


def test_an_unknown_machine_names_the_near_miss() -> None:
    with pytest.raises(UsageError, match="unknown machine 'e5-2670': did you mean 'e5-2670x2'"):
        machines.load("e5-2670")
    with pytest.raises(UsageError, match="there is no such file"):
        machines.load("nowhere/mine.yaml")
    with pytest.raises(UsageError, match="its numbers are measured"):
        machines.load("host")
