# SPDX-License-Identifier: GPL-2.0
"""What the source and the cases say about a fix, and which of them is believed."""

import argparse
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fixes import FILES, FIX, FIXED, UNFIXED, listed, tree

from coco import audit, errors, parts, source
from coco.catalogue import entries
from coco.catalogue.fix import Condition, Flip, Probe
from coco.prove import shown
from coco.screen import Screen


def ran(*cases: tuple[str, str], personality: str = "sev-es") -> dict[str, Any]:
    records = [{"id": name, "status": status} for name, status in cases]
    return {"runs": [{"name": personality, "personality": personality, "cases": records}]}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (FIXED, audit.CLAIMED),
        (UNFIXED, audit.NOT_CLAIMED),
        ("int other(void)\n{\n}\n", audit.NOT_APPLICABLE),
        ("int handler(void);\n", audit.UNKNOWN),
    ],
)
def test_source_tells(tmp_path: Path, text: str, word: str) -> None:
    assert audit.by_source(FIX, tree(tmp_path, text))[0] == word


@pytest.mark.parametrize(
    "name",
    [
        "memremap-wb-enc",
        "snp-efistub-svsm-accept",
        "swiotlb-iommu-maxmap",
        "tdx-enc-race",
        "unacc-table-mapped",
    ],
)
def test_tree_that_lacks_the_function_that_a_fix_adds_is_not_fixed(
    tmp_path: Path, name: str
) -> None:
    fix = entries.load().fixes[name]
    for probe in fix.probes:
        for file in probe.files:
            tree(tmp_path, "", file)
    for condition in fix.applies:
        tree(tmp_path, condition.pattern, condition.files[0])
    assert audit.by_source(fix, source.Tree(tmp_path))[0] == audit.NOT_CLAIMED


def test_failure_of_another_kind_says_nothing(tmp_path: Path) -> None:
    """A case can fail for lack of other fixes: shows: tells which failure is this one's."""
    picky = replace(FIX, cases=(replace(FIX.cases[0], shows="^wrong value"),))
    document = ran(("alpha.one", "fail"))
    case = document["runs"][0]["cases"][0]
    case["message"] = "wrong value 5"
    assert audit.by_behaviour(picky, document)[0] == audit.NOT_FIXED
    case["message"] = "BUG: Bad page state"
    case["splats"] = ["bug: BUG: Bad page state"]
    assert audit.by_behaviour(picky, document) == (
        "",
        "alpha.one (sev-es) failed otherwise: BUG: Bad page state",
    )
    assert audit.by_behaviour(FIX, document)[0] == audit.NOT_FIXED


@pytest.mark.parametrize(("cause", "word"), [("assertion", ""), ("breach", audit.NOT_FIXED)])
def test_breach_is_no_lack_of_a_fix_that_is_not_about_it(cause: str, word: str) -> None:
    """It can come with any case: every MMIO of a kernel that leaks its registers is one."""
    fix = replace(FIX, cases=(replace(FIX.cases[0], cause=cause),))
    document = ran(("alpha.one", "fail"))
    document["runs"][0]["cases"][0]["cause"] = "breach"
    assert audit.by_behaviour(fix, document)[0] == word


def test_missing_file_is_not_applicable(tmp_path: Path) -> None:
    word, why = audit.by_source(FIX, source.Tree(tmp_path))
    assert (word, why) == (audit.NOT_APPLICABLE, "no arch/x86/kernel/sev.c")


def test_source_that_looks_neither_way_is_unknown(tmp_path: Path) -> None:
    both = replace(FIX, probes=(Probe(FILES, "handler", "right", "wrong"),))
    assert audit.by_source(both, tree(tmp_path))[0] == audit.UNKNOWN
    text = FIXED.replace("check", "right(); wrong")
    assert audit.by_source(both, tree(tmp_path, text))[0] == audit.UNKNOWN


def test_half_a_fix_is_none(tmp_path: Path) -> None:
    half = replace(FIX, probes=(*FIX.probes, Probe(FILES, "", "another check")))
    word, why = audit.by_source(half, tree(tmp_path))
    assert word == audit.NOT_CLAIMED
    assert "only in part" in why


def test_absent_code_can_be_a_condition(tmp_path: Path) -> None:
    gone = replace(FIX, applies=(Condition(FILES, "check", absent=True),))
    assert audit.by_source(gone, tree(tmp_path))[0] == audit.NOT_APPLICABLE
    assert audit.by_source(gone, tree(tmp_path, UNFIXED))[0] == audit.NOT_CLAIMED


@pytest.mark.parametrize(
    ("cases", "word"),
    [
        ([("alpha.one", "pass")], audit.FIXED),
        ([("alpha.one.byte", "pass"), ("alpha.one.word", "fail")], audit.NOT_FIXED),
        ([("alpha.one.byte", "pass"), ("alpha.one.word", "error")], ""),
        ([("alpha.one", "skip")], ""),
        ([("alpha.one_more", "fail")], ""),
        ([], ""),
    ],
)
def test_cases_tell(cases: list[tuple[str, str]], word: str) -> None:
    assert audit.by_behaviour(FIX, ran(*cases))[0] == word


def test_other_personality_tells_nothing() -> None:
    assert audit.by_behaviour(FIX, ran(("alpha.one", "fail"), personality="tdx"))[0] == ""


def test_behaviour_beats_the_source(tmp_path: Path) -> None:
    word, why = audit.verdict_of(FIX, tree(tmp_path), ran(("alpha.one", "fail")))
    assert word == audit.NOT_FIXED
    assert "the source says CLAIMED" in why
    assert audit.verdict_of(FIX, tree(tmp_path), ran())[0] == audit.CLAIMED
    assert audit.verdict_of(FIX, None, ran(("alpha.one", "pass")))[0] == audit.FIXED
    assert audit.verdict_of(FIX, None, ran())[0] == audit.UNKNOWN


@pytest.mark.parametrize(
    ("other", "word"), [("pass", audit.NOT_FIXED), ("fail", audit.FIXED), ("skip", audit.NOT_FIXED)]
)
def test_case_that_needs_a_lacking_fix_tells_nothing(other: str, word: str) -> None:
    one, two, three = (Flip(f"alpha.{name}", "fail", ("sev-es",)) for name in ("one", "two", "x"))
    fix = replace(FIX, cases=(one, replace(two, needs=("other-fix",))))
    catalogue_ = listed(fix, replace(FIX, id="other-fix", cases=(three,)))
    document = ran(("alpha.one", "pass"), ("alpha.two", "fail"), ("alpha.x", other))
    (audited,) = audit.audit(catalogue_, [fix], None, document)
    assert audited.verdict == word
    assert ("alpha.two needs other-fix, which this kernel lacks" in audited.why) == (
        word == audit.FIXED
    )


@pytest.mark.parametrize(
    ("hiding", "word"), [("pass", audit.CLAIMED), ("fail", audit.FIXED), ("skip", audit.CLAIMED)]
)
def test_case_that_another_fix_hides_tells_nothing(tmp_path: Path, hiding: str, word: str) -> None:
    other = replace(FIX, id="other-fix", cases=(Flip("alpha.x", "fail", ("sev-es",)),))
    fix = replace(FIX, cases=(replace(FIX.cases[0], hidden_by=("other-fix",)),))
    document = ran(("alpha.one", "pass"), ("alpha.x", hiding))
    (audited,) = audit.audit(listed(fix, other), [fix], tree(tmp_path), document)
    assert audited.verdict == word


@pytest.mark.parametrize(
    ("text", "word"), [(FIXED, audit.CLAIMED), (FIXED.replace("static", ""), audit.FIXED)]
)
def test_case_tells_only_where_it_applies(tmp_path: Path, text: str, word: str) -> None:
    condition = Condition(FILES, "static", absent=True)
    fix = replace(FIX, cases=(replace(FIX.cases[0], applies=(condition,)),))
    document = ran(("alpha.one", "pass"))
    (audited,) = audit.audit(listed(fix), [fix], tree(tmp_path, text), document)
    assert audited.verdict == word
    (audited,) = audit.audit(listed(fix), [fix], None, document)
    assert audited.verdict == audit.UNKNOWN


def test_missing_follow_up_is_a_finding(tmp_path: Path) -> None:
    later = replace(FIX, id="later-fix", probes=(Probe(FILES, "", "another check"),))
    first = replace(FIX, follow_ups=("later-fix",))
    (one,) = audit.audit(listed(first, later), [first], tree(tmp_path))
    assert one.verdict == audit.CLAIMED
    assert one.problems == ('follow-up missing: later-fix, 0123456789ab ("x86/sev: Do it right")',)
    assert audit.exit_code([one]) == errors.FINDING
    assert any("follow-up missing" in line for line in audit.report([one]))


def test_why_no_case_shows_what_is_lacking_is_told(tmp_path: Path) -> None:
    """It may be that no guest comes to harm without it."""
    quiet = replace(FIX, cases=(), why="no guest goes this way")
    for text, told in ((UNFIXED, True), (FIXED, False)):
        lines = audit.report(audit.audit(listed(quiet), [quiet], tree(tmp_path, text)))
        assert any("no case: no guest goes this way" in line for line in lines) == told


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (FIXED, errors.OK),
        (UNFIXED, errors.FINDING),
        ("int handler(void);\n", errors.INFRASTRUCTURE),
        ("int other;\n", errors.NOTHING_APPLICABLE),
    ],
)
def test_exit_code(tmp_path: Path, text: str, code: int) -> None:
    audited = audit.audit(listed(FIX), [FIX], tree(tmp_path, text))
    assert audit.exit_code(audited) == code
    data = audit.as_json(audited, listed(FIX), "6.1", "")
    assert data["exit"] == code
    assert data["fixes"][0]["id"] == FIX.id


def test_version_and_texts_of_a_tree(tmp_path: Path) -> None:
    assert tree(tmp_path).version == (6, 1, 192)
    assert source.normalise(source.strip_comments('a /* b */ "/* c */" // d')) == 'a "/* c */"'
    two = "int f(int a)\n{\n\tif (a) {\n\t}\n}\nint g(void)\n{\n\treturn f(1);\n}\n"
    assert "return" not in source.body(two, "f")
    assert source.body("int f(int a);\n", "f") == ""


@pytest.mark.parametrize(
    ("release", "name", "same"),
    [
        ("6.1.192-test", "6.1.192-test from a tree", True),
        ("6.1.0-30-cloud-amd64", "Debian 6.1.192-1 (cloud)", True),
        ("6.1.0-30-cloud-amd64", "Debian 6.1.170-1 (cloud)", False),
        ("6.12.117", "6.12.117", False),
    ],
)
def test_results_must_be_of_the_same_kernel(
    tmp_path: Path, release: str, name: str, same: bool
) -> None:
    kernel = {"release": release, "name": name}
    if same:
        audit._same_kernel(tree(tmp_path), kernel, "results")
        return
    with pytest.raises(errors.UsageError):
        audit._same_kernel(tree(tmp_path), kernel, "results")


@pytest.mark.parametrize(
    ("status", "text", "word"),
    [
        ("pass", FIXED, "FIXED           some-fix"),
        ("fail", FIXED, "NOT FIXED       some-fix"),
        ("skip", UNFIXED, "NOT CLAIMED     some-fix"),
    ],
)
def test_a_finished_build_is_run_and_its_source_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str, text: str, word: str
) -> None:
    build, top = tmp_path / "build", tmp_path / "tree"
    tree(top, text)
    (top / "init").mkdir()
    (top / "init/main.c").touch()
    build.mkdir()
    (build / "source").symlink_to(top)
    about = {"name": "6.1.192", "release": "6.1.192", "technologies": ["sev-es"]}
    document = {**ran(("alpha.one", status)), "kernel": about, "started": "now"}
    monkeypatch.setattr(audit, "load", lambda _: listed(FIX))
    monkeypatch.setattr(shown, "results_of", lambda *_: document)
    names = ("kdir", "kernel", "results", "catalogue", "fix", "changelog", "json")
    options = argparse.Namespace(**dict.fromkeys(names), kbuild_output=str(build))
    with (tmp_path / "screen").open("w") as out:
        audit.run(options, [], Screen(out))
    assert word in (tmp_path / "screen").read_text()


def test_an_installed_program_leaves_the_run_where_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = SimpleNamespace(name="a kernel", technologies=("none", "sev-es"))
    folders: list[Path] = []
    monkeypatch.setattr(parts, "REPOSITORY", tmp_path / "usr/lib")
    monkeypatch.setattr(parts, "workplace", lambda: tmp_path)
    monkeypatch.setattr(shown.prepare, "prepare", lambda *_: SimpleNamespace(kernel=kernel))
    monkeypatch.setattr(shown.sides, "together", lambda every: every)
    monkeypatch.setattr(shown.sides, "wanted", lambda *_: "work")
    monkeypatch.setattr(shown.sides, "run", lambda *words: folders.append(words[5]))
    options = argparse.Namespace(results=None, personality=None)
    with (tmp_path / "screen").open("w") as out:
        shown.results_of(options, [], [FIX], Screen(out))
    assert [folder.parent for folder in folders] == [tmp_path / "results"]
