"""Proof that what was asked for is what was served, and is what booted."""

from __future__ import annotations

from lab.errors import ImageMismatch

_REMEDY = "build the image anew and look into netboot.log of this run"


def prove(asked_sha256: str, served_sha256: str, booted_sha256: str | None) -> None:
    """Compare the digests of the manifest, of the boot service's copy, and of what the machine says it was booted from.

    A machine that does not know what it was booted from has None for it, and tells a build id (``prove_build``).

    Raises:
        ImageMismatch: naming the one that differs from the other two, or that all three differ.

    """
    digests = {"asked": asked_sha256, "served": served_sha256}
    if booted_sha256 is not None:
        digests["booted"] = booted_sha256
    if len(set(digests.values())) == 1:
        return
    odd = [name for name, value in digests.items() if list(digests.values()).count(value) == 1]
    which = f"the {odd[0]} one differs" if len(odd) == 1 else "all three differ" if len(odd) == 3 else "they differ"
    listed = ", ".join(f"{name} {value[:16]}..." for name, value in digests.items())
    raise ImageMismatch(f"the image that booted is not proved to be the one asked for: {which} ({listed}): {_REMEDY}")


def prove_build(asked_build_id: str, told_build_id: str) -> None:
    """Compare the build id of the manifest with the one that the running system tells.

    Raises:
        ImageMismatch: they differ.

    """
    if told_build_id != asked_build_id:
        raise ImageMismatch(
            f"the image that booted is not proved to be the one asked for: it tells the build id {told_build_id!r}, "
            f"and its manifest {asked_build_id!r}: {_REMEDY}"
        )
