"""Build the image linux-router: a Debian kernel as packaged, and an initrd of busybox, a few modules and ``init``.

Run by ``pixlab image build linux-router``. The packages are fetched once by apt-get into build/packages, unpacked there
and not installed. The same packages and sources give the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
OUT = HERE / "build"
PACKAGES = OUT / "packages"

NAME = "linux-router"
KERNEL = "linux-image-cloud-amd64"
"""A package without content that depends on the newest kernel of the release."""

BUSYBOX = "busybox-static"
MODULES = (
    "drivers/virtio/virtio_ring.ko",
    "drivers/virtio/virtio.ko",
    "drivers/virtio/virtio_pci_modern_dev.ko",
    "drivers/virtio/virtio_pci_legacy_dev.ko",
    "drivers/virtio/virtio_pci.ko",
    "net/core/failover.ko",
    "drivers/net/net_failover.ko",
    "drivers/net/virtio_net.ko",
)
"""In the order in which they need each other."""

COMMAND_LINE = "console=ttyS0,115200 quiet panic=-1 nokaslr mitigations=off ipv6.disable=1"

DIRECTORY, FILE, DEVICE = 0o040755, 0o100755, 0o020600


class Failure(Exception):
    """Something is missing; one line."""


def run(*command: str) -> str:
    """Run a command and return what it prints; Failure with its last words."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PACKAGES)
    except OSError as error:
        raise Failure(f"{command[0]}: {error.strerror}: the image is built on Debian or what comes from it") from error
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}"]
        raise Failure(f"{' '.join(command[:3])}: {said[-1]}: is there a network, and was 'apt-get update' run?")
    return done.stdout


def fetch() -> tuple[Path, Path]:
    """Return the packages of kernel and busybox, fetched where they are not there yet."""
    PACKAGES.mkdir(parents=True, exist_ok=True)
    found = [sorted(PACKAGES.glob(f"{name}_*.deb")) for name in ("linux-image-*-amd64", BUSYBOX)]
    if not all(found):
        depends = run("apt-cache", "depends", "--important", KERNEL).split()
        kernel = next((word for word in depends if word.startswith("linux-image-") and word != KERNEL), None)
        if kernel is None:
            raise Failure(f"the package lists do not know {KERNEL}: run 'apt-get update'")
        run("apt-get", "-o", "APT::Sandbox::User=root", "download", kernel, BUSYBOX)
        found = [sorted(PACKAGES.glob(f"{name}_*.deb")) for name in (kernel, BUSYBOX)]
    return found[0][-1], found[1][-1]


def unpack(package: Path) -> Path:
    """Unpack a package beside it; returns the folder."""
    folder = package.with_suffix("")
    if not folder.exists():
        temporary = folder.with_suffix(".part")
        run("dpkg-deb", "--extract", str(package), str(temporary))
        temporary.rename(folder)
    return folder


def only(folder: Path, pattern: str) -> Path:
    """Return the one file that matches; Failure when it is not one."""
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise Failure(f"{folder.name} holds {len(found)} files {pattern}: it is another package than expected")
    return found[0]


def entry(number: int, name: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)) -> bytes:
    """Return one file of a cpio archive, format ``newc`` (cpio(5)): owner root, no time."""
    major, minor = device
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name) + 1, 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return _padded(header) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def initrd(busybox: bytes, modules: dict[str, bytes], told: str) -> bytes:
    """Return the initrd: what the kernel unpacks as its first file system."""
    files = {"bin/busybox": busybox, "init": (HERE / "init").read_bytes()}
    files["etc/pixlab-build"] = f"{told}\n".encode()
    files["etc/modules"] = "".join(f"{name}\n" for name in modules).encode()
    files |= {f"modules/{name}": data for name, data in modules.items()}
    folders = ("bin", "dev", "etc", "modules", "proc", "sys", "tmp")
    parts = [(name, DIRECTORY, b"", (0, 0)) for name in folders]
    parts += [("dev/console", DEVICE, b"", (5, 1))]
    parts += [(name, FILE, data, (0, 0)) for name, data in files.items()]
    archive = b"".join(entry(number, *part) for number, part in enumerate(parts, start=1))
    return gzip.compress(archive + entry(0, "TRAILER!!!", 0), mtime=0)


def described(data: bytes, name: str) -> dict[str, object]:
    """Return what the manifest says of a file."""
    return {"name": name, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def build() -> Path:
    """Build the image; returns its manifest."""
    kernel_package, busybox_package = fetch()
    kernel_files, busybox_files = unpack(kernel_package), unpack(busybox_package)
    kernel = only(kernel_files, "boot/vmlinuz-*").read_bytes()
    busybox = only(busybox_files, "bin/busybox").read_bytes()
    modules = {Path(m).name: only(kernel_files, f"lib/modules/*/kernel/{m}").read_bytes() for m in MODULES}
    inputs = [kernel, busybox, *modules.values(), (HERE / "init").read_bytes(), Path(__file__).read_bytes()]
    build_id = hashlib.sha256(b"".join(hashlib.sha256(data).digest() for data in inputs)).hexdigest()[:32]
    version = kernel_package.name.split("_")[1]
    told = f"name={NAME} version={version} build_id={build_id}"
    files = {"vmlinuz": kernel, "initrd.gz": initrd(busybox, modules, told)}
    for name, data in files.items():
        (OUT / name).write_bytes(data)
    manifest = {
        "schema": 1,
        "format": "linux",
        "name": NAME,
        "version": version,
        "build_id": build_id,
        "files": [described(data, name) for name, data in files.items()],
        "boot": {"method": "ipxe", "kernel": "vmlinuz", "initrd": "initrd.gz", "command_line": COMMAND_LINE},
        "driver": "linux",
        "nic_model": "virtio-net",
        "memory_mib_min": 256,
        "max_exclusive_cores": 16,
        # Ring 0 of a Linux is all over the place: handed over to a KVM whose ring 0 is slow, it would crawl.
        "accelerators": ["kvm", "tcg"],
        "ready_text": "linux router ready",
        "prompt": "linux> ",
        "version_command": "cat /etc/pixlab-build",
        "version_pattern": r"^name=(?P<name>\S+) version=(?P<version>\S+) build_id=(?P<build_id>[0-9a-f]{32})$",
    }
    path = OUT / f"{NAME}.manifest.json"
    path.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    try:
        print(build())
    except Failure as failure:
        sys.exit(str(failure))
