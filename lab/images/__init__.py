"""Images: what there is to boot, built from source or fetched, and proved to be what has booted."""

from lab.images.build import build, build_named
from lab.images.catalogue import all_manifests, find
from lab.images.manifest import Manifest, PixManifest

__all__ = ["Manifest", "PixManifest", "all_manifests", "build", "build_named", "find"]
