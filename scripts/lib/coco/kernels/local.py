# SPDX-License-Identifier: GPL-2.0
"""KERNEL=<.deb or .rpm files | vmlinuz | UKI>, HEADERS=<dir>: a kernel that lies about here."""

import hashlib
import re
from pathlib import Path

from coco import cache, command, config
from coco.cache import Say
from coco.errors import UsageError
from coco.kernels import Kernel, Request, bzimage, rpm, uki, unpacked
from coco.model import some

_WHY_NO_HEADERS = "no headers were given (HEADERS=<dir>)"


def resolve(request: Request, say: Say = cache.quiet) -> Kernel:
    """The kernel in the files that KERNEL= names."""
    names = [name for name in request.kernel.split(",") if name]
    paths = [Path(name).expanduser() for name in names]
    for path in paths:
        if not path.is_file():
            raise UsageError(
                f"KERNEL={request.kernel}: {path} does not exist or is no file",
                "KERNEL= takes debian:<version>, a vmlinuz, or .deb files with commas between",
            )
    if {path.suffix for path in paths} in ({".deb"}, {".rpm"}):
        return _packages(paths, request, say)
    if len(paths) > 1:
        raise UsageError(
            f"KERNEL={request.kernel}: several files must all be .deb or all .rpm packages",
            "one vmlinuz, with HEADERS=<dir> for its headers",
        )
    if paths[0].suffix in (".apk", ".gz", ".xz", ".zst"):
        raise UsageError(
            f"KERNEL={request.kernel}: cannot unpack {paths[0].suffix} files",
            "unpack it, and give the vmlinuz in it and HEADERS=<dir>",
        )
    return _image(paths[0].resolve(), request, say)


def _packages(paths: list[Path], request: Request, say: Say) -> Kernel:
    """An image package, and if need be those of modules and headers."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as deb:
            digest.update(hashlib.file_digest(deb, "sha256").digest())

    def build(folder: Path) -> None:
        for path in paths:
            if path.suffix == ".rpm":
                rpm.unpack(path, folder)
                continue
            try:
                unpacked.unpack([path], folder)
            except command.CommandFailed as error:
                raise UsageError(
                    f"{path} is no Debian package, or damaged", error.message
                ) from error
        unpacked.finish(folder)

    say(f"unpacking {len(paths)} packages")
    folder = cache.entry("local", digest.hexdigest()[:20], build, say)
    vmlinuz = unpacked.find_vmlinuz(folder)
    if vmlinuz is None:
        raise UsageError(
            f"KERNEL={request.kernel}: no kernel image in there",
            "give the image package too (Debian: linux-image-..., from 6.19 on linux-binary-...; "
            "Fedora: kernel-core)",
        )
    return _kernel(vmlinuz, folder, request, say, some([path.name for path in paths], 1))


def _image(vmlinuz: Path, request: Request, say: Say) -> Kernel:
    """A bare image, or a UKI; modules and configuration from where they usually are beside it."""
    above = vmlinuz.parent
    if above.name == "boot":
        place = above.parent
    elif above.parent.name == "modules":  # lib/modules/<release>/vmlinuz
        place = above.parents[2]
    else:
        place = above
    return _kernel(vmlinuz, place, request, say, str(vmlinuz))


def _kernel(vmlinuz: Path, folder: Path, request: Request, say: Say, name: str) -> Kernel:
    inside = _unwrapped(vmlinuz)
    picture = bzimage.Image(inside)
    release = picture.release
    if not picture.is_64bit:
        raise UsageError(f"{vmlinuz} is a 32-bit kernel, the machine is 64-bit")
    headers = _headers(request.headers, release) or _headers_beside(folder, release)
    options_file = _config(vmlinuz, folder, release, headers)
    options = config.read(options_file) if options_file else picture.configuration()
    if not options:
        raise UsageError(
            f"no configuration found for {vmlinuz}",
            f"put it beside the image as config-{release}, or give HEADERS=<dir>, which has it "
            "(it is not in the image either: CONFIG_IKCONFIG)",
        )
    lacks = config.missing(options, config.BOOT)
    if lacks:
        raise UsageError(
            f"{vmlinuz} cannot run the tests; it lacks\n{config.explain(lacks)}",
            "give a kernel that has these options",
        )
    modules = _modules(folder, release, say)
    return Kernel(
        name=f"{release} from {name}",
        source="local",
        release=release,
        vmlinuz=_copy(picture, picture.path),
        sha256=picture.sha256,
        config=options,
        technologies=bzimage.technologies(picture, options),
        headers=headers,
        no_headers="" if headers else _why_no_headers(folder),
        modules=modules,
        no_modules="" if modules else f"no lib/modules/{release} in {folder}",
        compiler=options.get("CC_VERSION_TEXT", ""),
        changelog=unpacked.find_changelog(folder, release),
        uki=inside.with_name("image") if inside != vmlinuz else None,
    )


def _unwrapped(vmlinuz: Path) -> Path:
    """The image itself; or the one in a UKI, copied out of it, with the UKI as "image" beside."""
    try:
        whole = vmlinuz.read_bytes()
        inside = uki.kernel_in(whole)
    except OSError as error:
        raise UsageError(f"cannot read {vmlinuz}: {error.strerror}") from error
    if inside is None:
        return vmlinuz
    kernel = inside

    def build(folder: Path) -> None:
        (folder / "vmlinuz").write_bytes(kernel)
        (folder / "image").write_bytes(whole)

    name = hashlib.sha256(whole).hexdigest()[:20]
    return cache.entry("images", f"uki-{name}", build) / "vmlinuz"


def _copy(picture: bzimage.Image, vmlinuz: Path) -> Path:
    """The image where nobody replaces it while a run goes on."""
    if vmlinuz.is_relative_to(cache.root()):
        return vmlinuz

    def build(folder: Path) -> None:
        (folder / "vmlinuz").write_bytes(picture.data)

    return cache.entry("images", picture.sha256[:20], build) / "vmlinuz"


def _headers(given: Path | None, release: str) -> Path | None:
    """HEADERS=, if it fits the image."""
    if given is None:
        return None
    if not given.is_dir():
        raise UsageError(f"HEADERS={given}: no such folder")
    if re.search(r"[\s:]", str(given.resolve())):
        raise UsageError(f"HEADERS={given}: kbuild cannot work in a path with blanks or colons")
    theirs = unpacked.headers_release(given)
    if not theirs or not (given / "Module.symvers").is_file():
        raise UsageError(
            f"HEADERS={given} is no folder to build modules against "
            "(include/generated/utsrelease.h and Module.symvers are not both there)",
            "for example /usr/src/linux-headers-<release>, or the output folder of a build",
        )
    if theirs != release:
        raise UsageError(
            f"HEADERS={given} is for {theirs}, the image is {release}",
            "modules built with them would not load: give the headers of this very image",
        )
    return given.resolve()


def _why_no_headers(folder: Path) -> str:
    for symbols in sorted((folder / "usr/src").glob("*/Module.symvers")):
        lacks = unpacked.lacking(symbols.parent)
        if lacks:
            return f"its headers need {' and '.join(lacks)}, too: more files in KERNEL="
    return _WHY_NO_HEADERS


def _headers_beside(folder: Path, release: str) -> Path | None:
    """Where packages put them, unpacked or installed."""
    link = folder / "lib/modules" / release / "build"
    if link.is_dir() and unpacked.headers_release(link) == release:
        if (link / "Module.symvers").is_file():
            return link.resolve()
    return unpacked.find_headers(folder, release)


def _modules(folder: Path, release: str, say: Say) -> Path | None:
    """The folder above lib/modules/<release>, with modules.dep."""
    source = folder / "lib/modules" / release
    if not (source / "kernel").is_dir():
        return None
    if (source / "modules.dep").is_file():
        return folder

    # Unpacked, never installed: list the modules in a folder of our own.
    def build(entry: Path) -> None:
        target = entry / "lib/modules" / release
        target.mkdir(parents=True)
        (target / "kernel").symlink_to((source / "kernel").resolve())
        for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
            if (source / name).is_file():
                (target / name).symlink_to((source / name).resolve())
        command.output(["depmod", "-b", str(entry), release], "listing the modules")

    digest = hashlib.sha256(str(source.resolve()).encode())
    for path in sorted(source.rglob("*.ko*")):
        told = path.stat()
        digest.update(f"\0{path.name} {told.st_size} {told.st_mtime_ns}".encode())
    return cache.entry("listed", f"{release}-{digest.hexdigest()[:20]}", build, say)


def _config(vmlinuz: Path, folder: Path, release: str, headers: Path | None) -> Path | None:
    """Beside the image, in the unpacked packages, or in the headers."""
    beside = [vmlinuz.with_name(f"config-{release}"), vmlinuz.with_name("config")]
    found = next((path for path in beside if path.is_file()), None)
    return found or unpacked.find_config(folder, release, headers)
