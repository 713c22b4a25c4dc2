# SPDX-License-Identifier: GPL-2.0
"""coco clean: remove what can be made again."""

import argparse
import shutil
from pathlib import Path

from coco import cache, errors, files, parts
from coco.errors import UsageError
from coco.screen import Screen

BUILT = ("build",)
RESULTS = ("results",)


def clean(options: argparse.Namespace, _words: list[str], screen: Screen) -> int:
    """The build folder; with ALL=1 the results and the cache too."""
    places = _made_here(options)
    if options.all:
        places += _cache_entries()
    for place in places:
        screen.line(f"removing {place}")
        with files.disk_errors(place, ""):
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink()
    return errors.OK


def _made_here(options: argparse.Namespace) -> list[Path]:
    """Folders of the checkout; beside an installed program's user they may be anybody's."""
    place = parts.workplace()
    if parts.is_installed():
        return sorted((place / "build").glob("coco-guest-*.tar.gz"))
    folders = [place / name for name in (*BUILT, *(RESULTS if options.all else ()))]
    return [folder for folder in folders if folder.is_dir()]


def _cache_entries() -> list[Path]:
    """All folders of the cache; the locks stay, since another run may hold one."""
    root = cache.root()
    if not root.is_dir():
        return []
    if not cache.is_ours():
        raise UsageError(
            f"COCO_CACHE={root} has no {cache.TAG}: it was there before, with things of others",
            "remove by hand what is the cache's",
        )
    return [path for path in sorted(root.iterdir()) if path.is_dir() and path.name != "locks"]
