# SPDX-License-Identifier: GPL-2.0
"""The kernel of a tree with some of its files changed, built in seconds.

    trees/<name>-<hash>/<variant>/build/          O= of the tree as it is, kbuild.py
                                  altered/tree/   links to all files of the tree
                                  altered/build/  O= of that

The tree itself is never written to.  Every time altered/build/ is made equal to
build/, times included, and the changed files take the place of their links: make
then compiles them and what depends on them, and nothing of an earlier change is
left.  kbuild's records of commands and dependencies name both folders by path, so
those names are changed on the way; a record that was missed would cost a
compilation more, never one less.
"""

import contextlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from coco import cache, command, config
from coco.cache import Say
from coco.errors import CocoError, InfrastructureError
from coco.kernels import Kernel, Request, kbuild, tree

Files = Mapping[str, bytes | None]  # path in the tree -> its content; None: it is not there

_RECORDS = (".cmd", ".d")
_SOURCES = (".c", ".h", ".S")
_HEADERS = (".h", ".lds", ".lds.S")


class DoesNotBuild(CocoError):
    """The changed tree does not compile: that says something about the change."""


@dataclass(frozen=True)
class Altered:
    """What came of a change."""

    kernel: Kernel
    seconds: float
    headers: bool  # modules that were built for the other kernel may not fit this one


@contextlib.contextmanager
def alone(request: Request, say: Say = cache.quiet) -> Iterator[None]:
    """Inside this block the changed tree stays as the last build() of this run left it."""
    place = tree.place_of(request)
    wait = f"another proof works on {place.tree}: waiting until it has built its other side"
    with cache.lock(f"{place.lock}-proof", say, wait):
        yield


def build(
    request: Request, kernel: Kernel, files: Files, since: float = 0.0, say: Say = cache.quiet
) -> Altered:
    """The kernel of request's tree with these files; kernel is that of the tree as it is.

    since: when that was read (seconds of the clock).  InfrastructureError: the tree was edited
    afterwards, so that the two would differ by more than these files.
    """
    place = tree.place_of(request)
    start = time.monotonic()
    folder = place.folder / "altered"
    name_of_lock = f"{place.lock}-altered"
    with cache.lock(name_of_lock, say) as lock:
        there = kbuild.Place(folder / "tree", folder, place.words)
        with cache.disk_errors(folder):
            _link(place.tree, there.tree)
            with cache.lock(place.lock, say):
                _check_unchanged(place, kernel, since)
                _copy_build(place, there)
            _put(there.tree, place.tree, files)
        try:
            if any(os.path.basename(name).startswith("Kconfig") for name in files):
                kbuild.reconfigure(there, lock)
            kbuild.compile_(there, lock, cache.quiet)
        except command.CommandFailed as error:
            raise DoesNotBuild(error.message, error.hint) from error
        options = config.read(there.build / ".config")
        name = f"{kernel.name}, altered"
        altered = tree.kernel_of(there.build, name, "tree", options, name_of_lock, [], say)
    seconds = time.monotonic() - start
    return Altered(altered, seconds, any(map(_reaches_modules, files)))


def _reaches_modules(name: str) -> bool:
    """Whether a change of that file can make modules unfit: by a layout, an option or a name."""
    file = os.path.basename(name)
    return name.endswith(_HEADERS) or file.startswith(("Kconfig", "Makefile", "localversion"))


def _check_unchanged(place: kbuild.Place, kernel: Kernel, since: float) -> None:
    edited = _edited(place.tree, since) if since else ""
    if edited:
        raise InfrastructureError(
            f"{edited} was edited while this run went on",
            "run it again: both sides have to have it",
        )
    kernel.check_unchanged(place.build / tree.IMAGE)


# ---- the tree ----


def _edited(tree_: Path, since: float, name: str = "") -> str:
    """A source file below name that was written after that time, if there is one."""
    for entry in os.scandir(tree_ / name):
        below = f"{name}/{entry.name}" if name else entry.name
        if entry.is_dir(follow_symlinks=False):
            if below != ".git" and not _is_linked_whole(below):
                found = _edited(tree_, since, below)
                if found:
                    return found
        elif entry.name.endswith(_SOURCES) or entry.name.startswith(("Kconfig", "Makefile")):
            if entry.stat(follow_symlinks=False).st_mtime > since:
                return below
    return ""


def _is_linked_whole(name: str) -> bool:
    """Folders that the build looks at without compiling anything in them."""
    parts = name.split("/")
    if len(parts) == 2 and parts[0] == "arch":
        return parts[1] not in ("x86", "um", "Kconfig")
    return name in ("Documentation", "tools/testing")


def _link(source: Path, target: Path, name: str = "") -> None:
    """Make target a folder of links to all that source holds, and nothing else."""
    target.mkdir(parents=True, exist_ok=True)
    stale = {entry.name: entry for entry in os.scandir(target)}
    for entry in os.scandir(source):
        below = f"{name}/{entry.name}" if name else entry.name
        if below == ".git":
            continue
        old = stale.pop(entry.name, None)
        if entry.is_dir(follow_symlinks=False) and not _is_linked_whole(below):
            if old and not old.is_dir(follow_symlinks=False):
                os.unlink(old.path)
            _link(Path(entry.path), target / entry.name, below)
        elif old is None or not old.is_symlink():
            if old:
                _remove(old)
            os.symlink(entry.path, target / entry.name)
    for old in stale.values():
        _remove(old)


def _remove(entry: "os.DirEntry[str]") -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    else:
        os.unlink(entry.path)


def _put(target: Path, source: Path, files: Files) -> None:
    """The changed files in place of their links."""
    for name, content in files.items():
        path = target / name
        if not path.parent.resolve().is_relative_to(target.resolve()):
            continue  # in a folder that is linked whole: never through the link
        mode = (source / name).stat().st_mode & 0o777 if (source / name).exists() else 0o644
        path.unlink(missing_ok=True)
        if content is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(mode)


# ---- the build ----


def _copy_build(source: kbuild.Place, target: kbuild.Place) -> None:
    """Make the other build equal to this one; what has the same time is the same."""
    (target.folder / "unfinished").unlink(missing_ok=True)
    target.build.mkdir(exist_ok=True)
    rename = _renamer({source.build: target.build, source.tree: target.tree})
    wanted = set()
    for name, entry in _walk(source.build):
        wanted.add(name)
        copy = target.build / name
        if entry.is_dir(follow_symlinks=False):
            copy.mkdir(exist_ok=True)
        elif entry.is_symlink():
            copy.unlink(missing_ok=True)
            copy.symlink_to(rename(os.readlink(entry.path).encode()).decode())
        else:
            _copy_file(entry, copy, rename)
    for name, entry in list(_walk(target.build)):
        if name not in wanted and os.path.lexists(entry.path):
            _remove(entry)


def _copy_file(entry: "os.DirEntry[str]", copy: Path, rename: Callable[[bytes], bytes]) -> None:
    changed = entry.stat(follow_symlinks=False)
    try:
        if copy.lstat().st_mtime_ns == changed.st_mtime_ns:
            return
        copy.unlink()
    except FileNotFoundError:
        pass
    if entry.name.endswith(_RECORDS) or entry.name == "Makefile":
        copy.write_bytes(rename(Path(entry.path).read_bytes()))
    else:
        shutil.copyfile(entry.path, copy)
    copy.chmod(changed.st_mode & 0o777)
    os.utime(copy, ns=(changed.st_atime_ns, changed.st_mtime_ns))


def _walk(top: Path) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    """Everything below top, a folder before what is in it."""
    folders = [""]
    while folders:
        folder = folders.pop()
        for entry in os.scandir(top / folder):
            name = f"{folder}/{entry.name}" if folder else entry.name
            yield name, entry
            if entry.is_dir(follow_symlinks=False):
                folders.append(name)


def _renamer(names: Mapping[Path, Path]) -> Callable[[bytes], bytes]:
    """Replaces whole paths, and paths below them, in a text."""
    table = {str(old).encode(): str(new).encode() for old, new in names.items()}
    either = b"|".join(re.escape(old) for old in sorted(table, key=len, reverse=True))
    pattern = re.compile(rb"(" + either + rb")(?![\w.+-])")
    return lambda text: pattern.sub(lambda match: table[match[1]], text)
