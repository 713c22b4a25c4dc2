# SPDX-License-Identifier: GPL-2.0
"""The cache: folders that are whole or absent.

An entry is built in a temporary folder beside its place and renamed into it
when it is finished, under a lock of its own.  So nothing half-done is ever
taken for whole, and any number of runs can share one cache.  A lock is a
flock(): the kernel drops it when its holder dies, however it dies.
"""

import contextlib
import errno
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from coco import files
from coco.errors import InfrastructureError

Say = Callable[[str], None]

PLACE = "COCO_CACHE=<folder>"
# Backup programs pass such a folder over (bford.info/cachedir)
TAG = "CACHEDIR.TAG"
_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55\n# The cache of coco-guest-tests.\n"


def quiet(_text: str) -> None:
    """A Say that says nothing."""


def root() -> Path:
    """Where the cache is: COCO_CACHE, else the user's cache folder."""
    named = os.environ.get("COCO_CACHE")
    if named:
        path = Path(named)
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        path = Path(base) / "coco"
    path = path.absolute()
    if re.search(r"[\s:%]", str(path)):
        raise InfrastructureError(
            f"the cache folder {path} has a blank, a colon or a percent sign in its name, "
            "and make cannot work there",
            "set COCO_CACHE to a folder with a plain name",
        )
    return path


def disk_errors(path: Path) -> contextlib.AbstractContextManager[None]:
    """files.disk_errors() for what is in the cache."""
    return files.disk_errors(path, PLACE)


def write(path: Path, text: str) -> None:
    """Replace a file of the cache at once."""
    files.write(path, text, PLACE)


def folder(*parts: str) -> Path:
    """A folder in the cache, made if need be."""
    path = root().joinpath(*parts)
    with disk_errors(path):
        _make_root()
        path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise OSError(errno.EACCES, "not writable", str(path))
    return path


def _make_root() -> None:
    """The cache's own folder, with a tag that says so if it was made, or empty."""
    path = root()
    path.mkdir(parents=True, exist_ok=True)
    if not any(path.iterdir()):
        (path / TAG).write_text(_SIGNATURE, encoding="ascii")


def is_ours() -> bool:
    """Whether everything in it is the cache's: COCO_CACHE may name a folder of other things."""
    with contextlib.suppress(OSError, ValueError):
        return (root() / TAG).read_text(encoding="ascii").startswith(_SIGNATURE)
    return not os.environ.get("COCO_CACHE")


def key(text: str) -> str:
    """A file name from any text, readable where possible."""
    return re.sub(r"[^A-Za-z0-9.+~_-]", "_", text) or "_"


@contextlib.contextmanager
def lock(name: str, say: Say = quiet, wait: str = "") -> Iterator[int]:
    """Hold the lock of that name; yields its file descriptor.  wait is said if another run has it.

    Hand the descriptor to a child that writes under the lock (pass_fds), and
    the lock stays held as long as the child lives, even if we are killed.
    """
    path = folder("locks") / f"{key(name)}.lock"
    with disk_errors(path):
        handle = files.open_lock(path)
    text = wait or f"waiting for another run that works on {name}"
    with files.held(handle, lambda: say(text)):
        yield handle


def entry(kind: str, name: str, build: Callable[[Path], None], say: Say = quiet) -> Path:
    """The folder kind/name of the cache; build() fills it if it is not there."""
    name = key(name)
    path = root() / kind / name
    if _in_use(path):
        return path
    parent = folder(kind)
    with lock(f"{kind}-{name}", say):
        if _in_use(path):
            return path
        # Ours is the lock, so a temporary folder of that name is a dead run's.
        temporary = parent / f".new-{name}"
        _remove(temporary)
        try:
            with disk_errors(temporary):
                temporary.mkdir()
                build(temporary)
                os.rename(temporary, path)
        except BaseException:
            _remove(temporary)
            raise
    return path


def _in_use(path: Path) -> bool:
    """Whether the entry is there; its time says when it was used last."""
    with contextlib.suppress(OSError):
        os.utime(path)
    return path.is_dir()


def prune(kind: str, keep: int = 40, days: float = 2.0) -> None:
    """Remove the entries that were not used for the longest time.

    What was used in the last days stays, as a run may still be using it.
    """
    times = []
    for path in (root() / kind).glob("[!.]*"):
        with contextlib.suppress(OSError):
            times.append((path.stat().st_mtime, path))
    for used, path in sorted(times, reverse=True)[keep:]:
        if used > time.time() - days * 86400:
            continue
        with lock(f"{kind}-{path.name}"), contextlib.suppress(OSError):
            gone = path.with_name(f".new-{path.name}")
            os.rename(path, gone)
            _remove(gone)


def _remove(path: Path) -> None:
    """Remove a folder, read-only folders in it included."""

    def unlock(function: Callable[..., object], name: str, _info: object) -> None:
        with contextlib.suppress(OSError):
            os.chmod(os.path.dirname(name), 0o700)
            os.chmod(name, 0o700)
            function(name)

    if path.exists():
        shutil.rmtree(path, onerror=unlock)
