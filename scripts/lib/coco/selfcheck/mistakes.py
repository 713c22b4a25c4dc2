# SPDX-License-Identifier: GPL-2.0
"""Plausible mistakes, one file each in backports/mistakes, with the semantic patch that makes it.

Where a fix is known its own recipe says the same; these are for spots that nobody has
got wrong yet, as far as is known.  To the machinery of `coco prove` a mistake is a fix
of which no commit is known: the kernel as it is has it, and the recipe takes it out.

Semantic patches do not read assembly: there a text takes the place of another one.  And some
cases are about what the processor does before any kernel is asked, and no kernel can turn
them red: their mistake is made likewise in a copy of the machine.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from coco import expect, parts
from coco.catalogue.entries import read_flip
from coco.catalogue.fix import Fix, without_commit
from coco.catalogue.problems import problems_of_cases
from coco.errors import UsageError

FOLDER = parts.REPOSITORY / "backports/mistakes"
SCHEMA = Path(__file__).with_name("mistakes.schema.json")
KIND = "mistake"


def load(folder: Path = FOLDER) -> Mapping[str, Fix]:
    """All of them, by id."""
    return {path.stem: _mistake(path) for path in sorted(folder.glob("*.yaml"))}


def _mistake(path: Path) -> Fix:
    data = expect.read(path, KIND, SCHEMA)
    if data["id"] != path.stem:
        raise UsageError(f"{path}: its id is {data['id']}", f"call the file {data['id']}.yaml")
    return without_commit(
        data["id"],
        data["mistake"],
        [read_flip(one) for one in data["cases"]],
        path,
        recipe=path.with_suffix(".cocci") if "files" in data else None,
        recipe_files=data.get("files", ()),
        kind=KIND,
    )


def _change(one: Fix, where: str) -> Mapping[str, Any] | None:
    if one.kind != KIND or one.recipe:
        return None
    data: Mapping[str, Any] = expect.read(one.file, KIND, SCHEMA)
    return data.get(where)


def of_assembly(one: Fix, tree: Path) -> Mapping[str, bytes] | None:
    """The tree's files with this mistake, none if it has no such place; None: it is no such one."""
    change = _change(one, "assembly")
    if change is None:
        return None
    made = {}
    for name in change["files"]:
        text = (tree / name).read_text(encoding="utf-8") if (tree / name).is_file() else ""
        if text.count(change["old"]) == 1:
            made[name] = text.replace(change["old"], change["new"]).encode()
    return made


def of_the_machine(one: Fix) -> tuple[str, bytes, bytes] | None:
    """(file in machine/, what it is, what this mistake makes of it); None: it is the kernel's."""
    change = _change(one, "machine")
    if change is None:
        return None
    source = parts.REPOSITORY / "machine" / change["file"]
    try:
        text = source.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{one.file}: {source}: {error.strerror}") from error
    if text.count(change["old"]) != 1:
        raise UsageError(
            f"{one.file}: {source} has {text.count(change['old'])} times: {change['old']}",
            "old: has to be there once",
        )
    return change["file"], text.encode(), text.replace(change["old"], change["new"]).encode()


def problems(mistakes: Mapping[str, Fix], written: expect.Expectations) -> Iterator[str]:
    """What is wrong beyond the schema, a line each."""
    for one in mistakes.values():
        if one.recipe and not one.recipe.is_file():
            yield f"{one.id}: no recipe {one.recipe}"
        yield from problems_of_cases(one, written)
