# SPDX-License-Identifier: GPL-2.0
"""Which case shows what: the fixes without which each case of a suite fails, the mistakes, and
the kernels of which the baseline says that they fail it."""

from collections.abc import Iterator, Mapping, Sequence

from coco import expect
from coco.catalogue.fix import Catalogue, Fix, same_case
from coco.selfcheck import mistakes


def lines(listing: Catalogue, written: expect.Expectations, suites: Sequence[str]) -> Iterator[str]:
    """Each case of these suites with all that is to turn it red."""
    written.check_suites(suites)
    made = mistakes.load()
    for name in suites:
        for case in written.suites[name].cases:
            full = f"{name}.{case.id}"
            yield full
            known = _known(written.baseline, full)
            found = [*_fixes(listing.fixes, full), *_mistakes(made, full), *known]
            yield from (f"    {one}" for one in found or ["nothing is known to turn it red"])


def _of(fixes: Mapping[str, Fix], case: str) -> list[Fix]:
    return [fix for fix in fixes.values() if any(same_case(flip.case, case) for flip in fix.cases)]


def _fixes(fixes: Mapping[str, Fix], case: str) -> Iterator[str]:
    for fix in _of(fixes, case):
        marks = [] if fix.recipe else ["no recipe"]
        marks += [f"proven on {', '.join(fix.proven)}"] if fix.proven else []
        yield f"without {fix.id}, {fix.title}{': ' if marks else ''}{', '.join(marks)}"


def _mistakes(made: Mapping[str, Fix], case: str) -> Iterator[str]:
    yield from (f"with {one.id}: {one.subject}" for one in _of(made, case))


def _known(baseline: Sequence[expect.Known], case: str) -> Iterator[str]:
    """Known findings: a kernel that fails the case, for a reason that is understood."""
    for one in baseline:
        if same_case(one.case, case):
            bounds = [("from", one.first), ("to", one.last)]
            said = [f"{word} {'.'.join(map(str, at))}" for word, at in bounds if at]
            param = f" ({one.case.removeprefix(case + '.')})" if one.case != case else ""
            yield f"fails on kernels {' '.join(said) or 'of any version'}{param}: {one.reference}"
