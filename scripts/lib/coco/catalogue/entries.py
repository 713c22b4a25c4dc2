# SPDX-License-Identifier: GPL-2.0
"""The entries: one file a fix in backports/fixes, recipes beside them.

CATALOGUE=<folder> lays private entries over it: the folder holds fixes/ and
perhaps recipes/ as backports/ does; an entry of the same id takes the place of ours.
"""

import datetime
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from coco import parts, schema
from coco.catalogue.fix import Catalogue, Condition, Fix, Flip, Part, Probe
from coco.errors import UsageError
from coco.model import PERSONALITIES

SCHEMA = Path(__file__).with_name("fix.schema.json")
BACKPORTS = parts.REPOSITORY / "backports"
FIXES, RECIPES, DATE = "fixes", "recipes", "date"


def load(overlay: str = "", base: Path = BACKPORTS) -> Catalogue:
    """Ours and, laid over it, CATALOGUE=; every entry follows the schema."""
    folders = [base]
    if overlay:
        if not (Path(overlay) / FIXES).is_dir():
            raise UsageError(
                f"CATALOGUE={overlay}: no folder {FIXES} in it", "entries are fixes/<id>.yaml"
            )
        folders.append(Path(overlay))
    fixes: dict[str, Fix] = {}
    for folder in folders:
        for path in sorted((folder / FIXES).glob("*.yaml")):
            fix = _fix(_entry(path), path, folder)
            fixes[fix.id] = fix
    return Catalogue(dict(sorted(fixes.items())), date(folders), tuple(folders))


def _entry(path: Path) -> Any:
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not YAML: {error}") from error
    if problem := schema.problem(data, SCHEMA):
        raise UsageError(f"{path}: {problem}")
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
        data.get("anywhere", ""),
        data.get("why", ""),
        data["class"],
        data["mainline"]["release"],
        data["mainline"]["inferred"],
        tuple(data["stable"]),
        tuple(data.get("proven", ())),
        tuple(released.get("not_fixed", ())),
        tuple(released.get("fixed", ())),
        released.get("although", ""),
        tuple(one["commit"] for one in data["fixes"]),
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
