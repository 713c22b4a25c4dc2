# SPDX-License-Identifier: GPL-2.0
"""coco clean: remove what can be made again."""

import argparse
import shutil
from pathlib import Path

from coco import cache, errors, parts
from coco.screen import Screen

BUILT = ("build",)
RESULTS = ("results",)


def clean(options: argparse.Namespace, screen: Screen) -> int:
    """The build folder; with ALL=1 the results and the cache too."""
    folders = [parts.workplace() / name for name in BUILT]
    if options.all:
        folders += [parts.workplace() / name for name in RESULTS]
        folders += _cache_entries()
    for folder in folders:
        if folder.is_dir():
            screen.line(f"removing {folder}")
            with cache.disk_errors(folder):
                shutil.rmtree(folder)
    return errors.OK


def _cache_entries() -> list[Path]:
    """All folders of the cache; the locks stay, since another run may hold one."""
    root = cache.root()
    if not root.is_dir():
        return []
    return [path for path in sorted(root.iterdir()) if path.is_dir() and path.name != "locks"]
