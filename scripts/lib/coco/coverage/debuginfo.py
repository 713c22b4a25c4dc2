# SPDX-License-Identifier: GPL-2.0
"""Lines, functions and conditional jumps of a unit, out of its DWARF and its disassembly."""

import bisect
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from coco import command
from coco.coverage.units import Unit

# Files that count, whichever unit they are compiled into: the handlers and the drivers for
# attestation; what shares memory, bounces and accepts it; not the headers
_COUNTS = re.compile(
    r"arch/x86/(kernel/sev|coco/sev/|coco/tdx/|boot/compressed/(sev|tdx)|boot/startup/sev)"
    r"[^/]*\.c$|drivers/virt/coco/.*\.c$|arch/x86/kernel/kvmclock\.c$"
    r"|arch/x86/mm/(mem_encrypt[^/]*|pageattr|pat/set_memory)\.c$"
    r"|kernel/dma/(direct|pool|swiotlb)\.c$|drivers/firmware/efi/unaccepted_memory\.c$"
)
_INSTRUCTION = re.compile(
    r"\s*([0-9a-f]+):\s+(?:(?:bnd|notrack|ds|cs)\s+)*(\S+)(?:\s+([0-9a-f]+))?"
)

# Jumps, calls, returns and what never goes on: the next instruction is not the one behind it
_LEADS_AWAY = re.compile(r"j\w+|call\w*|ret\w*|iret\w*|sys(?:ret|exit)\w*|loop\w*|ud2|int3?|hlt")

Line = tuple[str, int]  # file below the tree, number
Flow = dict[int, int | None]  # instruction -> the one that must come next, if one must


@dataclass(frozen=True)
class Range:
    """Addresses that belong to one line."""

    start: int
    end: int
    line: Line


@dataclass(frozen=True)
class Jump:
    """A conditional jump: the line that it is of, and where it can go."""

    address: int
    ways: tuple[int, int]
    line: Line


@dataclass
class Code:
    """What can be covered."""

    ranges: list[Range] = field(default_factory=list)  # by address, without overlap
    functions: dict[str, dict[int, str]] = field(default_factory=dict)  # file -> line -> name
    jumps: list[Jump] = field(default_factory=list)
    flow: Flow = field(default_factory=dict)

    def line_at(self, address: int) -> Line | None:
        """The line that an address belongs to."""
        place = bisect.bisect_right(self.ranges, address, key=lambda one: one.start) - 1
        if place >= 0 and address < self.ranges[place].end:
            return self.ranges[place].line
        return None


def read(units: Iterable[Unit], tree: Path) -> Code:
    """All units together: their addresses differ within an image, and between the two."""
    code = Code()
    for unit in units:
        _read_dwarf(unit, tree, code)
    code.ranges.sort(key=lambda one: one.start)
    for unit in units:
        words = ["objdump", "-d", "--no-show-raw-insn", str(unit.linked)]
        text = command.output(words, f"disassembling {unit.name}")
        parse_instructions(text.splitlines(), code)
    return code


def _read_dwarf(unit: Unit, tree: Path, code: Code) -> None:
    with unit.linked.open("rb") as file:
        dwarf = ELFFile(file).get_dwarf_info()
        for compiled in dwarf.iter_CUs():
            program = dwarf.line_program_for_CU(compiled)
            names = _file_names(program.header, compiled, tree)
            code.ranges += _ranges(program, names, unit)
            for entry in compiled.iter_DIEs():
                _add_function(entry, names, code)


def counts(name: str) -> bool:
    """Is this source file, named from the top of the tree, one of those that are looked at?"""
    return _COUNTS.search(name) is not None


def _file_names(header: Any, compiled: Any, tree: Path) -> dict[int, str]:
    """The number of each file that counts -> its name below the tree (DWARF 4, section 6.2.4)."""
    base = Path(compiled.get_top_DIE().attributes["DW_AT_comp_dir"].value.decode())
    folders = [base, *(base / name.decode() for name in header.include_directory)]
    names = {}
    for number, entry in enumerate(header.file_entry, 1):
        # The decompressor's units name shared files by way of their own folder: compressed/../..
        text = os.path.normpath(folders[entry.dir_index] / entry.name.decode())
        name = text.removeprefix(f"{tree}/").removeprefix(f"{base}/")
        if counts(name):
            names[number] = name
    return names


def _ranges(program: Any, names: dict[int, str], unit: Unit) -> list[Range]:
    found: list[Range] = []
    before: Any = None
    for entry in program.get_entries():
        state = entry.state
        if state is None:
            continue
        if before is not None and before.file in names and before.line:
            line = (names[before.file], before.line)
            if before.address < state.address and _inside(unit, before.address):
                found.append(Range(before.address, state.address, line))
        before = None if state.end_sequence else state
    return found


def _inside(unit: Unit, address: int) -> bool:
    return any(s.start <= address < s.start + s.size for s in unit.sections)


def _add_function(entry: Any, names: dict[int, str], code: Code) -> None:
    """A function that was compiled or inlined, by the line where it begins."""
    if entry.tag != "DW_TAG_subprogram" or "DW_AT_declaration" in entry.attributes:
        return
    have = entry.attributes
    if "DW_AT_name" not in have or "DW_AT_decl_file" not in have:
        return
    file = names.get(have["DW_AT_decl_file"].value)
    if file:
        name = have["DW_AT_name"].value.decode()
        code.functions.setdefault(file, {})[have["DW_AT_decl_line"].value] = name


def parse_instructions(lines: Iterable[str], code: Code) -> None:
    """The flow of a disassembly, and its conditional jumps; jmp and the like have one way."""
    before, last = 0, ""
    target: int | None = None  # of a conditional jump just before
    for text in lines:
        match = _INSTRUCTION.match(text)
        if not match:
            before = 0 if not text.strip() else before
            continue
        address, name = int(match[1], 16), match[2]
        if before in code.flow and not _LEADS_AWAY.fullmatch(last):
            code.flow[before] = address
        line = code.line_at(before) if target not in (None, address) else None
        if line and target is not None:
            code.jumps.append(Jump(before, (address, target), line))
        conditional = name.startswith("j") and not name.startswith("jmp") and match[3]
        target = int(match[3], 16) if conditional else None
        code.flow[address] = None
        before, last = address, name
