# SPDX-License-Identifier: GPL-2.0
"""Firmware that a guest can start in (suites with "image: firmware"): OVMF, in one file that ends
with the reset vector.

FIRMWARE= names one; else it is the newest in the cache, or this machine's own.  `coco fetch` gets
the newest that Debian's archive has, since an OVMF has to be newer than edk2-stable202211 to start
a SEV-SNP guest when it is built with secure boot.
"""

import argparse
from pathlib import Path

from coco import apt, cache, command
from coco.cache import Say
from coco.debversion import sort_key
from coco.errors import InfrastructureError, UsageError

PACKAGE = "ovmf"
KIND = "firmware"  # of entries in the cache
FILE = "usr/share/ovmf/OVMF.fd"  # in the package
_PAGE = 4096
_LARGEST = 16 << 20  # what the machine maps below 4 GiB


def find(options: argparse.Namespace, wanted: bool) -> Path | None:
    """The firmware of this run; None if no suite wants one, or if none is on this machine.

    Errors: UsageError if FIRMWARE= is no firmware.
    """
    named = given(options)
    if named or not wanted:
        return named
    own = Path("/", FILE)
    return _newest() or (own if own.is_file() else None)


def given(options: argparse.Namespace) -> Path | None:
    """The one that FIRMWARE= names."""
    if not getattr(options, "firmware", None):
        return None
    path = Path(options.firmware)
    if not path.is_file():
        raise UsageError(f"FIRMWARE={path} is no file", "it names an OVMF.fd")
    size = path.stat().st_size
    if not size or size % _PAGE or size > _LARGEST:
        raise UsageError(
            f"FIRMWARE={path} has {size} bytes: firmware has whole pages, 16 MiB at most",
            "variables and code have to be in one file: cat OVMF_VARS.fd OVMF_CODE.fd",
        )
    return path


def _newest() -> Path | None:
    """Of those in the cache."""
    folder = cache.root() / KIND
    found = [path for path in folder.glob("[!.]*") if (path / FILE).is_file()]
    return max(found, key=lambda path: sort_key(path.name)) / FILE if found else None


def fetch(say: Say = cache.quiet) -> Path:
    """Download the newest that the mirror serves into the cache."""
    with cache.lock(apt.LOCK, say):
        client = apt.Client(say)
        client.update()
        index = client.packages(PACKAGE)
        if not index:
            raise InfrastructureError(f"the mirror serves no package {PACKAGE}")
        best = max(index, key=lambda package: sort_key(package.version))

        def build(folder: Path) -> None:
            if client.download([best], folder):
                raise InfrastructureError(f"{PACKAGE} {best.version} is gone from the mirror")
            archive = apt.deb(best, folder)
            command.output(["dpkg-deb", "-x", str(archive), str(folder)], "unpacking the firmware")
            archive.unlink()

        return cache.entry(KIND, cache.key(best.version), build, say) / FILE
