# SPDX-License-Identifier: GPL-2.0
"""The catalogue of fixes: one file a fix in backports/fixes, recipes beside them.

CATALOGUE=<folder> lays private entries over it: the folder holds fixes/ and
perhaps recipes/ as backports/ does; an entry of the same id takes the place of ours.
"""

import argparse
import datetime
import fnmatch
import json
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from coco import errors, expect, parts
from coco.errors import UsageError, did_you_mean
from coco.model import PERSONALITIES
from coco.screen import Screen

SCHEMA = Path(__file__).with_name("catalogue.schema.json")
BACKPORTS = parts.REPOSITORY / "backports"
FIXES, RECIPES, DATE = "fixes", "recipes", "date"


@dataclass(frozen=True)
class Condition:
    """A kernel has that code: one of the files exists, and one matches the pattern."""

    files: tuple[str, ...]
    pattern: str = ""
    absent: bool = False  # it holds where nothing matches


@dataclass(frozen=True)
class Probe:
    """How the source tells fixed from unfixed, in one layout or one hunk."""

    files: tuple[str, ...]
    function: str = ""
    fixed: str = ""
    unfixed: str = ""
    seen_unfixed: bool = True


@dataclass(frozen=True)
class Flip:
    """A case that passes with the fix and not without."""

    case: str  # suite.case[.param]; without a parameter, all of them
    without: str
    personalities: tuple[str, ...] = PERSONALITIES
    reason: str = ""
    cause: str = "assertion"  # how it fails: evidence.py, attribute.py; "": in whatever way
    shows: str = ""  # a pattern that is to be found in what it then says
    needs: tuple[str, ...] = ()  # fixes without which it fails all the same
    hidden_by: tuple[str, ...] = ()  # fixes with which it passes all the same
    applies: tuple[Condition, ...] = ()  # where else it tells nothing

    @property
    def causes(self) -> list[str]:
        """Each way in which it may fail."""
        return self.cause.split(" or ") if self.cause else []


@dataclass(frozen=True)
class Part:
    """What a recipe can take out alone; by itself if it has a name, else all."""

    name: str = ""
    cases: tuple[str, ...] = ()  # that flip; none: all of the fix


@dataclass(frozen=True)
class Fix:
    """One entry."""

    id: str
    subject: str
    upstream: tuple[str, ...]
    cves: tuple[str, ...]
    harm: str
    technologies: tuple[str, ...]
    prerequisites: tuple[str, ...]
    follow_ups: tuple[str, ...]
    applies: tuple[Condition, ...]
    probes: tuple[Probe, ...]
    cases: tuple[Flip, ...]
    verified: bool
    recipe: Path | None
    recipe_files: tuple[str, ...]  # where it is applied, as far as a tree has them
    file: Path
    parts: tuple[Part, ...] = (Part(),)  # of the recipe
    also: tuple[str, ...] = ()  # cases that may change, too
    breach: str = ""  # a pattern: what the machine says of guests without it, in any case
    why: str = ""  # there are no cases
    kind: str = "guest"  # what it was judged to take to show it
    mainline: str = ""  # first release
    inferred: bool = False  # the one above
    stable: tuple[str, ...] = ()  # releases that carry it
    proven: tuple[str, ...] = ()  # kernels on which coco prove said so
    not_fixed: tuple[str, ...] = ()  # released kernels on which coco audit said so
    fixed: tuple[str, ...] = ()  # the same
    although: str = ""  # why that is not what their numbers say

    @property
    def has_two_sides(self) -> bool:
        """It fails on a release without it, and passes on one that has it."""
        return bool(self.not_fixed and (self.fixed or self.proven))

    @property
    def title(self) -> str:
        """As a Fixes: line has it."""
        commit = self.upstream[0][:12] if self.upstream else "no commit known"
        return f'{commit} ("{self.subject}")'

    @property
    def reference(self) -> str:
        """As cases name the fixes that they tell of."""
        return " ".join((self.title, *self.cves))


@dataclass(frozen=True)
class Catalogue:
    """All entries, by id."""

    fixes: Mapping[str, Fix]
    date: str
    folders: tuple[Path, ...]

    def select(self, globs: Sequence[str]) -> list[Fix]:
        """Those that are asked for by id, CVE or commit; all if nothing is asked for."""
        chosen: dict[str, Fix] = {}
        for glob in globs or ("*",):
            found = [fix for fix in self.fixes.values() if _meant(fix, glob)]
            if not found:
                raise UsageError(f"no fix {glob!r}", did_you_mean(glob, self.fixes))
            chosen.update({fix.id: fix for fix in found})
        return list(chosen.values())

    def of_breach(self, text: str) -> list[Fix]:
        """Those without which guests commit a breach of which the machine says this."""
        return [fix for fix in self.fixes.values() if fix.breach and re.search(fix.breach, text)]


def _meant(fix: Fix, glob: str) -> bool:
    if glob == "all" or fnmatch.fnmatchcase(fix.id, glob) or glob in fix.cves:
        return True
    return bool(re.fullmatch(r"[0-9a-f]{8,40}", glob)) and any(
        commit.startswith(glob) or glob.startswith(commit) for commit in fix.upstream
    )


def load(overlay: str = "", base: Path = BACKPORTS) -> Catalogue:
    """Ours and, laid over it, CATALOGUE=; every entry follows the schema."""
    folders = [base]
    if overlay:
        if not (Path(overlay) / FIXES).is_dir():
            raise UsageError(
                f"CATALOGUE={overlay}: no folder {FIXES} in it", "entries are fixes/<id>.yaml"
            )
        folders.append(Path(overlay))
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    fixes: dict[str, Fix] = {}
    for folder in folders:
        for path in sorted((folder / FIXES).glob("*.yaml")):
            fix = _fix(_entry(path, validator), path, folder)
            fixes[fix.id] = fix
    return Catalogue(dict(sorted(fixes.items())), date(folders), tuple(folders))


def _entry(path: Path, validator: Any) -> Any:
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not YAML: {error}") from error
    worst = jsonschema.exceptions.best_match(validator.iter_errors(data))
    if worst is not None:
        place = ".".join(str(step) for step in worst.absolute_path) or "the entry"
        raise UsageError(f"{path}: {place}: {worst.message}")
    if data["id"] != path.stem:
        raise UsageError(f"{path}: its id is {data['id']}", f"call the file {data['id']}.yaml")
    return data


def _fix(data: Mapping[str, Any], path: Path, folder: Path) -> Fix:
    recipe = data.get("recipe")
    released = data.get("released", {})
    return Fix(
        data["id"],
        data["subject"],
        tuple(data["upstream"]),
        tuple(data["cves"]),
        data["harm"],
        tuple(data["technologies"]),
        tuple(data["prerequisites"]),
        tuple(data["follow_ups"]),
        _conditions(data),
        tuple(
            Probe(
                tuple(one["files"]),
                one.get("function", ""),
                one.get("fixed", ""),
                one.get("unfixed", ""),
                one.get("seen_unfixed", True),
            )
            for one in data["probes"]
        ),
        tuple(read_flip(one) for one in data["cases"]),
        data["verified"],
        folder / RECIPES / recipe["file"] if recipe else None,
        tuple(recipe["files"]) if recipe else (),
        path,
        _parts(recipe or {}),
        tuple(data.get("also", ())),
        data.get("breach", ""),
        data.get("why", ""),
        data["class"],
        data["mainline"]["release"],
        data["mainline"]["inferred"],
        tuple(data["stable"]),
        tuple(data.get("proven", ())),
        tuple(released.get("not_fixed", ())),
        tuple(released.get("fixed", ())),
        released.get("although", ""),
    )


def read_flip(data: Mapping[str, Any]) -> Flip:
    """One of an entry's cases."""
    return Flip(
        data["id"],
        data.get("without", "fail"),
        tuple(data.get("personalities", PERSONALITIES)),
        data.get("reason", ""),
        data.get("cause", "assertion"),
        data.get("shows", ""),
        tuple(data.get("needs", ())),
        tuple(data.get("hidden_by", ())),
        _conditions(data),
    )


def _conditions(data: Mapping[str, Any]) -> tuple[Condition, ...]:
    return tuple(
        Condition(tuple(one["files"]), one.get("pattern", ""), one.get("absent", False))
        for one in data.get("applies", ())
    )


def without_commit(
    name: str,
    subject: str,
    cases: Sequence[Flip],
    file: Path,
    *,
    recipe: Path | None = None,
    recipe_files: Sequence[str] = (),
    kind: str = "guest",
) -> Fix:
    """What takes the place of an entry where no commit, release or probe is known."""
    return Fix(
        id=name,
        subject=subject,
        upstream=(),
        cves=(),
        harm=subject,
        technologies=("any",),
        prerequisites=(),
        follow_ups=(),
        applies=(),
        probes=(),
        cases=tuple(cases),
        verified=False,
        recipe=recipe,
        recipe_files=tuple(recipe_files),
        file=file,
        kind=kind,
    )


def _parts(recipe: Mapping[str, Any]) -> tuple[Part, ...]:
    named = recipe.get("parts", {})
    return tuple(Part(name, tuple(cases)) for name, cases in named.items()) or (Part(),)


def date(folders: Sequence[Path]) -> str:
    """The day of the newest change: what a file `date` says, or else git."""
    days = []
    for folder in folders:
        try:
            days.append((folder / DATE).read_text(encoding="utf-8").strip())
        except FileNotFoundError:
            days.append(_git_day(folder))
    for day in days:
        try:
            datetime.date.fromisoformat(day or "1970-01-01")
        except ValueError as error:
            raise UsageError(f"the catalogue's date {day!r} is no date: {error}") from error
    return max(days, default="") or "unknown"


def _git_day(folder: Path) -> str:
    argv = ["git", "-C", str(folder), "log", "-1", "--format=%cs", "--", FIXES, RECIPES]
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def problems(catalogue: Catalogue, expectations: expect.Expectations) -> Iterator[str]:
    """What is wrong beyond the schema, a line each."""
    owners: dict[str, str] = {}
    for fix in catalogue.fixes.values():
        for commit in fix.upstream:
            other = owners.setdefault(commit[:12], fix.id)
            if other != fix.id:
                yield f"{fix.id}: commit {commit[:12]} is that of {other} too"
        others = [what for flip in fix.cases for what in (*flip.needs, *flip.hidden_by)]
        for what in dict.fromkeys([*fix.prerequisites, *fix.follow_ups, *others]):
            if what not in catalogue.fixes:
                yield f"{fix.id}: no fix {what}: {did_you_mean(what, catalogue.fixes)}"
            elif what == fix.id:
                yield f"{fix.id}: names itself"
        yield from problems_of_cases(fix, expectations)
        yield from _problems_of_names(fix, expectations)
        if fix.recipe and not fix.recipe.is_file():
            yield f"{fix.id}: no recipe {fix.recipe}"
        if fix.proven and not fix.cases:
            yield f"{fix.id}: proven on {', '.join(fix.proven)}, but by no case"
        yield from _problems_of_releases(fix)
    used = {fix.recipe for fix in catalogue.fixes.values()}
    for folder in catalogue.folders:
        for path in sorted((folder / RECIPES).glob("*")):
            if path not in used:
                yield f"{path} is the recipe of no fix"


def problems_of_cases(fix: Fix, expectations: expect.Expectations) -> Iterator[str]:
    """The cases that are to flip are there, and apply where they are said to."""
    for flip in fix.cases:
        suite, _, case = flip.case.partition(".")
        written = expectations.case(suite, case)
        if written is None:
            hint = did_you_mean(flip.case, expect.all_ids(expectations))
            yield f"{fix.id}: no case {flip.case}: {hint}"
        elif not set(flip.personalities) & set(written.personalities):
            yield f"{fix.id}: {flip.case} does not apply to {', '.join(flip.personalities)}"


def _problems_of_names(fix: Fix, expectations: expect.Expectations) -> Iterator[str]:
    """Cases that may change are cases; those of the parts are those of the fix, all of them."""
    for name in fix.also:
        suite, _, case = name.partition(".")
        if expectations.case(suite, case) is None:
            yield f"{fix.id}: no case {name}: {did_you_mean(name, expect.all_ids(expectations))}"
    if len(fix.parts) == 1:
        return
    named = [name for part in fix.parts for name in part.cases]
    for name in named:
        if not any(same_case(name, flip.case) for flip in fix.cases):
            yield f"{fix.id}: {name} of its parts is no case of the fix"
    for flip in fix.cases:
        if not any(same_case(name, flip.case) for name in named):
            yield f"{fix.id}: {flip.case} is in none of its parts"


def _problems_of_releases(fix: Fix) -> Iterator[str]:
    """What a released kernel showed is what its number says, unless the entry tells why not."""
    from coco import releases  # which needs this module

    shown = {releases.NOT_CLAIMED: (*fix.proven, *fix.fixed), releases.CLAIMED: fix.not_fixed}
    found = []
    for wrong, kernels in shown.items():
        for kernel in kernels:
            said, why = releases.by_release(fix, releases.Release.of(kernel))
            word = "NOT FIXED" if kernel in fix.not_fixed else "fixed"
            found += [f"{fix.id}: {word} on {kernel}, but {why}"] if said == wrong else []
    for kernel in {*fix.fixed, *fix.proven} & set(fix.not_fixed):
        yield f"{fix.id}: fixed and NOT FIXED on {kernel}"
    if not fix.although:
        yield from found
    elif not found:
        yield f"{fix.id}: although {fix.although!r}, the releases are as their numbers say"


def same_case(one: str, other: str) -> bool:
    """One of them is the other, or a parameter of it."""
    return one == other or one.startswith(other + ".") or other.startswith(one + ".")


def counts(catalogue: Catalogue) -> list[str]:
    """How much there is."""
    fixes = catalogue.fixes.values()
    technologies = Counter(name for fix in fixes for name in fix.technologies)
    per = ", ".join(f"{name} {number}" for name, number in technologies.most_common())
    cves = {cve for fix in fixes for cve in fix.cves}
    return [
        f"catalogue of {catalogue.date}: {len(catalogue.fixes)} fixes, {len(cves)} CVEs",
        f"  with cases {sum(bool(fix.cases) for fix in fixes)}, "
        f"with a recipe {sum(fix.recipe is not None for fix in fixes)}, "
        f"proven on a kernel {sum(bool(fix.proven) for fix in fixes)}, "
        f"shown by two releases {sum(fix.has_two_sides for fix in fixes)}, "
        f"verified {sum(fix.verified for fix in fixes)}",
        f"  {per}",
    ]


def run(options: argparse.Namespace, screen: Screen) -> int:
    """coco catalogue: list what is asked for, check everything."""
    catalogue = load(options.catalogue or "")
    for fix in catalogue.select(options.fix) if options.fix else []:
        marks = [f"{len(fix.cases)} cases" if fix.cases else "no case"]
        marks += ["recipe"] if fix.recipe else []
        marks += [f"proven on {', '.join(fix.proven)}"] if fix.proven else []
        marks += [f"released NOT FIXED: {', '.join(fix.not_fixed)}"] if fix.not_fixed else []
        marks += [f"released FIXED: {', '.join(fix.fixed)}"] if fix.fixed else []
        marks += [] if fix.verified else ["unverified"]
        screen.line(f"{fix.id:<28} {fix.title}")
        screen.line(f"{'':<28} {', '.join(fix.technologies)}; {', '.join(marks)}")
        screen.line(f"{'':<28} {fix.harm}")
        for flip in fix.cases:
            screen.line(f"{'':<28} - {flip.case}: {flip.reason or flip.without}")
        if not fix.cases:
            screen.line(f"{'':<28} - {fix.why}")
    written = expect.load(BACKPORTS / "expect")
    if options.suite:
        from coco.selfcheck import listing  # which needs this module

        for line in listing.lines(catalogue, written, options.suite):
            screen.line(line)
    found = list(problems(catalogue, written))
    for problem in found:
        screen.line(f"WRONG    {problem}")
    if options.kdir and not _try_recipes(catalogue, options, screen):
        found.append("a recipe does not apply")
    for line in counts(catalogue):
        screen.line(line)
    return errors.FINDING if found else errors.OK


def _try_recipes(catalogue: Catalogue, options: argparse.Namespace, screen: Screen) -> bool:
    """Take every fix that KDIR= has out of a copy; True if all recipes did."""
    from coco import recipe  # which needs this module
    from coco.source import Tree

    tree = Tree(Path(options.kdir).resolve())
    good = True
    with tempfile.TemporaryDirectory(prefix="coco-recipes-") as folder:
        for tried in recipe.attempt(catalogue.select(options.fix or ()), tree, Path(folder)):
            said = f"takes the fix out of {', '.join(tried.changed)}"
            if not tried.changed:
                said = "the recipe is for other layouts of the source"
            word = "WRONG" if tried.problem else "ok" if tried.changed else "none"
            screen.line(f"{word:<8} {tried.fix.id}: {tried.problem or said}")
            good = good and not tried.problem
    return good
