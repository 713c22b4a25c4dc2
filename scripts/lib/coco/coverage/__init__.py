# SPDX-License-Identifier: GPL-2.0
"""coco coverage: which lines and branches of an area of the kernel the suites reach.

Nothing is built into the kernel: QEMU says which blocks of its code it executed, and debug
information says which lines they are.  KASLR is switched off, so that addresses are those of
the link; everything else is a check as always.  JOIN= puts together what several runs reached.
"""

import argparse
from pathlib import Path

from coco import check, errors, files, kernels, parts, prepare, results
from coco.coverage import debuginfo, explained, joined, report, trace, units
from coco.errors import InfrastructureError, UsageError
from coco.model import HANDLERS
from coco.screen import Screen

EXPLAINED = parts.REPOSITORY / "backports/coverage.yaml"
NO_KASLR = "nokaslr"
LOGGED = 4.0  # times that a guest may take if QEMU logs what it executes


def run(options: argparse.Namespace, words: list[str], screen: Screen) -> int:
    """Check the kernel, following its handlers; print and write what they did."""
    reasons = explained.load(EXPLAINED)
    if options.join is not None:
        return _join(options, reasons, screen)
    prepare.check_paths(options)
    kernel = kernels.resolve(options, screen.say)
    if kernel.source not in ("tree", "build") or kernel.headers is None:
        raise UsageError(
            f"coverage needs a kernel that was built here, {kernel.name} was not",
            "give its source: KDIR=<tree>",
        )
    build = kernel.headers
    tree = (build / "source").resolve() if (build / "source").is_symlink() else build
    found = units.find(build, units.scratch(kernel.sha256), options.area or HANDLERS)
    code = debuginfo.read(found, tree)
    branches = options.branches is not False
    if not branches:
        code.jumps.clear()
    views = units.views(found, build)
    options.gdb = ""
    options.trace = trace.ranges(views)
    options.trace_words = trace.EACH_TIME if branches else trace.ONCE
    options.append = " ".join(word for word in (options.append, NO_KASLR) if word)
    options.patience = LOGGED * (options.patience or 1.0)
    status = check.check(options, words, screen)
    if status == errors.INTERRUPTED:
        return status
    folder = Path(options.results)
    logs = sorted(folder.glob(f"*/boot-*/{trace.LOG}"))
    if not logs:
        raise InfrastructureError("QEMU left no log of what it executed", f"see {folder}")
    screen.say("reading what was executed")
    executed = trace.read(logs, views, code.flow)
    for log in logs:
        log.unlink()
    document = report.figures(code, executed, tree, reasons)
    document["kernel"] = {"name": kernel.name, "sha256": kernel.sha256}
    _tell(folder, document, screen)
    return status


def _join(options: argparse.Namespace, reasons: list[explained.Reason], screen: Screen) -> int:
    """No run: what earlier ones reached together."""
    document = joined.join(joined.read(options.join), reasons)
    folder = results.make_folder(options.results or "", "coverage-")
    _tell(folder, document, screen)
    return errors.OK


def _tell(folder: Path, document: report.Document, screen: Screen) -> None:
    lines = report.screen_lines(document)
    for line in lines:
        screen.line(line)
    files.write_json(folder / joined.FILE, document)
    files.write(folder / "coverage.txt", "\n".join(lines) + "\n")
    screen.line(f"coverage: {folder}/{joined.FILE}")
