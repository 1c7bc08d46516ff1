"""Mixes of frame sizes in the notation of RFC 6985 (IMIX Genome).

A genome is the repeating sequence of sizes, a letter a frame: lower case letters are the sizes of section 4, ``z`` is
the MTU, which must be told, and upper case letters are custom sizes (section 5), which must be told as well. A part
that repeats is written once with its count (the run-length form of section 6.1, on one line): ``20(abcd)5(ggga)``.

    aaafg                          64, 64, 64, 1280, 1518
    z=9000 aaz                     64, 64, 9000
    A=64 B=570 C=1518 7(A)4(B)C    seven of 64, four of 570, one of 1518 bytes
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lab.errors import UsageError, near_misses
from lab.methods.trial import mix_line_rate_pps
from lab.models import Model

GENOME_BYTES: Mapping[str, int] = {
    "a": 64,
    "b": 128,
    "c": 256,
    "d": 512,
    "e": 1024,
    "f": 1280,
    "g": 1518,
    "h": 2112,
    "i": 9000,
    "j": 16000,
}
"""Frame sizes with FCS of the letters (RFC 6985 section 4), but for ``z``."""

LONGEST_FRAMES = 10_000
"""Frames that one round of a genome may have; more are a slip of the pen."""

_DEFINED = re.compile(r"([A-Zz])=(\d+)")
_PART = re.compile(r"(\d+)\(([A-Za-jz]+)\)|([A-Za-jz])")


class Imix(Model):
    """A mix: ``genome`` as written, ``told_bytes`` the sizes of its upper case letters and of ``z``."""

    genome: str
    told_bytes: tuple[tuple[str, int], ...] = ()

    @property
    def mix_bytes(self) -> tuple[int, ...]:
        """The sizes of one round in their order, as a ``TrialRequest`` has them."""
        sizes = {**GENOME_BYTES, **dict(self.told_bytes)}
        return tuple(sizes[letter] for letter in _letters(self.genome))

    @property
    def mean_bytes(self) -> float:
        """The mean frame size, with FCS."""
        return sum(self.mix_bytes) / len(self.mix_bytes)

    @property
    def frame_size_bytes(self) -> int:
        """The mean frame size rounded, as a ``TrialRequest`` has it."""
        return round(self.mean_bytes)

    def line_rate_pps(self, speed_gbps: float) -> float:
        """Return the greatest frame rate of one direction of a link of that speed."""
        return mix_line_rate_pps(self.mix_bytes, speed_gbps)

    def __str__(self) -> str:
        """Write it so that ``parse`` reads it again."""
        return " ".join([*(f"{letter}={size}" for letter, size in self.told_bytes), self.genome])


# Seven small, four middle, one large frame, spread evenly: the order of a genome is part of it.
_SIMPLE = "ABAABACABAAB"

MIXES: Mapping[str, Imix] = {
    "simple": Imix(genome=_SIMPLE, told_bytes=(("A", 64), ("B", 570), ("C", 1518))),
    "simple-ip6": Imix(genome=_SIMPLE, told_bytes=(("A", 78), ("B", 570), ("C", 1518))),
    "rfc6985": Imix(genome="aaafg"),
}
"""Mixes with a name: ``simple`` and ``simple-ip6`` have the sizes and proportions of FD.io CSIT's reports
(28 : 16 : 4 frames of 64 or 78, 570 and 1518 bytes); ``rfc6985`` is the example of section 4."""


def parse(text: str) -> Imix:
    """Read a mix: a name of ``MIXES``, or a genome with the sizes that it must tell before it.

    Raises:
        UsageError: it is neither; one line says which part is wrong and what it may be.

    """
    if text in MIXES:
        return MIXES[text]
    *definitions, genome = text.split() or [""]
    told = {}
    for definition in definitions:
        match = _DEFINED.fullmatch(definition)
        if match is None or int(match[2]) < GENOME_BYTES["a"]:
            raise UsageError(f"mix {text!r}: {definition!r} must be a letter of A to Z, or z, and a size: A=570")
        told[match[1]] = int(match[2])
    if not genome or re.fullmatch(f"(?:{_PART.pattern})+", genome) is None:
        raise UsageError(f"mix {text!r}: no genome such as aaafg or 7(a)4(d)g, and no name; {near_misses(text, MIXES)}")
    frames = sum(int(count or 1) * len(group or single) for count, group, single in _PART.findall(genome))
    if not 0 < frames <= LONGEST_FRAMES:
        raise UsageError(f"mix {text!r}: a round of {frames} frames; from 1 to {LONGEST_FRAMES} are possible")
    for letter in _letters(genome):
        if letter not in GENOME_BYTES and letter not in told:
            raise UsageError(
                f"mix {text!r}: nobody tells the size of {letter!r}: write {letter}=1500 before the genome"
            )
    return Imix(genome=genome, told_bytes=tuple(told.items()))


def _letters(genome: str) -> str:
    return "".join((group or single) * int(count or 1) for count, group, single in _PART.findall(genome))
