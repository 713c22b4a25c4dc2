# SPDX-License-Identifier: GPL-2.0
"""Kernel packages unpacked in a folder: find the parts, make them work there.

Packages expect to be installed.  In a folder of their own three things break:
Makefiles of the headers name /usr/src, the module tree has no modules.dep (it is
made at installation), and programs of a newer distribution want a newer libc.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from coco import command

LOADER = "ld-linux-x86-64.so.2"
CHANGELOG = "changelog.gz"
_LIBRARIES = "libraries"


def unpack(debs: Sequence[Path], folder: Path) -> None:
    """Unpack packages into folder; of their documentation only the changelog is kept."""
    for deb in debs:
        command.output(["dpkg-deb", "-x", str(deb), str(folder)], f"unpacking {deb.name}")
    # The folder of a package that was split off the image is a link to the image's
    found = folder.glob("usr/share/doc/linux-*/changelog*.gz")
    for log in found:
        if not log.is_symlink() and not log.parent.is_symlink():
            keep_changelog(folder, log.read_bytes())
    for name in ("doc", "lintian", "bug", "man"):
        command.output(["rm", "-rf", str(folder / "usr/share" / name)], "tidying up")


def keep_changelog(folder: Path, data: bytes) -> None:
    """Keep one that came with a package, gzipped; of several the largest is the kernel's."""
    path = folder / CHANGELOG
    if not path.exists() or path.stat().st_size < len(data):
        path.write_bytes(data)


def finish(folder: Path) -> None:
    """Make headers and modules usable where they are."""
    # Merged /usr or not, depmod and we look for modules below lib/.
    if not (folder / "lib").exists() and (folder / "usr/lib/modules").is_dir():
        (folder / "lib").symlink_to("usr/lib")
    for makefile in (folder / "usr/src").glob("*/Makefile"):
        if makefile.resolve().is_relative_to(folder.resolve()):  # a package may link anywhere
            relocate(makefile, makefile)
    for release in releases(folder):
        command.output(["depmod", "-b", str(folder), release], "listing the modules")


def relocate(makefile: Path, target: Path, parent: str = "") -> bool:
    """Write makefile to target with /usr/src replaced by the folder above it.

    That folder is found by make itself, so that the cache can be moved, unless
    parent names it.  Returns whether there was anything to replace.
    """
    text = makefile.read_text(encoding="utf-8", errors="surrogateescape")
    own = re.escape(makefile.parent.name)
    text, count = re.subn(rf"(?m)^(\w+)\s*=\s*/usr/src/{own}$", r"\1 := $(coco_here)", text)
    text, more = re.subn(r"(?m)^(-?include) /usr/src/", r"\1 $(coco_src)/", text)
    if not count + more:
        return False
    head = (
        "coco_here := $(abspath $(dir $(lastword $(MAKEFILE_LIST))))\n"
        f"coco_src := {parent or '$(abspath $(coco_here)/..)'}\n"
    )
    target.write_text(head + text, encoding="utf-8", errors="surrogateescape")
    return True


def releases(folder: Path) -> list[str]:
    """Releases whose modules are in folder."""
    return sorted(
        path.name for path in (folder / "lib/modules").glob("*") if (path / "kernel").is_dir()
    )


def find_changelog(folder: Path, release: str = "") -> Path | None:
    """What the packages say of their own history; with a release, also where they are installed."""
    installed = folder.glob(f"usr/share/doc/linux-image-{release}/changelog*.gz") if release else ()
    return next((path for path in (folder / CHANGELOG, *installed) if path.is_file()), None)


def find_vmlinuz(folder: Path) -> Path | None:
    """The kernel image in unpacked packages."""
    for pattern in ("boot/vmlinuz-*", "lib/modules/*/vmlinuz", "usr/lib/modules/*/vmlinuz"):
        for path in sorted(folder.glob(pattern)):
            if path.is_file():
                return path
    return None


def find_headers(folder: Path, release: str) -> Path | None:
    """The folder to build modules against: it has the symbols of that release."""
    places = (folder / "usr/src").glob("*/Module.symvers")  # Debian's
    others = (folder / "usr/src/kernels").glob("*/Module.symvers")  # Fedora's kernel-devel
    for symbols in sorted([*places, *others]):
        if not lacking(symbols.parent) and headers_release(symbols.parent) == release:
            return symbols.parent
    return None


def lacking(headers: Path) -> list[str]:
    """The packages that headers lean on, as Debian splits them, and that are not there."""
    needed = []
    makefile, scripts = headers / "Makefile", headers / "scripts"
    if makefile.is_file():
        text = makefile.read_text(encoding="utf-8", errors="replace")
        needed += re.findall(r"(?m)^include (?:/usr/src|\$\(coco_src\))/([^/\s]+)/", text)
    gone = [name for name in needed if not (headers.parent / name).is_dir()]
    if not scripts.is_dir():
        gone.append(scripts.readlink().parent.name if scripts.is_symlink() else "scripts/")
    return gone


def find_config(folder: Path, release: str, headers: Path | None) -> Path | None:
    """The configuration: beside the image, with the modules, or in the headers."""
    places = [folder / f"boot/config-{release}", folder / f"lib/modules/{release}/config"]
    if headers:
        places.append(headers / ".config")
    return next((path for path in places if path.is_file()), None)


def headers_release(headers: Path) -> str:
    """The release that modules built against these headers are for, or ""."""
    generated = headers / "include/generated/utsrelease.h"
    if generated.is_file():
        match = re.search(r'UTS_RELEASE "([^"]+)"', generated.read_text(errors="replace"))
        if match:
            return match[1]
    release = headers / "include/config/kernel.release"
    return release.read_text(errors="replace").strip() if release.is_file() else ""


def add_libraries(debs: Sequence[Path], folder: Path) -> int:
    """Let programs below folder that need a newer libc run with the one in debs.

    Each becomes a shell script beside it that starts the real one through the
    loader of that libc.  Returns how many there were.
    """
    libraries = folder / _LIBRARIES
    libraries.mkdir()
    for deb in debs:
        command.output(["dpkg-deb", "-x", str(deb), str(libraries)], f"unpacking {deb.name}")
    loader = next(iter(sorted(libraries.rglob(LOADER))), None)
    if loader is None:
        return 0
    # Links in the package are absolute (/lib64/...); the loader itself is a plain file.
    places = sorted({path.parent for path in libraries.rglob("lib*.so.*")})
    count = 0
    for program in _programs(folder / "usr"):
        if _runs(["/lib64/" + LOADER], program):
            continue
        search = ":".join(str(place) for place in places)
        if not _runs([str(loader), "--library-path", search], program):
            continue
        _wrap(program, loader, places)
        count += 1
    return count


def _programs(folder: Path) -> Iterator[Path]:
    """Executable ELF files below folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file() or not os.access(path, os.X_OK):
            continue
        with open(path, "rb") as program:
            if program.read(4) == b"\x7fELF":
                yield path


def _runs(loader: list[str], program: Path) -> bool:
    """Whether that loader finds all libraries and symbol versions of program."""
    done = subprocess.run(
        [*loader, "--list", str(program)],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode == 0 and "not found" not in done.stdout + done.stderr


def _wrap(program: Path, loader: Path, places: Sequence[Path]) -> None:
    """Replace program by a script that runs it with loader and libraries."""
    real = program.with_name(f".{program.name}.elf")
    program.rename(real)

    def here(path: Path) -> str:
        return "$here/" + os.path.relpath(path, program.parent)

    program.write_text(
        "#!/bin/sh\n"
        "# Needs a newer libc than this machine has.\n"
        "here=${0%/*}\n"
        f'exec "{here(loader)}" --library-path "{":".join(map(here, places))}" '
        f'"$here/{real.name}" "$@"\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
