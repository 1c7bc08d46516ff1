"""The TRex release of a box: a tarball laid out as TRex's are, whose program is this checkout's vtrex.

Its bytes are the same on every machine, so that a testbed file can have its digest: where Python, the checkout and the
cables are is in the environment that the TRex host's sshd gives.
"""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

VERSION = "v3.08"
PYTHON = "PIXLAB_PYTHON"
CABLES = "PIXLAB_CABLES"

_PROGRAM = f"""\
#!/bin/sh
# vtrex under TRex's command line. It listens to all, as TRex does; its interfaces vhost:NAME are where the cables are.
cd "${CABLES}" || exit 1
exec "${PYTHON}" -m lab.vtrex.t_rex_64 --bind 0.0.0.0 "$@"
"""


def write(tarball: Path) -> None:
    """Write the tarball, uncompressed: what gzip makes of it depends on zlib."""
    with tarfile.open(tarball, "w", format=tarfile.USTAR_FORMAT) as tar:
        folder = tarfile.TarInfo(VERSION)
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(folder)
        data = _PROGRAM.encode()
        program = tarfile.TarInfo(f"{VERSION}/t-rex-64")
        program.size, program.mode = len(data), 0o755
        tar.addfile(program, io.BytesIO(data))
