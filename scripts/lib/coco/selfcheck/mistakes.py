# SPDX-License-Identifier: GPL-2.0
"""Plausible mistakes, one file each in backports/mistakes, with the semantic patch that makes it.

Where a fix is known its own recipe says the same; these are for spots that nobody has
got wrong yet, as far as is known.  To the machinery of `coco prove` a mistake is a fix
of which no commit is known: the kernel as it is has it, and the recipe takes it out.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from coco import expect, parts
from coco.catalogue import Fix, problems_of_cases, read_flip, without_commit
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
        recipe=path.with_suffix(".cocci"),
        recipe_files=data["files"],
        kind=KIND,
    )


def problems(mistakes: Mapping[str, Fix], written: expect.Expectations) -> Iterator[str]:
    """What is wrong beyond the schema, a line each."""
    for one in mistakes.values():
        assert one.recipe is not None
        if not one.recipe.is_file():
            yield f"{one.id}: no recipe {one.recipe}"
        yield from problems_of_cases(one, written)
