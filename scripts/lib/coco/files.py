# SPDX-License-Identifier: GPL-2.0
"""Files: written whole or not at all, locks, and in words what a disk refuses."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from coco.errors import CocoError, InfrastructureError

# Variables by which what does not fit where it is can go elsewhere
RESULTS = "RESULTS=<folder>"
JSON = "JSON=<file>"

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)


@contextlib.contextmanager
def disk_errors(path: Path, place: str = RESULTS) -> Iterator[None]:
    """Inside this block an OSError becomes a message about path, which the variable names."""
    try:
        yield
    except OSError as error:
        raise _disk_error(error, path, place) from error


def _disk_error(error: OSError, path: Path, place: str) -> CocoError:
    """Say in words what the file system refused."""
    if error.errno in _NO_SPACE:
        return InfrastructureError(
            f"the disk is full: no space left to write in {path}", _hint("free some space", place)
        )
    if error.errno in _NOT_WRITABLE:
        return InfrastructureError(
            f"cannot write to {error.filename or path}: {os.strerror(error.errno or 0)}",
            _hint("make it writable", place),
        )
    return InfrastructureError(f"{error.filename or path}: {error.strerror or error}")


def _hint(remedy: str, place: str) -> str:
    return f"{remedy}, or choose another place: {place}" if place else remedy


def check_space(path: Path, need_mib: int, what: str, place: str = RESULTS) -> None:
    """Refuse early what would fill the disk half way."""
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free >> 20
    if free < need_mib:
        raise InfrastructureError(
            f"{what} needs about {need_mib} MiB, and {path} has {free} MiB left",
            _hint("free some space", place),
        )


def write(path: Path, text: str, place: str = RESULTS) -> None:
    """Replace a file at once."""
    temporary = path.with_name(f".new-{path.name}-{os.getpid()}")
    with disk_errors(path, place):
        try:
            temporary.write_text(text, encoding="utf-8")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def write_json(path: Path, data: Any, place: str = RESULTS) -> None:
    """The same, for programs."""
    write(path, json.dumps(data, indent=1) + "\n", place)


def sha256(path: Path) -> str:
    """A file's hash."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def open_lock(path: Path) -> int:
    """The descriptor of a file that is a lock, for held()."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)


@contextlib.contextmanager
def held(handle: int, busy: Callable[[], None]) -> Iterator[None]:
    """Hold a lock, and close it.  Where another run has it, busy() may refuse by an error."""
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            busy()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        # Closing is not enough: a forked child would go on holding it.
        fcntl.flock(handle, fcntl.LOCK_UN)
    finally:
        os.close(handle)
