# SPDX-License-Identifier: GPL-2.0
"""coco install: a copy that needs nothing of the checkout.

    PREFIX/lib/coco-guest-tests/   all that it runs from, and VERSION
    PREFIX/bin/coco                a link to its scripts/coco
    PREFIX/share/man/man1/coco.1   the manual page
"""

import argparse
import gzip
import shutil
from collections.abc import Iterator
from pathlib import Path

from coco import errors, files, man, parts
from coco.catalogue import entries
from coco.errors import UsageError
from coco.screen import Screen

NAME = "coco-guest-tests"
ROOMS = ("backports", "examples", "guest", "kunit", "machine", "scripts", "selftests")
FILES = ("COPYING", "Kbuild", "README")
_LEFT_OUT = ("scripts/tests", "machine/tests", "kunit/coco_template.c.in")
_BUILT = (".o", ".ko", ".mod", ".cmd", ".a", ".elf", ".d", ".pyc", ".symvers", ".order")


def run(options: argparse.Namespace, _words: list[str], screen: Screen) -> int:
    """The whole verb."""
    if parts.is_installed():
        raise UsageError("this is an installed copy already", "install from a checkout")
    prefix = Path(options.prefix or "/usr/local")
    if not prefix.is_absolute():
        raise UsageError(f"PREFIX={prefix} is no absolute path", "DESTDIR= is put before it")
    root = Path(options.destdir).absolute() if options.destdir else Path("/")
    below = root / prefix.relative_to("/")
    target = below / "lib" / NAME
    with files.disk_errors(below, "PREFIX=<folder>"):
        if target.exists():
            if not (target / "VERSION").is_file():
                raise UsageError(f"{target} is there and is none of ours", "another PREFIX=")
            shutil.rmtree(target)
        for source in sources():
            _copy(source, target / source.relative_to(parts.REPOSITORY))
        (target / "VERSION").write_text(f"{parts.version()}\n", encoding="utf-8")
        day = entries.date((entries.BACKPORTS,))
        if day != "unknown":
            (target / "backports" / entries.DATE).write_text(f"{day}\n", encoding="utf-8")
        _link(below / "bin/coco", Path("../lib") / NAME / "scripts/coco")
        page = below / "share/man/man1/coco.1.gz"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_bytes(gzip.compress(("\n".join(man.page()) + "\n").encode(), mtime=0))
    screen.line(f"installed {parts.version()}: {below / 'bin/coco'}")
    return errors.OK


def sources() -> Iterator[Path]:
    """What is copied: no tests of the program itself, and nothing that was built."""
    for name in FILES:
        yield parts.REPOSITORY / name
    for room in ROOMS:
        for path in sorted((parts.REPOSITORY / room).rglob("*")):
            name = str(path.relative_to(parts.REPOSITORY))
            if path.is_dir() or name.startswith(_LEFT_OUT) or "__pycache__" in name:
                continue
            if path.suffix not in _BUILT and not path.name.endswith(".mod.c"):
                yield path


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)


def _link(link: Path, target: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(target)
