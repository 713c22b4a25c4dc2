# SPDX-License-Identifier: GPL-2.0
"""KDIR=<tree> and KBUILD_OUTPUT=<folder>: kernels built from source.

A tree is built in the cache and never written to.  A finished build is used as
it is.  Either way image and modules are copied before they are used, so that a
later build does not change a run that goes on.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from coco import cache, command, config
from coco.cache import Say
from coco.errors import UsageError
from coco.kernels import Kernel, Request, bzimage, kbuild, unpacked

OLDEST = (5, 4)
IMAGE = "arch/x86/boot/bzImage"


def resolve(request: Request, say: Say = cache.quiet) -> Kernel:
    """Build the tree if need be; the kernel that came out."""
    if request.kbuild_output:
        return _finished(request.kbuild_output, request.kdir, say)
    place = place_of(request)
    own = request.config
    fragments = [*kbuild.DEFAULT_FRAGMENTS, *(["debug"] if request.debug else [])]
    with cache.lock(place.lock, say) as lock:
        notes = kbuild.configure(place, fragments, own, lock, say)
        options = _check_options(place.build, f"CONFIG={own}" if own else "this configuration")
        kbuild.compile_(place, lock, say)
        name = f"{_release(place.build)} from {place.tree}{_revision(place.tree)}"
        return kernel_of(place.build, name, "tree", options, place.lock, notes, say)


def place_of(request: Request) -> kbuild.Place:
    """Where the request's tree is built, or what is wrong with tree or configuration."""
    assert request.kdir is not None
    tree = check_tree(request.kdir)
    own = request.config
    if own:
        kbuild.check_config_file(own)
        variant = "config-" + hashlib.sha256(str(own.resolve()).encode()).hexdigest()[:10]
    else:
        variant = "debug" if request.debug else "default"
    return kbuild.Place.of(tree, variant, kbuild.NOT_CHECKED if variant == "debug" else ())


def check_tree(given: Path, word: str = "KDIR") -> Path:
    """The real path of the tree that word= names, or what is wrong with it."""
    if not given.is_dir():
        raise UsageError(f"{word}={given}: no such folder", "give the top folder of a kernel tree")
    tree = given.resolve()
    if re.search(r"[\s:]", str(tree)):
        raise UsageError(
            f"{word}={tree}: kbuild cannot work where the path has blanks or colons",
            "move the tree, or give a bind mount of it",
        )
    if not (tree / "init/main.c").is_file() or not (tree / "Kconfig").is_file():
        raise UsageError(f"{word}={given} is no kernel tree{_what_else(tree)}", _what_to_do(tree))
    if not (tree / "arch/x86/Kconfig").is_file():
        have = sorted(path.parent.name for path in tree.glob("arch/*/Kconfig"))
        raise UsageError(
            f"{word}={given} has no arch/x86 (it has {', '.join(have) or 'none'}): "
            "the technologies under test are those of x86"
        )
    version = _version(tree, word)
    if version < OLDEST:
        raise UsageError(
            f"{word}={given} is Linux {version[0]}.{version[1]}; "
            f"the oldest that can be tested is {OLDEST[0]}.{OLDEST[1]}"
        )
    for name in (".config", "include/config", "arch/x86/include/generated"):
        if (tree / name).exists():
            raise UsageError(
                f"{word}={given} was built in place ({name} is there), "
                "and kbuild then refuses to build it anywhere else",
                f"KBUILD_OUTPUT={given} uses that build as it is; "
                f"`make -C {given} mrproper` removes it (its .config too)",
            )
    return tree


def check_source(given: Path) -> Path:
    """The same for a tree that is only read, which may have been built in place."""
    if not (given / "Makefile").is_file() or not (given / "init/main.c").is_file():
        return check_tree(given)  # says what is wrong
    return given.resolve()


def _what_else(tree: Path) -> str:
    if (tree / "Module.symvers").is_file() and not (tree / IMAGE).is_file():
        return ", but the headers of one"
    if (tree / IMAGE).is_file():
        return ", but the output folder of a build"
    return ""


def _what_to_do(tree: Path) -> str:
    if (tree / "Module.symvers").is_file() and not (tree / IMAGE).is_file():
        return f"with an image: KERNEL=<vmlinuz> HEADERS={tree}"
    if (tree / IMAGE).is_file():
        return f"use it as it is: KBUILD_OUTPUT={tree}"
    return "give the top folder of a kernel tree, the one with init/ and Kconfig"


def _version(tree: Path, word: str) -> tuple[int, int]:
    text = (tree / "Makefile").read_text(encoding="utf-8", errors="replace")
    found = dict(re.findall(r"^(VERSION|PATCHLEVEL) = (\d+)$", text, re.MULTILINE))
    if len(found) != 2:
        raise UsageError(f"{word}={tree}: its Makefile names no kernel version")
    return int(found["VERSION"]), int(found["PATCHLEVEL"])


def _revision(tree: Path) -> str:
    """What git says about the tree, without git writing to it."""
    try:
        done = subprocess.run(
            ["git", "-C", str(tree), "describe", "--always", "--dirty", "--abbrev=12"],
            env={
                **os.environ,
                "GIT_OPTIONAL_LOCKS": "0",
                "GIT_CEILING_DIRECTORIES": str(tree.parent),
            },
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return f" ({done.stdout.strip()})" if done.returncode == 0 else ""


def _finished(output: Path, tree: Path | None, say: Say) -> Kernel:
    """KBUILD_OUTPUT=: a build that somebody else made, as it is."""
    if not output.is_dir():
        raise UsageError(f"KBUILD_OUTPUT={output}: no such folder")
    output = output.resolve()
    if not (output / ".config").is_file():
        raise UsageError(
            f"KBUILD_OUTPUT={output} has no .config: it is no build of a kernel",
            "give the folder that was O= when the kernel was built",
        )
    if tree:
        check_source = output / "source"
        source = check_source.resolve() if check_source.is_symlink() else output
        if source != tree.resolve():
            raise UsageError(
                f"KBUILD_OUTPUT={output} was built from {source}, not from KDIR={tree}",
                "leave KDIR= out, or name the right one",
            )
    options = _check_options(output, output / ".config")
    if not (output / IMAGE).is_file():
        raise UsageError(
            f"KBUILD_OUTPUT={output} is not finished: {IMAGE} is missing",
            f"finish it: make -C {output} bzImage modules",
        )
    return kernel_of(output, f"{_release(output)} built in {output}", "build", options, "", [], say)


def _check_options(output: Path, where: object) -> dict[str, str]:
    """The configuration, if a kernel with it can boot here at all."""
    options = config.read(output / ".config")
    if options.get("X86_64") != "y":
        arch = next(
            (n for n in ("ARM64", "ARM", "RISCV", "S390", "PPC64", "X86_32") if n in options), ""
        )
        raise UsageError(f"{where} is for {arch.lower() or 'another architecture'}, not 64-bit x86")
    lacks = config.missing(options, config.BOOT)
    if lacks:
        raise UsageError(
            f"a kernel with {where} cannot run the tests; it lacks\n{config.explain(lacks)}",
            "set these options and build again",
        )
    return options


def _release(output: Path) -> str:
    release = unpacked.headers_release(output)
    if not release:
        raise UsageError(
            f"{output} is not finished: include/generated/utsrelease.h is missing",
            f"finish it: make -C {output} bzImage modules",
        )
    return release


def kernel_of(
    output: Path,
    name: str,
    source: str,
    options: Mapping[str, str],
    lock: str,
    notes: Sequence[str],
    say: Say,
) -> Kernel:
    """Copy what a run needs out of a build."""
    picture = bzimage.Image(output / IMAGE)
    release = _release(output)
    if picture.release != release:
        raise UsageError(
            f"{output}: the image is {picture.release}, the headers are {release}: "
            "the build was not finished",
            f"finish it: make -C {output} bzImage modules",
        )
    modules, missing = _modules(output)
    digest = hashlib.sha256(picture.sha256.encode())
    for where, file in modules:
        digest.update(where.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())

    def fill(folder: Path) -> None:
        (folder / "vmlinuz").write_bytes(picture.data)
        target = folder / "lib/modules" / release
        target.mkdir(parents=True)
        for where, file in modules:
            (target / "kernel" / where).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target / "kernel" / where)
        for listing in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
            if (output / listing).is_file():
                shutil.copyfile(output / listing, target / listing)
        command.output(["depmod", "-b", str(folder), release], "listing the modules")
        facts = {"technologies": bzimage.technologies(picture, options)}
        (folder / "kernel.json").write_text(json.dumps(facts) + "\n", encoding="utf-8")

    path = cache.entry("built", f"{release}-{digest.hexdigest()[:20]}", fill, say)
    cache.prune("built")
    facts = json.loads((path / "kernel.json").read_text(encoding="utf-8"))
    symbols = (output / "Module.symvers").is_file()
    return Kernel(
        name=name,
        source=source,
        release=release,
        vmlinuz=path / "vmlinuz",
        sha256=picture.sha256,
        config=options,
        technologies=tuple(facts["technologies"]),
        headers=output if symbols else None,
        no_headers="" if symbols else f"{output} has no Module.symvers (make modules was not run)",
        modules=path if not missing else None,
        no_modules=f"{missing} is missing in {output} (make modules was not run)"
        if missing
        else "",
        compiler=options.get("CC_VERSION_TEXT", ""),
        build_lock=lock,
        module_make=("ARCH=x86_64",),
        notes=tuple(notes),
    )


def _modules(output: Path) -> tuple[list[tuple[str, Path]], str]:
    """(place below kernel/, file) of each module of the build, and one that is missing."""
    order = output / "modules.order"
    if not order.is_file():
        return [], ""
    found, missing = [], ""
    for line in order.read_text(encoding="utf-8").split():
        # "kernel/drivers/a.ko" up to 5.x, "drivers/a.ko" and "drivers/a.o" later
        where = re.sub(r"\.o$", ".ko", line.removeprefix("kernel/"))
        if (output / where).is_file():
            found.append((where, output / where))
        else:
            missing = where
    return found, missing
