# SPDX-License-Identifier: GPL-2.0
"""The objects whose code is looked at, with debug information that the kernel itself lacks.

The kernel under test stays as it was built.  Each object of interest is compiled once more by
the command that kbuild kept (.<object>.cmd), with -g on top, which changes no code, and linked
at the addresses that its symbols have in the image.  That the code is the same is checked.
"""

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coco import cache, command, parts
from coco.errors import InfrastructureError
from coco.model import HANDLERS, MEMORY

# The files of every supported tree, where they were and where they went
OBJECTS: Mapping[str, tuple[str, ...]] = {
    # #VC and #VE; and the drivers for guest requests, where they are built in: a module is at no
    # address of the image
    HANDLERS: (
        "arch/x86/kernel/sev*.o",
        "arch/x86/coco/sev/*.o",
        "arch/x86/coco/tdx/tdx.o",
        "arch/x86/boot/compressed/sev*.o",
        "arch/x86/boot/compressed/tdx.o",
        "arch/x86/boot/startup/sev*.o",
        "drivers/virt/coco/tsm*.o",
        "drivers/virt/coco/guest/*.o",
        "drivers/virt/coco/sev-guest/*.o",
        "drivers/virt/coco/tdx-guest/*.o",
    ),
    # What is shared, bounced and accepted
    MEMORY: (
        "arch/x86/mm/mem_encrypt*.o",
        "arch/x86/mm/pat/set_memory.o",
        "arch/x86/mm/pageattr.o",
        "arch/x86/kernel/kvmclock.o",
        "kernel/dma/direct.o",
        "kernel/dma/pool.o",
        "kernel/dma/swiotlb.o",
        "drivers/firmware/efi/unaccepted_memory.o",
    ),
}
KERNEL = "vmlinux"
DECOMPRESSOR = "arch/x86/boot/compressed/vmlinux"
# objcopy --prefix-symbols of arch/x86/boot/startup/
_PREFIX = "__pi_"

_SECTION = re.compile(r"\s*\d+ (\S+) +([0-9a-f]+) ")
_TEXT = re.compile(r"text")

Symbols = Mapping[str, tuple[int, ...]]  # name -> every address that has it


@dataclass(frozen=True)
class Section:
    """Code of one object: where it is in the image."""

    name: str
    start: int
    size: int


@dataclass(frozen=True)
class Unit:
    """One object, linked where the image has it."""

    name: str  # path below the build, without .o
    image: str
    linked: Path
    sections: tuple[Section, ...]


def find(build: Path, folder: Path, area: str = HANDLERS) -> list[Unit]:
    """All units of an area in a finished build; folder takes the objects."""
    symbols = {image: _symbols(build / image) for image in (KERNEL, DECOMPRESSOR)}
    units = []
    for path in sorted({path for glob in OBJECTS[area] for path in build.glob(glob)}):
        words = compile_command(path)
        if words and "-DMODULE" not in words:
            units.append(_unit(build, path, words, symbols, folder))
    if not units:
        raise InfrastructureError(
            f"{build} has no object of the area {area}",
            "coverage needs a built tree (KDIR=, or KBUILD_OUTPUT=) of SEV-ES or TDX guests",
        )
    return units


def compile_command(path: Path) -> list[str]:
    """The words that compiled this object from C; none if that is not how it came about."""
    kept = path.parent / f".{path.name}.cmd"
    if not kept.is_file():
        return []
    first = kept.read_text(encoding="utf-8").partition("\n")[0]
    text = first.partition(" := ")[2].replace("$$", "$").replace("\\#", "#")
    words = shlex.split(text.partition(" ; ")[0])
    if not words or not words[-1].endswith(".c") or "-o" not in words:
        return []
    return words


def _unit(
    build: Path, path: Path, words: list[str], symbols: Mapping[str, Symbols], folder: Path
) -> Unit:
    name = str(path.relative_to(build).with_suffix(""))
    image = DECOMPRESSOR if name.startswith("arch/x86/boot/compressed/") else KERNEL
    again = folder / (name.replace("/", "-") + ".o")
    words = [word for word in words if not word.startswith(("-Wp,-MMD", "-Wp,-MD"))]
    words[words.index("-o") + 1] = str(again)
    command.output([*words, "-g1", "-gdwarf-4", "-w"], f"compiling {name}.c", cwd=build)
    _check_same(path, again, name)
    sections = place(_sections(again), _symbols_by_section(again), symbols[image])
    linked = _link(again, name, sections, symbols[image])
    return Unit(name, image, linked, tuple(sections))


def _link(again: Path, name: str, sections: Sequence[Section], image: Symbols) -> Path:
    """The object at its addresses; what it needs of others is where the image has it."""
    linked, script = again.with_suffix(".elf"), again.with_suffix(".ld")
    lacks = command.output(["nm", "-u", str(again)], f"reading {again}").split()
    lines = [f"{one} = {image.get(one, (0,))[0]:#x};" for one in lacks if one not in "Uvw"]
    # ld's own script would put .text.unlikely into .text, and in front of it
    lines += ["SECTIONS", "{"]
    lines += [f"\t{one.name} {one.start:#x} : {{ *({one.name}) }}" for one in sections]
    cache.write(script, "\n".join([*lines, "}"]) + "\n")
    # Never run: data may be out of its code's reach, and overlap it
    words = ["ld", "-e", "0", "--noinhibit-exec", "--no-check-sections", "-T", str(script)]
    command.output([*words, "-o", str(linked), str(again)], f"linking {name}.o")
    return linked


def _check_same(built: Path, again: Path, name: str) -> None:
    """Debug information must have changed no code, nor the source since."""
    if _sections(built) != _sections(again) or _code(built) != _code(again):
        raise InfrastructureError(
            f"{name}.c compiles to other code than what was built",
            f"its source or the compiler changed since: run {parts.program()} check first",
        )


def _code(path: Path) -> list[str]:
    words = ["objdump", "-d", "--no-show-raw-insn", str(path)]
    lines = command.output(words, f"disassembling {path}").splitlines()
    return [line for line in lines if line.startswith(" ")]


def _sections(path: Path) -> dict[str, int]:
    """Sections of code and their sizes."""
    lines = command.output(["objdump", "-h", "-w", str(path)], f"reading {path}").splitlines()
    found = {}
    for line in lines:
        match = _SECTION.match(line)
        if match and "CODE" in line and _TEXT.search(match[1]) and int(match[2], 16):
            found[match[1]] = int(match[2], 16)
    return found


def _symbols(path: Path) -> Symbols:
    if not path.is_file():
        raise InfrastructureError(f"{path} is missing", "finish the build: make bzImage")
    found: dict[str, tuple[int, ...]] = {}
    for line in command.output(["nm", str(path)], f"reading {path}").splitlines():
        words = line.split()
        if len(words) == 3:
            found[words[2]] = (*found.get(words[2], ()), int(words[0], 16))
    return found


def symbol(image: Path, name: str) -> int:
    """The address of one symbol."""
    try:
        return _symbols(image)[name][0]
    except KeyError as error:
        raise InfrastructureError(f"{image} has no symbol {name}") from error


def _symbols_by_section(path: Path) -> dict[str, dict[str, int]]:
    """section -> name -> offset, for functions and data alike."""
    found: dict[str, dict[str, int]] = {}
    lines = command.output(["objdump", "-t", str(path)], f"reading {path}").splitlines()
    for line in lines:
        left, tab, right = line.partition("\t")
        words = left.split()
        names = right.split()
        if tab and len(words) > 1 and len(names) > 1 and words[-1] != names[-1]:
            found.setdefault(words[-1], {})[names[-1]] = int(words[0], 16)
    return found


def place(
    sizes: Mapping[str, int], inside: Mapping[str, Mapping[str, int]], image: Symbols
) -> list[Section]:
    """Where each section ended up: most of its symbols must agree; unused ones were dropped."""
    placed = []
    for name, size in sizes.items():
        votes: Counter[int] = Counter()
        for symbol_name, offset in inside.get(name, {}).items():
            for candidate in (symbol_name, _PREFIX + symbol_name):
                votes.update(address - offset for address in image.get(candidate, ()))
        if votes:
            placed.append(Section(name, votes.most_common(1)[0][0], size))
    return placed


@dataclass(frozen=True)
class View:
    """A range of addresses at which a guest runs code, and how far that is off its link."""

    start: int
    end: int
    offset: int


def views(units: Iterable[Unit], build: Path) -> list[View]:
    """Every place where code runs without KASLR (boot.rst: pref_address, init_size).

    The decompressor runs where it was loaded, then from the end of its buffer; the kernel
    first at its physical address.  Where two of these overlap, the first of this list has it.
    """
    head = (build / "arch/x86/boot/bzImage").read_bytes()[:0x300]
    loaded = int.from_bytes(head[0x258:0x260], "little")
    init_size = int.from_bytes(head[0x260:0x264], "little")
    moved = loaded + init_size - symbol(build / DECOMPRESSOR, "_end")
    physical = loaded - symbol(build / KERNEL, "_text")
    offsets = {KERNEL: (0, physical), DECOMPRESSOR: (moved, loaded)}
    found: list[View] = []
    for number in (0, 1):
        for unit in units:
            offset = offsets[unit.image][number]
            for section in unit.sections:
                start = section.start + offset
                view = View(start, start + section.size, offset)
                if all(view.end <= other.start or other.end <= view.start for other in found):
                    found.append(view)
    return found


def scratch(kernel: str) -> Path:
    """Where the objects of one kernel are compiled again."""
    return cache.folder("coverage", kernel[:20])
