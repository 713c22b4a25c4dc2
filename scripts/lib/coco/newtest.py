# SPDX-License-Identifier: GPL-2.0
"""coco new-test: a suite that builds and runs, or an entry for a fix, to be made a real one."""

import argparse
import re
from pathlib import Path

from coco import errors, expect, parts
from coco.errors import UsageError
from coco.expect import EXPECTATIONS
from coco.model import KUNIT, PERSONALITIES, SELFTEST
from coco.screen import Screen

TEMPLATES = {KUNIT: "kunit/coco_template.c.in", SELFTEST: "selftests/template.c.in"}
FIX = "fix"
FIX_TEMPLATES = {
    "fixes/{}.yaml": "backports/template.yaml.in",
    "recipes/{}.cocci": "backports/template.cocci.in",
}
KBUILD = "kunit/Kbuild"
_FIX_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]+")
_NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")
_CASE = {
    KUNIT: re.compile(r"\bKUNIT_CASE(?:_PARAM)?\((\w+)"),
    SELFTEST: re.compile(r"^TEST(?:_F)?(?:_SIGNAL|_TIMEOUT)?\((?:\w+, )?(\w+)[,)]", re.MULTILINE),
}
# What a case of a template says about where it applies
_ONLY = re.compile(r"(?:COCO_NEEDS|NEED_TECHNOLOGY)\([^;]*?COCO_(NONE|SEV_ES|SEV_SNP|SEV|TDX)\b")


def new_test(options: argparse.Namespace, _words: list[str], screen: Screen) -> int:
    """Write the file, and enter it where suites are built and written down."""
    if parts.is_installed():
        raise UsageError("suites and entries are written in a checkout", "run it there")
    name, kind = options.name or "", options.kind or KUNIT
    if kind == FIX:
        return new_fix(name, screen)
    if not _NAME.fullmatch(name):
        hint = "for example: scripts/coco new-test NAME=page_state KIND=kunit"
        raise UsageError(f"NAME={name}: a name is [a-z][a-z0-9_]*, of 2 to 31 letters", hint)
    if kind not in TEMPLATES:
        raise UsageError(f"KIND={kind}: neither kunit nor selftest nor fix")
    if name in expect.load(EXPECTATIONS).suites:
        raise UsageError(f"there is a suite {name} already", "choose another name")
    target = _target(parts.REPOSITORY, name, kind)
    if target.exists():
        raise UsageError(f"{target} exists already", "choose another name")
    text = fill(parts.REPOSITORY / TEMPLATES[kind], name)
    target.parent.mkdir(exist_ok=True)
    target.write_text(text, encoding="utf-8")
    if kind == KUNIT:
        add_module(parts.REPOSITORY / KBUILD, name)
    suite = EXPECTATIONS / "suites" / f"{name}.yaml"
    suite.write_text(entry(name, kind, text), encoding="utf-8")
    expect.load(EXPECTATIONS)
    screen.line(f"wrote {target.relative_to(parts.REPOSITORY)}")
    screen.line(f"wrote {suite.relative_to(parts.REPOSITORY)}")
    screen.line(f"run it: scripts/coco check SUITE={name}")
    return errors.OK


def new_fix(name: str, screen: Screen) -> int:
    """An entry of the catalogue and its recipe."""
    if not _FIX_NAME.fullmatch(name):
        hint = "for example: scripts/coco new-test KIND=fix NAME=CVE-2026-12345"
        raise UsageError(f"NAME={name}: an id is [A-Za-z0-9_.-]+", hint)
    targets = {
        parts.REPOSITORY / "backports" / place.format(name): parts.REPOSITORY / template
        for place, template in FIX_TEMPLATES.items()
    }
    for target in targets:
        if target.exists():
            raise UsageError(f"{target} exists already", "choose another name")
    for target, template in targets.items():
        text = template.read_text(encoding="utf-8").replace("@NAME@", name)
        target.write_text(text, encoding="utf-8")
        screen.line(f"wrote {target.relative_to(parts.REPOSITORY)}")
    screen.line("what to do with them: backports/README")
    return errors.OK


def _target(repository: Path, name: str, kind: str) -> Path:
    if kind == KUNIT:
        return repository / "kunit" / f"coco_{name}.c"
    return repository / "selftests" / name.removesuffix("_user") / f"{name}.c"


def fill(template: Path, name: str) -> str:
    """The template with its blanks filled in."""
    text = template.read_text(encoding="utf-8")
    claim = f"{name}: say in one sentence what must hold"
    return text.replace("@NAME@", name).replace("@CLAIM@", claim)


def add_module(kbuild: Path, name: str) -> None:
    """Enter the module in Kbuild, in order."""
    lines = kbuild.read_text(encoding="utf-8").splitlines()
    mine = f"obj-m += coco_{name}.o"
    modules = [n for n, line in enumerate(lines) if re.fullmatch(r"obj-m \+= coco_\w+\.o", line)]
    after = [n for n in modules if lines[n] < mine]
    place = after[-1] + 1 if after else (modules[0] if modules else len(lines))
    lines.insert(place, mine)
    kbuild.write_text("\n".join(lines) + "\n", encoding="utf-8")


def entry(name: str, kind: str, text: str) -> str:
    """The suite as it is written down, with its cases as the source has them."""
    lines = ["# SPDX-License-Identifier: GPL-2.0", f"kind: {kind}"]
    lines += [f"description: {name}, say what it is about", "cases:"]
    for case in _CASE[kind].findall(text):
        lines.append(f"  - id: {case}")
        only = _personality(case, text)
        if only:
            lines.append(f"    personalities: [{only}]")
    return "\n".join(lines) + "\n"


def _personality(case: str, text: str) -> str:
    """The only personality in which a case of a template does not skip."""
    head = rf"^[^\n;]*\b{case}\b[^\n;]*\)\n"
    body = re.search(head + r"\{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)
    match = _ONLY.search(body[1]) if body else None
    name = match[1].lower().replace("_", "-") if match else ""
    return name if name in PERSONALITIES else ""
