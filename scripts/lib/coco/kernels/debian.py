# SPDX-License-Identifier: GPL-2.0
"""KERNEL=debian:... : kernels as Debian ships them, unpacked in the cache, never installed.

The cloud flavour is the one that is built for virtual machines.  A kernel is
several packages: the image (from 6.19 on split in linux-binary, linux-modules
and linux-base), headers of the flavour, headers common to all flavours, and
the programs that kbuild needs (linux-kbuild).
"""

import json
import os
import platform
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coco import apt, cache, config, files, parts
from coco.apt import Package, deb
from coco.cache import Say
from coco.debversion import compare, sort_key
from coco.errors import InfrastructureError, UsageError
from coco.kernels import Kernel, bzimage, unpacked

KIND = "debian"
FLAVOUR = "cloud-amd64"
_IMAGE = re.compile(rf"linux-image-(\d+\.\d+\.\d+\S*-{FLAVOUR})")
# What linux-kbuild's programs are linked with (the newer libc needs its friends).
_LIBRARIES = re.compile(r"libc6|libelf1(t64)?|zlib1g|libzstd1")


@dataclass(frozen=True)
class Wanted:
    """What KERNEL=debian:<word> asks for."""

    word: str

    @classmethod
    def of(cls, spec: str) -> "Wanted":
        word = spec.removeprefix("debian").removeprefix(":") or "6.12"
        if not re.match(r"\d+(\.(\d+|x)|$)", word):
            raise UsageError(
                f"KERNEL={spec}: {word} is no kernel version",
                "for example debian:6.12, debian:7.x, debian:6.1.192-2",
            )
        return cls(word)

    def accepts(self, version: str, release: str) -> bool:
        """A line (6.12, 7.x, 7), or one exact version or release."""
        if self.word in (version, release):
            return True
        prefix = self.word.removesuffix(".x")
        return re.match(re.escape(prefix) + r"(\.|-|$)", version) is not None

    def __str__(self) -> str:
        return f"debian:{self.word}"


def resolve(spec: str, say: Say = cache.quiet) -> Kernel:
    """The newest kernel in the cache that spec accepts."""
    wanted = Wanted.of(spec)
    found = _in_cache(wanted)
    if not found:
        have = ", ".join(sorted(facts["version"] for _, facts in _cached()))
        raise InfrastructureError(
            f"{wanted} is not in the cache" + (f" (there: {have})" if have else ""),
            f"run `{parts.program()} fetch KERNEL={wanted}`, which downloads it",
        )
    best = max(found, key=lambda item: _rank(item[1]["version"], item[1]["suite"]))
    return _kernel(*best)


def fetch(spec: str, say: Say = cache.quiet) -> Kernel:
    """Download the newest kernel that the mirror serves and spec accepts."""
    wanted = Wanted.of(spec)
    with cache.lock(apt.LOCK, say):
        client = apt.Client(say)
        try:
            notes = client.update()
        except InfrastructureError as error:
            if not _in_cache(wanted):
                raise
            say(f"{error.message.splitlines()[0]}; what is in the cache stays")
            return resolve(spec, say)
        for note in notes:
            say(note)
        return _fetch(client, wanted, say)


def _fetch(client: apt.Client, wanted: Wanted, say: Say) -> Kernel:
    """The best kernel of the index that the mirror really has."""
    names = rf"linux-(?:image|base|binary|modules|headers|kbuild)-\S+|{_LIBRARIES.pattern}"
    index = client.packages(names)
    images = _images(index, wanted)
    if not images:
        raise UsageError(
            f"the mirror serves no kernel {wanted}", "it serves " + _lines(_images(index, None))
        )
    for image in images:
        try:
            path = _get(client, image, index, say)
        except _Gone as gone:
            say(f"{gone}: trying the next older one")
            continue
        return _kernel(path, _facts(path))
    raise InfrastructureError(
        f"the mirror's index names {wanted}, but parts of it are gone",
        f"try `{parts.program()} fetch` again later, or another version",
    )


def _images(index: Iterable[Package], wanted: Wanted | None) -> list[Package]:
    """Image packages that are wanted, best first, each version once."""
    found: dict[tuple[str, str], Package] = {}
    for package in index:
        match = _IMAGE.fullmatch(package.name)
        if match and (wanted is None or wanted.accepts(package.version, match[1])):
            found.setdefault((package.name, package.version), package)
    return sorted(found.values(), key=lambda item: _rank(item.version, item.suite), reverse=True)


def _rank(version: str, suite: str) -> tuple[bool, object]:
    """This machine's own release first (its compiler and libc fit), then the newest."""
    try:
        own = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    except OSError:
        own = ""
    return bool(own) and suite.split("-")[0] == own, sort_key(version)


def _lines(images: Iterable[Package]) -> str:
    lines = {".".join(image.version.split(".")[:2]) for image in images}
    return ", ".join(f"debian:{line}" for line in sorted(lines, key=sort_key)) or "none at all"


def _get(client: apt.Client, image: Package, index: Sequence[Package], say: Say) -> Path:
    """Download and unpack one kernel, unless a part of it is gone."""
    match = _IMAGE.fullmatch(image.name)
    assert match
    release = match[1]
    name = f"{release}_{image.version}"
    if (cache.root() / KIND / cache.key(name)).is_dir():
        return cache.root() / KIND / cache.key(name)
    packages = _parts(image, release, index)
    libraries = _newer_libraries(packages, index)
    need = 6 * sum(p.size for p in packages) >> 20
    files.check_space(cache.root(), need, f"Debian {image.version}", cache.PLACE)

    def build(folder: Path) -> None:
        downloads = folder / "debs"
        downloads.mkdir()
        gone = client.download([*packages, *libraries], downloads)
        if gone:
            what = f"{gone[0].name} {gone[0].version}"
            raise _Gone(f"{what} is in the mirror's index, but gone (404)")
        unpacked.unpack(_debs(downloads, packages), folder)
        wrapped = unpacked.add_libraries(_debs(downloads, libraries), folder) if libraries else 0
        if wrapped:
            say(f"{wrapped} of its build tools run with the C library of {image.suite}")
        unpacked.finish(folder)
        shutil.rmtree(downloads)
        _describe(folder, release, image, packages)

    return cache.entry(KIND, name, build, say)


class _Gone(Exception):
    """A package of a kernel is no longer to be had: a sentence that says which."""


def _debs(folder: Path, packages: Iterable[Package]) -> list[Path]:
    return [deb(package, folder) for package in packages]


def _parts(image: Package, release: str, index: Sequence[Package]) -> list[Package]:
    """All packages of a kernel: what is split off the image, the headers, kbuild."""
    split = []
    for name, version in image.requirements:
        if re.match(r"linux-(base|binary|modules)-", name):
            package = _find(index, name, version)
            if package is None:
                raise _Gone(f"the mirror has {image.name}, but not its {name} {version}")
            split.append(package)
    parts = split or [image]
    headers = _find(index, f"linux-headers-{release}", image.version)
    if headers is None:
        return parts
    parts.append(headers)
    for name, version in headers.requirements:
        if re.match(r"linux-(headers|kbuild)-", name):
            package = _find(index, name, version or image.version) or _find(index, name, "")
            if package:
                parts.append(package)
    return parts


def _find(index: Iterable[Package], name: str, version: str) -> Package | None:
    """That version of a package, or its newest."""
    found = [item for item in index if item.name == name and version in ("", item.version)]
    return max(found, key=lambda item: sort_key(item.version)) if found else None


def _newer_libraries(parts: Iterable[Package], index: Sequence[Package]) -> list[Package]:
    """The C library and friends that kbuild's programs want, if ours is older."""
    kbuild = next((part for part in parts if part.name.startswith("linux-kbuild-")), None)
    if kbuild is None:
        return []
    needs = re.search(r"\blibc6 \(>= ([\d.]+)\)", kbuild.depends)
    ours = os.confstr("CS_GNU_LIBC_VERSION") or "glibc 0"
    if not needs or compare(needs[1], ours.split()[-1]) <= 0:
        return []
    wanted = {name for name, _ in kbuild.requirements if _LIBRARIES.fullmatch(name)}
    found = [_find(index, name, "") for name in sorted(wanted | {"libzstd1"})]
    return [package for package in found if package]


def _describe(folder: Path, release: str, image: Package, parts: Sequence[Package]) -> None:
    """Write down what this entry of the cache is."""
    vmlinuz = unpacked.find_vmlinuz(folder)
    if vmlinuz is None:
        raise InfrastructureError(f"{image.name} {image.version} holds no kernel image")
    headers = unpacked.find_headers(folder, release)
    options = unpacked.find_config(folder, release, headers)
    if options is None:
        raise InfrastructureError(f"{image.name} {image.version} holds no configuration")
    picture = bzimage.Image(vmlinuz)
    facts = {
        "version": image.version,
        "release": release,
        "suite": image.suite,
        "vmlinuz": str(vmlinuz.relative_to(folder)),
        "sha256": picture.sha256,
        "config": str(options.relative_to(folder)),
        "headers": str(headers.relative_to(folder)) if headers else "",
        "technologies": bzimage.technologies(picture, config.read(options)),
        "packages": {f"{part.name}={part.version}": part.sha256 for part in parts},
    }
    (folder / "kernel.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def _cached() -> list[tuple[Path, dict[str, Any]]]:
    """Kernels in the cache."""
    return [
        (path.parent, _facts(path.parent))
        for path in sorted((cache.root() / KIND).glob("[!.]*/kernel.json"))
    ]


def _in_cache(wanted: Wanted) -> list[tuple[Path, dict[str, Any]]]:
    return [item for item in _cached() if wanted.accepts(item[1]["version"], item[1]["release"])]


def _facts(path: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((path / "kernel.json").read_text(encoding="utf-8"))
    return facts


def _kernel(path: Path, facts: dict[str, Any]) -> Kernel:
    options = config.read(path / facts["config"])
    modules = (path / "lib/modules" / facts["release"]).is_dir()
    return Kernel(
        name=f"Debian {facts['version']} (cloud)",
        source="debian",
        release=facts["release"],
        vmlinuz=path / facts["vmlinuz"],
        sha256=facts["sha256"],
        config=options,
        technologies=tuple(facts["technologies"]),
        headers=path / facts["headers"] if facts["headers"] else None,
        no_headers="" if facts["headers"] else "the mirror serves no headers of this version",
        modules=path if modules else None,
        no_modules="" if modules else "the packages hold no modules",
        compiler=options.get("CC_VERSION_TEXT", ""),
        changelog=unpacked.find_changelog(path),
    )
