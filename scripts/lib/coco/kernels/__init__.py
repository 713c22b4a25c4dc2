# SPDX-License-Identifier: GPL-2.0
"""Kernels under test: where they come from, and what the rest needs of one.

    KERNEL=debian[:6.12|:7.x|:exact version]   shipped by Debian        debian.py
    KERNEL=<file.deb[,more.deb] | vmlinuz>     a local one (HEADERS=)   local.py
    KDIR=<tree>                                built from a tree        tree.py
    KBUILD_OUTPUT=<folder>                     a finished build         tree.py

resolve() uses the network for none of them; fetch() is what downloads.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from coco import config, files
from coco.cache import Say, quiet
from coco.errors import InfrastructureError, UsageError

DEFAULT = "debian:6.12"


@dataclass(frozen=True)
class Request:
    """What the command line says about the kernel."""

    kernel: str = ""
    headers: Path | None = None
    kdir: Path | None = None
    config: Path | None = None
    kbuild_output: Path | None = None
    debug: bool = False

    @classmethod
    def of(cls, args: object) -> "Request":
        """From anything that has attributes of these names."""
        if isinstance(args, cls):
            return args

        def path(name: str) -> Path | None:
            value = getattr(args, name, None)
            return Path(value) if value else None

        return cls(
            kernel=getattr(args, "kernel", None) or "",
            headers=path("headers"),
            kdir=path("kdir"),
            config=path("config"),
            kbuild_output=path("kbuild_output"),
            debug=bool(getattr(args, "debug", False)),
        )


@dataclass(frozen=True)
class Kernel:
    """One kernel under test.  A missing part is None, and the reason beside it says why."""

    name: str  # for people: "Debian 6.12.117-1~deb12u1 cloud"
    source: str  # debian, local, tree or build
    release: str  # what uname -r prints
    vmlinuz: Path  # never written again: every build and download has its own
    sha256: str  # of vmlinuz
    config: Mapping[str, str]  # option without CONFIG_ -> y, m, or its value
    technologies: tuple[str, ...]  # personalities that it has code for, "none" first
    headers: Path | None = None  # folder to build modules against
    no_headers: str = ""
    modules: Path | None = None  # its own: <modules>/lib/modules/<release>
    no_modules: str = ""
    compiler: str = ""  # that built it, as its configuration says
    build_lock: str = ""  # lock to hold while headers are used, if they can change
    module_make: tuple[str, ...] = ()  # more words for make when modules are built
    notes: tuple[str, ...] = ()
    changelog: Path | None = None  # of a distribution
    uki: Path | None = None  # the unified kernel image that it came in

    def check_unchanged(self, image: Path) -> None:
        """A tree may have been rebuilt by another run since this one took its image."""
        if files.sha256(image) != self.sha256:
            raise InfrastructureError(
                f"{self.name} was rebuilt by another run while this one went on", "run it again"
            )

    @property
    def slug(self) -> str:
        """Short and unique, for file names."""
        return f"{self.release}-{self.sha256[:12]}"


def folder_name(word: str) -> str:
    """Of the results of a kernel that was asked for by that word."""
    return re.sub(r"[^A-Za-z0-9.+-]+", "_", word).strip("_")


def resolve(args: object, say: Say = quiet) -> Kernel:
    """The kernel that the command line asks for, from this machine alone."""
    kernel = _resolve(Request.of(args), say)
    lacks = config.shortcomings(kernel.config, kernel.technologies)
    return replace(kernel, notes=(*kernel.notes, *lacks))


def _resolve(request: Request, say: Say) -> Kernel:
    provider = _provider(request)
    if provider == "tree":
        from coco.kernels import tree

        return tree.resolve(request, say)
    if provider == "local":
        from coco.kernels import local

        return local.resolve(request, say)
    from coco.kernels import debian

    return debian.resolve(request.kernel or DEFAULT, say)


def fetch(args: object, say: Say = quiet) -> Kernel | None:
    """Download what resolve() will need; None if that kernel needs no download."""
    request = Request.of(args)
    if _provider(request) != "debian":
        say("nothing to download: this kernel is on this machine")
        return None
    from coco.kernels import debian

    return debian.fetch(request.kernel or DEFAULT, say)


def _provider(request: Request) -> str:
    """Which provider, and whether the variables fit together."""
    from_tree = bool(request.kdir or request.kbuild_output)
    if request.kernel and from_tree:
        raise UsageError("KERNEL= and KDIR= or KBUILD_OUTPUT= name two kernels", "give one of them")
    if request.config and not request.kdir:
        raise UsageError("CONFIG= says how to build a tree", "give the tree: KDIR=<tree>")
    if request.config and request.kbuild_output:
        raise UsageError(
            "KBUILD_OUTPUT= is used as it is, so CONFIG= has no effect", "give one of them"
        )
    if from_tree:
        if request.headers:
            raise UsageError("a tree has its own headers", "leave HEADERS= out")
        return "tree"
    word = request.kernel
    if not word or word == "debian" or word.startswith("debian:"):
        if request.headers:
            raise UsageError(
                "a Debian kernel comes with its own headers",
                "leave HEADERS= out, or name the image: KERNEL=<vmlinuz>",
            )
        return "debian"
    return "local"
