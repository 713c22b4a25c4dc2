# SPDX-License-Identifier: GPL-2.0
"""The catalogue of fixes: ours is sound, and what is wrong with one is said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import expectations, suite

from coco import expect
from coco.catalogue import entries
from coco.catalogue.problems import problems
from coco.errors import UsageError

REPOSITORY = Path(__file__).resolve().parents[2]
ENTRY: dict[str, Any] = {
    "id": "some-fix",
    "subject": "x86/sev: Do it right",
    "upstream": ["0123456789ab"],
    "fixes": [],
    "cves": [],
    "mainline": {"release": "v6.1", "inferred": True},
    "stable": [],
    "prerequisites": [],
    "follow_ups": [],
    "path": {"files": ["arch/x86/kernel/sev.c"], "functions": ["f()"]},
    "harm": "It is done wrong.",
    "behaviour": "right or wrong",
    "technologies": ["sev-es"],
    "class": "guest",
    "verified": False,
    "source": "a test",
    "applies": [{"files": ["arch/x86/kernel/sev.c"]}],
    "probes": [{"files": ["arch/x86/kernel/sev.c"], "fixed": "right"}],
    "cases": [{"id": "alpha.one", "without": "fail"}],
}

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write an entry, changed as named, and return the catalogue's folder."""

    def one(name: str = "some-fix", text: str = "", **changes: Any) -> Path:
        folder = tmp_path / "catalogue"
        (folder / "fixes").mkdir(parents=True, exist_ok=True)
        data = ENTRY | {"id": name} | changes
        file = folder / "fixes" / f"{changes.pop('file', name)}.yaml"
        data.pop("file", None)
        file.write_text(text or yaml.safe_dump(data), encoding="utf-8")
        return folder

    return one


def found(folder: Path) -> list[str]:
    written = expectations(suite("alpha", ["one", "two"], personalities=("sev-es",)))
    return list(problems(entries.load(base=folder), written))


def test_ours_is_sound() -> None:
    ours = entries.load()
    written = expect.load(REPOSITORY / "backports/expect")
    assert list(problems(ours, written)) == []
    assert len(ours.fixes) > 140


def test_every_cve_of_ours_is_found_by_its_name() -> None:
    ours = entries.load()
    for fix in ours.fixes.values():
        for cve in fix.cves:
            assert fix in ours.select([cve])


def test_sound_entry_has_no_problem(write: Write) -> None:
    assert found(write()) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cases": [{"id": "alpha.three", "without": "fail"}]}, "no case alpha.three"),
        (
            {"cases": [{"id": "alpha.one", "without": "fail", "personalities": ["tdx"]}]},
            "alpha.one does not apply to tdx",
        ),
        ({"recipe": {"file": "absent.cocci", "files": ["mm/a.c"]}}, "no recipe"),
        ({"follow_ups": ["other"]}, "no fix other"),
        ({"prerequisites": ["some-fix"]}, "names itself"),
        ({"subject": "a: Do it / Undo it"}, "is the subject of no commit"),
        ({"subject": "a: Do it (8-patch series, N. N.)"}, "is the subject of no commit"),
    ],
)
def test_what_the_schema_cannot_say_is_found(
    write: Write, changes: dict[str, Any], said: str
) -> None:
    (problem,) = found(write(**changes))
    assert said in problem


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"upstream": ["xyz"]}, "upstream.0"),
        ({"technologies": []}, "technologies"),
        ({"cases": []}, "'why' is a required property"),
        ({"unheard": 1}, "'unheard'"),
        ({"applies": [{"files": ["mm/a.c"], "pattern": "("}]}, "is not a 'regex'"),
        ({"file": "else"}, "its id is some-fix"),
        ({"text": "a: b: c"}, "is not YAML"),
    ],
)
def test_entry_that_breaks_the_schema_is_named(
    write: Write, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError) as error:
        entries.load(base=write(**changes))
    assert said in error.value.message
    assert "fixes/" in error.value.message


CARRIED: dict[str, Any] = {"mainline": {"release": "v6.7", "inferred": False}, "stable": ["6.1.60"]}
KNOWN: dict[str, Any] = {"although": "it was taken back"}


@pytest.mark.parametrize(
    ("released", "problem"),
    [
        ({"not_fixed": ["6.1.8", "5.15.135"], "fixed": ["6.1.192", "6.12.117"]}, ""),
        ({"not_fixed": ["6.1.192"]}, "NOT FIXED on 6.1.192, but 6.1.60 and later"),
        ({"not_fixed": ["6.12.117"]}, "NOT FIXED on 6.12.117, but its line began after"),
        ({"fixed": ["6.1.8"]}, "fixed on 6.1.8, but the first release of 6.1 that carries it"),
        ({"fixed": ["5.10.46"], "not_fixed": ["5.10.46"]}, "fixed and NOT FIXED on 5.10.46"),
        ({"not_fixed": ["6.1.192"], **KNOWN}, ""),
        ({"not_fixed": ["6.1.8"], **KNOWN}, "the releases are as their numbers say"),
    ],
)
def test_releases_show_what_their_numbers_say(
    write: Write, released: dict[str, Any], problem: str
) -> None:
    problems = found(write(released=released, **CARRIED))
    assert len(problems) == bool(problem)
    assert problem in "".join(problems)


def test_what_was_proven_is_in_what_the_number_says(write: Write) -> None:
    (problem,) = found(write(proven=["6.1.8"], **CARRIED))
    assert "fixed on 6.1.8, but the first release" in problem


def test_commit_of_two_fixes_is_found(write: Write) -> None:
    write("first-fix")
    assert found(write("second-fix")) == [
        "second-fix: commit 0123456789ab is that of first-fix too"
    ]


@pytest.mark.parametrize("commit", ["0123456789ab", "0123456789abcdef"])
def test_follow_up_that_is_not_linked_is_found(write: Write, commit: str) -> None:
    fixes = [{"commit": commit, "inferred": False}]
    write()
    folder = write("later-fix", upstream=["abcdefabcdef"], fixes=fixes)
    assert found(folder) == [f"some-fix: later-fix is none of its follow-ups, but fixes {commit}"]
    assert found(write(follow_ups=["later-fix"])) == []


def test_fix_that_is_laid_over_ours_need_not_be_linked(write: Write, tmp_path: Path) -> None:
    fixes = [{"commit": "0123456789ab", "inferred": False}]
    private = tmp_path / "private"
    write("later-fix", upstream=["abcdefabcdef"], fixes=fixes).rename(private)
    merged = entries.load(str(private), write())
    written = expectations(suite("alpha", ["one"], personalities=("sev-es",)))
    assert list(problems(merged, written)) == []


def test_recipe_of_no_fix_is_found(write: Write) -> None:
    folder = write()
    (folder / "recipes").mkdir()
    (folder / "recipes/lost.cocci").touch()
    (problem,) = found(folder)
    assert "lost.cocci is the recipe of no fix" in problem


def test_overlay_replaces_and_adds(write: Write, tmp_path: Path) -> None:
    private = tmp_path / "private"
    write().rename(private)
    base = write(harm="Ours.")
    write("other-fix", upstream=["abcdefabcdef"])
    merged = entries.load(str(private), base)
    assert sorted(merged.fixes) == ["other-fix", "some-fix"]
    assert merged.fixes["some-fix"].harm == "It is done wrong."
    with pytest.raises(UsageError):
        entries.load(str(tmp_path), base)


def test_date_is_that_of_the_file(write: Write) -> None:
    folder = write()
    (folder / "date").write_text("2026-11-23\n", encoding="utf-8")
    assert entries.load(base=folder).date == "2026-11-23"
    (folder / "date").write_text("soon\n", encoding="utf-8")
    with pytest.raises(UsageError):
        entries.load(base=folder)


def test_fix_is_chosen_by_id_glob_or_commit(write: Write) -> None:
    one = entries.load(base=write())
    for word in ("some-fix", "some-*", "0123456789abcdef", "01234567", "all"):
        assert [fix.id for fix in one.select([word])] == ["some-fix"]
    with pytest.raises(UsageError) as error:
        one.select(["some-fxi"])
    assert error.value.hint == "did you mean some-fix?"


@pytest.mark.parametrize(
    ("parts", "also", "problem"),
    [
        ({"in": ["alpha.one"], "out": ["alpha.one"]}, ["alpha.two"], ""),
        ({"in": ["alpha.one.byte"], "out": ["alpha.one.word"]}, [], ""),
        ({"in": ["alpha.one"], "out": ["alpha.two"]}, [], "alpha.two of its parts is no case"),
        ({"in": ["alpha.one"], "out": ["alpha.one"]}, ["alpha.six"], "no case alpha.six"),
    ],
)
def test_names_of_parts_are_checked(
    write: Write, parts: dict[str, list[str]], also: list[str], problem: str
) -> None:
    recipe = {"file": "some-fix.cocci", "files": ["arch/x86/kernel/sev.c"], "parts": parts}
    folder = write(recipe=recipe, also=also)
    (folder / "recipes").mkdir()
    (folder / "recipes/some-fix.cocci").touch()
    assert bool(found(folder)) == bool(problem)
    assert all(problem in one for one in found(folder))


def test_each_case_is_in_a_part(write: Write) -> None:
    cases = [{"id": f"alpha.{name}", "without": "fail"} for name in ("one", "two")]
    parts = {"in": ["alpha.one"], "out": ["alpha.one"]}
    recipe = {"file": "some-fix.cocci", "files": ["arch/x86/kernel/sev.c"], "parts": parts}
    folder = write(recipe=recipe, cases=cases)
    (folder / "recipes").mkdir()
    (folder / "recipes/some-fix.cocci").touch()
    assert found(folder) == ["some-fix: alpha.two is in none of its parts"]
