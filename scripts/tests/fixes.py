# SPDX-License-Identifier: GPL-2.0
"""A fix, a catalogue of fixes and a tree to look for them in, for tests that start from one."""

from pathlib import Path

from coco import source
from coco.catalogue.fix import Catalogue, Condition, Fix, Flip, Probe

FILES = ("arch/x86/kernel/sev.c",)
FIX = Fix(
    id="some-fix",
    subject="x86/sev: Do it right",
    upstream=("0123456789ab",),
    cves=(),
    harm="It is done wrong.",
    technologies=("sev-es",),
    prerequisites=(),
    follow_ups=(),
    applies=(Condition(FILES, "handler"),),
    probes=(Probe(FILES, "handler", "check\\(regs\\)"),),
    cases=(Flip("alpha.one", "fail", ("sev-es",)),),
    verified=False,
    recipe=None,
    recipe_files=(),
    file=Path("some-fix.yaml"),
)
FIXED = "static int\nhandler(struct pt_regs *regs)\n{\n\tcheck(regs);\n}\n"
UNFIXED = "static int handler(int a,\n\t\t   int b)\n{\n\t/* check(regs) */\n}\n"


def tree(folder: Path, text: str = FIXED, name: str = FILES[0]) -> source.Tree:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    makefile = "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 192\n"
    (folder / "Makefile").write_text(makefile, encoding="utf-8")
    return source.Tree(folder)


def listed(*fixes: Fix) -> Catalogue:
    return Catalogue({fix.id: fix for fix in fixes}, "2026-11-23", ())
