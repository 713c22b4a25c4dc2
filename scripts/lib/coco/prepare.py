# SPDX-License-Identifier: GPL-2.0
"""From the command line to everything that a boot needs."""

import argparse
import re
from dataclasses import dataclass, replace
from pathlib import Path

from coco import cache, expect, image, kernels, modules, parts, plan, qemu, treetests
from coco.errors import Unavailable, UsageError
from coco.kernels import firmware, uki


@dataclass(frozen=True)
class Prepared:
    """A kernel with an image around it, a machine and a QEMU."""

    program: qemu.Qemu
    kernel: kernels.Kernel
    machine: Path
    initramfs: Path
    available: plan.Available
    suites: str  # how the KUnit suites were built, or why not
    programs: Path | None = None
    built: modules.Modules | None = None

    def guest(self, options: argparse.Namespace, personality: str, vcpus: int) -> qemu.Guest:
        """One guest of this kernel, in the machine."""
        return qemu.Guest(
            kernel=self.kernel.vmlinuz,
            initramfs=self.initramfs,
            machine=self.machine,
            personality=personality,
            vcpus=vcpus,
            ram=options.ram or qemu.DEFAULT_RAM,
            cmdline=options.append or "",
            options=options.machine or "",
            gdb=getattr(options, "gdb", None) or "",
            trace=getattr(options, "trace", None) or "",
            trace_words=getattr(options, "trace_words", None) or "",
            stub=self.available.uki_stub,
            firmware=self.available.firmware,
        )

    def with_firmware(self, file: Path | None) -> "Prepared":
        """The same, and suites that start guests in firmware have this one."""
        return replace(self, available=replace(self.available, firmware=file))


def check_paths(options: argparse.Namespace) -> None:
    """Files and folders that are used only after a kernel was built."""
    firmware.given(options)
    folder = getattr(options, "modules", None)
    if folder and not Path(folder).is_dir():
        raise UsageError(f"MODULES={folder} is no folder")


def prepare(options: argparse.Namespace, say: cache.Say) -> Prepared:
    """Find QEMU, the kernel, and build what runs in it; cheap when nothing changed."""
    check_paths(options)
    program = qemu.find(options.qemu or "")
    kernel = kernels.resolve(options, say)
    machine = parts.machine(say)
    programs = parts.selftests(say)
    built, suites = _modules(options, kernel, say)
    return _around(kernel, program, machine, programs, built, suites, say)


def again(prepared: Prepared, kernel: kernels.Kernel, headers: bool, say: cache.Say) -> Prepared:
    """Another kernel of the same tree, with the very same machine, programs and firmware.

    The suites are the same, too, unless the kernels' headers differ.
    """
    built, suites = prepared.built, prepared.suites
    if headers and built:
        built = modules.build(kernel, say=say)
        suites = built.how
    assert prepared.programs is not None
    other = _around(
        kernel, prepared.program, prepared.machine, prepared.programs, built, suites, say
    )
    return other.with_firmware(prepared.available.firmware)


def _around(
    kernel: kernels.Kernel,
    program: qemu.Qemu,
    machine: Path,
    programs: Path,
    built: modules.Modules | None,
    suites: str,
    say: cache.Say,
) -> Prepared:
    theirs = treetests.build(kernel.headers and _source(kernel.headers), say)
    names = frozenset(path.name for path in (*programs.iterdir(), *theirs) if path.is_file())
    available = plan.Available(
        kunit=frozenset(name.removeprefix("coco_") for name in built.names)
        if built
        else frozenset(),
        selftests=names - {"init"},
        no_kunit="" if built else suites,
        drivers=frozenset(image.drivers(kernel)),
        exports=exports(kernel.headers),
        declared=declared(kernel.headers),
        uki_stub=kernel.uki or (uki.STUB if uki.STUB.is_file() else None),
    )
    folder = built.folder if built else None
    initramfs = image.initramfs(kernel, programs, folder, say, theirs)
    return Prepared(program, kernel, machine, initramfs, available, suites, programs, built)


def _modules(
    options: argparse.Namespace, kernel: kernels.Kernel, say: cache.Say
) -> tuple[modules.Modules | None, str]:
    """The suites for this kernel, and how they were had; or None, and why not."""
    try:
        if getattr(options, "modules", None):
            built = modules.prebuilt(Path(options.modules), kernel)
        else:
            built = modules.build(kernel, say=say)
    except Unavailable as error:
        return None, error.message
    return built, built.how


def exports(headers: Path | None) -> frozenset[str] | None:
    """The functions that a kernel lets modules call; None where nothing says so."""
    try:
        text = (headers / "Module.symvers").read_text(encoding="utf-8") if headers else ""
    except OSError:
        text = ""
    names = (line.split("\t")[1] for line in text.splitlines() if line.count("\t") > 1)
    return frozenset(names) or None


def declared(headers: Path | None) -> frozenset[str] | None:
    """The words of expect.DECLARED that the source's headers meet; None without headers."""
    source = headers and _source(headers)
    if not source or not (source / "include/linux").is_dir():
        return None
    found = set()
    for word, (name, text) in expect.DECLARED.items():
        path = source / name
        if path.is_file() and text in path.read_text(encoding="utf-8", errors="replace"):
            found.add(word)
    return frozenset(found)


def _source(headers: Path) -> Path:
    """A folder to build modules in may only refer to the source, by its Makefile: by an
    absolute path, or to a folder beside itself (kernels/unpacked.py)."""
    try:
        text = (headers / "Makefile").read_text(encoding="utf-8")
    except OSError:
        return headers
    match = re.search(r"^include\s+(?:\$\(coco_src\)/)?(\S+)/Makefile$", text, re.MULTILINE)
    return headers.parent / match[1] if match else headers
