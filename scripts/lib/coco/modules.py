# SPDX-License-Identifier: GPL-2.0
"""The KUnit suites as modules of the kernel under test.

The sources are copied to a work folder in the cache, so that neither the
repository nor the headers are ever written to; built there as any external
module is; and kept by the hash of sources, kernel and compiler.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coco import cache, command, config, parts
from coco.cache import Say
from coco.errors import Unavailable, UsageError
from coco.kernels import Kernel, unpacked
from coco.parts import REPOSITORY

SOURCES = ("Kbuild", "kunit", "machine/include")
_SOURCE_NAME = re.compile(r"(?!.*\.mod\.c$)(.*\.[chS]|Kbuild.*|Makefile.*)")

# Drops options of the kernel's newer compiler that ours does not have.
CC_WRAPPER = REPOSITORY / "scripts/kbuild-cc"


@dataclass(frozen=True)
class Modules:
    """A folder with coco.ko and coco_<suite>.ko for one kernel."""

    folder: Path
    names: tuple[str, ...]  # without .ko
    how: str  # for people


def build(kernel: Kernel, log: Path | None = None, say: Say = cache.quiet) -> Modules:
    """The suites built for kernel; Unavailable says why there can be none."""
    _check(kernel)
    assert kernel.headers is not None
    cc = _compiler(kernel)
    found = dict(sources(REPOSITORY))
    extra = _variables()
    digest = hashlib.sha256()
    for name in sorted(found):
        digest.update(f"{name}\0{len(found[name])}\0".encode() + found[name])
    facts = (kernel.sha256, str(kernel.headers), cc.version, *kernel.module_make, *extra)
    digest.update("\0".join(facts).encode() + CC_WRAPPER.read_bytes())
    name = f"{kernel.release}-{digest.hexdigest()[:20]}"

    def fill(folder: Path) -> None:
        where = hashlib.sha256(str(kernel.headers).encode()).hexdigest()[:10]
        work = cache.folder("modules-work", cache.key(f"{kernel.release}-{where}"))
        with cache.lock(f"modules-work-{work.name}", say):
            with cache.disk_errors(work):
                _sync(found, work / "src")
            _make(kernel, cc, work, extra, log or work / "build.log", say)
            with cache.disk_errors(folder):
                for module in sorted(work.glob("src/kunit/**/*.ko")):
                    argv = ["strip", "--strip-debug", "-o", str(folder / module.name), str(module)]
                    command.output(argv, f"stripping {module.name}")

    folder = cache.entry("modules", name, fill, say)
    cache.prune("modules")
    return Modules(folder, _names(folder), f"built with {cc.version}")


def prebuilt(folder: Path, kernel: Kernel) -> Modules:
    """Suites that were built (and signed) elsewhere: MODULES=<dir>."""
    found = {path.stem: path for path in folder.rglob("coco*.ko")}
    if "coco" not in found:
        raise UsageError(
            f"MODULES={folder} holds no coco.ko",
            "build it with `make -C <kernel build folder> M=<this repository> modules`",
        )
    for name, path in sorted(found.items()):
        made_for = vermagic(path).split(" ")[0]
        if made_for != kernel.release:
            raise UsageError(
                f"{path} is for kernel {made_for or '(unknown)'}, the image is {kernel.release}",
                "build the modules for this kernel, or name the kernel that they are for",
            )
    digest = hashlib.sha256()
    for name in sorted(found):
        digest.update(found[name].read_bytes())

    def fill(target: Path) -> None:
        for path in found.values():
            shutil.copyfile(path, target / path.name)

    copy = cache.entry("modules", f"prebuilt-{digest.hexdigest()[:20]}", fill)
    return Modules(copy, _names(copy), f"from {folder}")


def vermagic(module: Path) -> str:
    """The line of a module that says which kernel it is for."""
    match = re.search(rb"\0vermagic=([^\0]*)\0", b"\0" + module.read_bytes())
    return match[1].decode(errors="replace") if match else ""


def _names(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in folder.glob("*.ko")))


def _check(kernel: Kernel) -> None:
    """Raise Unavailable where this kernel can have no modules of ours."""
    lacks = config.missing(kernel.config, config.MODULES)
    if lacks:
        raise Unavailable(
            f"the KUnit suites cannot be loaded, {kernel.name} lacks\n{config.explain(lacks)}",
            "the selftests need none of it and still run",
        )
    if kernel.headers is None:
        raise Unavailable(
            f"the KUnit suites cannot be built for {kernel.name}: {kernel.no_headers}",
            "HEADERS=<dir> names the headers, MODULES=<dir> suites built elsewhere",
        )
    if kernel.config.get("MODULE_SIG_FORCE") == "y":
        raise Unavailable(
            f"{kernel.name} loads signed modules only (CONFIG_MODULE_SIG_FORCE)",
            "MODULES=<dir> names suites that were built and signed elsewhere",
        )


@dataclass(frozen=True)
class _Compiler:
    command: str
    version: str
    words: tuple[str, ...]  # for make
    kernel_is_newer: bool


def _compiler(kernel: Kernel) -> _Compiler:
    """The compiler of the kernel if it is here, else the nearest thing."""
    clang = kernel.config.get("CC_IS_CLANG") == "y"
    option = "CLANG_VERSION" if clang else "GCC_VERSION"
    theirs = int(kernel.config.get(option, "0")) // 10000
    name = "clang" if clang else "gcc"
    chosen = next((c for c in (f"{name}-{theirs}", name) if shutil.which(c)), None)
    if chosen is None:
        raise Unavailable(
            f"{kernel.name} was built with {name}, which is not installed",
            f"install it (`{parts.program()} deps` installs gcc), or give MODULES=<dir>",
        )
    version = command.output([chosen, "--version"], "asking the compiler").splitlines()[0]
    ours = re.search(r"(\d+)\.\d+\.\d+", version)
    newer = bool(ours) and theirs > int(ours[1] if ours else 0)
    words = ("LLVM=1",) if clang else ()
    return _Compiler(chosen, version, words, newer)


def _variables() -> list[str]:
    """Words for our Kbuild."""
    which = os.environ.get("COCO_KUNIT", "")
    return [f"COCO_KUNIT={which}"] if which else []


def sources(repository: Path) -> Iterator[tuple[str, bytes]]:
    """(name, content) of all files that the modules are made of."""
    for top in SOURCES:
        path = repository / top
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in files:
            if file.is_file() and _SOURCE_NAME.fullmatch(file.name):
                yield str(file.relative_to(repository)), file.read_bytes()


def _sync(sources: dict[str, bytes], work: Path) -> None:
    """Make work hold exactly these sources; what did not change keeps its time."""
    for path in list(work.rglob("*")):
        if _SOURCE_NAME.fullmatch(path.name) and str(path.relative_to(work)) not in sources:
            if path.is_file() or path.is_symlink():
                path.unlink()
    for name, content in sources.items():
        target = work / name
        if target.is_file() and target.read_bytes() == content:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _make(
    kernel: Kernel, cc: _Compiler, work: Path, extra: Sequence[str], log: Path, say: Say
) -> None:
    """Run kbuild in the work folder."""
    assert kernel.headers is not None
    say(f"building the KUnit suites for {kernel.release}")
    compiler = cc.command
    if cc.kernel_is_newer:
        # Copied: make splits words, and the repository's path may have blanks.
        compiler = str(shutil.copy(CC_WRAPPER, work / "cc"))
    for stale in work.glob("src/kunit/**/*.ko"):
        stale.unlink()
    argv = [
        "make",
        "-C",
        str(_usable(kernel.headers, work)),
        f"M={work / 'src'}",
        f"-j{os.cpu_count() or 1}",
        f"CC={compiler}",
        *cc.words,
        # BTF of modules needs pahole and the BTF of the very vmlinux; debug information is
        # stripped anyway.
        "CONFIG_DEBUG_INFO_BTF_MODULES=",
        "CONFIG_DEBUG_INFO=",
        *kernel.module_make,
        *extra,
        "modules",
    ]
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("KBUILD_", "MAKE", "MFLAGS"))
    }
    environment |= {"LC_ALL": "C", "COCO_CC": cc.command}
    try:
        if kernel.build_lock:
            with cache.lock(kernel.build_lock, say) as lock:
                image = kernel.headers / "arch/x86/boot/bzImage"
                if image.is_file():
                    kernel.check_unchanged(image)
                command.run(argv, log, "building the suites", env=environment, keep_open=(lock,))
        else:
            command.run(argv, log, "building the suites", env=environment)
    except command.CommandFailed as error:
        if re.search(r"GLIBC_[\d.]+. not found", log.read_text(errors="replace")):
            raise Unavailable(
                f"the build tools in {kernel.headers} need a newer C library than this machine's",
                "KERNEL=debian:<version> brings that library along; "
                "MODULES=<dir> names suites built elsewhere",
            ) from error
        raise


def _usable(headers: Path, work: Path) -> Path:
    """The headers, or a copy of links with a Makefile that works where they are.

    Headers packages that were unpacked by hand include /usr/src/..., which is
    not there.
    """
    makefile = headers / "Makefile"
    if not makefile.is_file():
        raise UsageError(
            f"HEADERS={headers} has no Makefile: not a folder to build modules against",
            "for example /usr/src/linux-headers-<release>, or the output folder of a build",
        )
    missing = re.findall(
        r"^-?include (/usr/src/\S+)", makefile.read_text(errors="replace"), re.MULTILINE
    )
    if all(Path(name).exists() for name in missing):
        return headers
    copy = work / "headers"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for child in headers.iterdir():
        if child.name != "Makefile":
            (copy / child.name).symlink_to(child.resolve())
    unpacked.relocate(makefile, copy / "Makefile", parent=str(headers.resolve().parent))
    return copy
