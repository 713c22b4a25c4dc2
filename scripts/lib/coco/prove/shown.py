# SPDX-License-Identifier: GPL-2.0
"""What a kernel that is there shows of fixes: their cases, run on it as it is."""

import argparse
from collections.abc import Sequence

from coco import expect, prepare, results
from coco.catalogue.fix import Fix
from coco.errors import NothingApplicable
from coco.prove import sides
from coco.screen import Screen


def results_of(
    options: argparse.Namespace, words: list[str], fixes: Sequence[Fix], screen: Screen
) -> results.Document:
    """Boot the kernel once a personality, for all cases of all fixes."""
    written = expect.load(expect.EXPECTATIONS)
    prepared = prepare.prepare(options, screen.say)
    has = prepared.kernel.technologies
    every = [
        sides.wanted(fix.cases, written, has, options.personality) for fix in fixes if fix.cases
    ]
    work = sides.together(every)
    if not work:
        raise NothingApplicable(
            f"no case of these fixes applies to {prepared.kernel.name}",
            f"it has code for {', '.join(has)}",
        )
    folder = results.make_folder(options.results or "", "audit-")
    document = sides.run(options, words, prepared, work, written, folder, screen)
    screen.line(f"results: {folder}")
    screen.line()
    return document
