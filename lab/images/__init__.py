"""Images: what there is to boot, built from source, and proved to be what has booted."""

from lab.images.build import build
from lab.images.manifest import Manifest, all_manifests, find

__all__ = ["Manifest", "all_manifests", "build", "find"]
