# SPDX-License-Identifier: GPL-2.0
"""What is written down: suites, cases, and the baseline."""

import datetime
import re
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import expectations, suite

from coco import errors, expect
from coco.model import KUNIT

REPOSITORY = Path(__file__).resolve().parents[2]
ALPHA = suite("alpha", ["one", "two"])
KNOWN = expect.Known("alpha.one", ("assertion",), "commit 0123456789ab", datetime.date(2027, 1, 1))


@pytest.mark.parametrize(
    ("first", "last", "covered"),
    [
        ((), (), True),
        ((6, 12), (6, 12), True),
        ((6, 12, 117), (6, 12, 117), True),
        ((6, 12, 118), (), False),
        ((), (6, 12, 116), False),
        ((5, 4), (6, 1), False),
        ((), (7,), True),
    ],
)
def test_kernel_range_includes_both_ends(
    first: tuple[int, ...], last: tuple[int, ...], covered: bool
) -> None:
    known = replace(KNOWN, first=first, last=last)
    assert known.covers("alpha.one", "sev", (6, 12, 117)) is covered


def test_finding_that_the_configuration_hides_is_not_expected() -> None:
    known = replace(KNOWN, unless="INIT_STACK_ALL_ZERO")
    written = replace(expectations(ALPHA), baseline=(KNOWN, known))
    assert written.of({"INIT_STACK_ALL_ZERO": "y"}).baseline == (KNOWN,)
    assert written.of({"INIT_STACK_NONE": "y"}).baseline == (KNOWN, known)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Debian 5.10.262-1 cloud", (5, 10, 262)),
        ("6.12.117+deb12-cloud-amd64", (6, 12, 117)),
        ("7.3-rc1", (7, 3)),
        ("none", ()),
    ],
)
def test_version_is_found_in_a_name(text: str, version: tuple[int, ...]) -> None:
    assert expect.parse_version(text) == version


@pytest.mark.parametrize(
    ("name", "release", "banner", "version"),
    [
        ("x", "5.10.0-46-cloud-amd64", "5.10.0-46 (a@b) #1 SMP Debian 5.10.262-1", (5, 10, 262)),
        ("Debian 6.12.117-1", "6.12.117+deb12-cloud-amd64", "gcc 12.2.0", (6, 12, 117)),
        ("my tree 2.0", "5.15.135", "", (5, 15, 135)),
    ],
)
def test_version_is_upstreams(
    name: str, release: str, banner: str, version: tuple[int, ...]
) -> None:
    assert expect.kernel_version(name, release, banner) == version


# ---- the files ----
SUITE = "{kind: kunit, description: x, cases: [{id: b}]}"


def write(folder: Path, suite: str, baseline: str = "[]", name: str = "a") -> None:
    for kind, text in (("suites", suite), ("baseline", baseline)):
        (folder / kind).mkdir(exist_ok=True)
        (folder / kind / f"{name}.yaml").write_text(text)


def test_dates_need_no_quotes_but_versions_do(tmp_path: Path) -> None:
    entry = (
        "{cases: [b], causes: [assertion], reference: x, expires: 2027-01-01, kernel: {from: %s}}"
    )
    write(tmp_path, SUITE, "[" + entry % "'5.10'" + "]")
    known = expect.load(tmp_path).baseline[0]
    assert (known.case, known.first, known.expires) == ("a.b", (5, 10), datetime.date(2027, 1, 1))
    write(tmp_path, SUITE, "[" + entry % "5.10" + "]")
    with pytest.raises(errors.UsageError, match="5.1 is not of type 'string'"):
        expect.load(tmp_path)


def test_an_entry_of_several_cases_is_a_finding_each(tmp_path: Path) -> None:
    entry = "{cases: [b.x, b.y], causes: [assertion], reference: x, expires: 2027-01-01}"
    write(tmp_path, SUITE, f"[{entry}]")
    assert [known.case for known in expect.load(tmp_path).baseline] == ["a.b.x", "a.b.y"]


def test_kernel_suites_run_before_those_of_user_space(tmp_path: Path) -> None:
    for name, kind in (("b", "selftest"), ("c", "kunit"), ("boot", "boot"), ("a", "kunit")):
        write(tmp_path, SUITE.replace("kunit", kind), name=name)
    assert list(expect.load(tmp_path).suites) == ["boot", "a", "c", "b"]


def test_each_kunit_suite_is_written_down_has_its_file_and_is_built() -> None:
    """A line that a merge loses would leave a suite out, and nothing else would say so."""
    kunit = REPOSITORY / "kunit"
    written = expect.load(REPOSITORY / "backports/expect").suites.values()
    names = sorted(suite.name for suite in written if suite.kind == KUNIT)
    text = (kunit / "Kbuild").read_text(encoding="utf-8")
    assert sorted(path.stem.removeprefix("coco_") for path in kunit.glob("coco_*.c")) == names
    assert sorted(re.findall(r"^obj-.*\bcoco_(\w+)\.o$", text, re.M)) == names


def test_what_is_written_down_is_well_formed() -> None:
    written = expect.load(REPOSITORY / "backports/expect")
    assert written.suites["boot"].kind == "boot"


def test_finding_that_any_case_may_end_with_says_how_it_shows() -> None:
    """Else another breach, splat, panic or oops in that case would be known, too."""
    written = expect.load(REPOSITORY / "backports/expect")
    loose = {"breach", "splat", "panic", "oops"}
    assert [one.case for one in written.baseline if loose & {*one.causes} and not one.shows] == []


@pytest.mark.parametrize(
    ("suite", "baseline", "complaint"),
    [
        ("{kind: kunit, description: x, cases: []}", "[]", "cases"),
        ("{kind: kunit, description: x, cases: [{id: B}]}", "[]", "B"),
        (
            "{kind: kunit, description: x, cases: [{id: b}, {id: b}]}",
            "[]",
            "a.b is listed twice",
        ),
        (
            "{kind: kunit, description: x, cases: [{id: b, needs: [smpp]}]}",
            "[]",
            "'smpp' is no feature",
        ),
        (
            "{kind: kunit, description: x, cases: [{id: b, tolerates: [wurning in f]}]}",
            "[]",
            "'wurning in f' is no kind of splat",
        ),
        (
            "{kind: kunit, description: x, cases: [{id: b, tolerates: [warning]}]}",
            "[]",
            "a.b: tolerates: any 'warning'",
        ),
        (": :", "[]", "not YAML"),
        (
            SUITE,
            "[{cases: [c], causes: [assertion], reference: x, expires: 2027-01-01}]",
            "no case a.c",
        ),
        (
            SUITE,
            "[{cases: [b], causes: [oops], shows: '\\d', reference: x, expires: 2027-01-01}]",
            "0.shows",
        ),
        (
            SUITE,
            "[{cases: [b], causes: [oops], shows: '[', reference: x, expires: 2027-01-01}]",
            "a.yaml: b: shows",
        ),
        (
            SUITE,
            "[{cases: [b], causes: [assertion], reference: x, expires: 2027-02-30}]",
            "day is out of range",
        ),
        (
            SUITE,
            "[{cases: [b], causes: [assertion], reference: x, expires: '2027-02-30'}]",
            "a.yaml: b: expires",
        ),
    ],
)
def test_mistake_in_the_files_is_named(
    tmp_path: Path, suite: str, baseline: str, complaint: str
) -> None:
    write(tmp_path, suite, baseline)
    with pytest.raises(errors.UsageError) as error:
        expect.load(tmp_path)
    assert complaint in error.value.message


def test_name_that_no_case_can_have_is_refused(tmp_path: Path) -> None:
    write(tmp_path, SUITE, name="A")
    with pytest.raises(errors.UsageError, match="A.yaml: a suite is named"):
        expect.load(tmp_path)


def test_folder_without_suites_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.UsageError, match="no suite is written down"):
        expect.load(tmp_path)
