"""Proof that what was asked for is what was served, and is what booted."""

from __future__ import annotations

from lab.errors import ImageMismatch


def prove(asked_sha256: str, served_sha256: str, booted_sha256: str) -> None:
    """Compare the digests of the manifest, of the boot service's copy, and of what the machine says it was booted from.

    Raises:
        ImageMismatch: naming the one that differs from the other two, or that all three differ.

    """
    digests = {"asked": asked_sha256, "served": served_sha256, "booted": booted_sha256}
    if len(set(digests.values())) == 1:
        return
    odd = [name for name, value in digests.items() if list(digests.values()).count(value) == 1]
    which = f"the {odd[0]} one differs" if len(odd) == 1 else "all three differ"
    listed = ", ".join(f"{name} {value[:16]}..." for name, value in digests.items())
    raise ImageMismatch(
        f"the image that booted is not proved to be the one asked for: {which} ({listed}): "
        "build the image anew and look into netboot.log of this run"
    )
