# SPDX-License-Identifier: GPL-2.0
"""Results in the formats of others: nothing is lost, and their readers accept it."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import file_of_tree
from documents import case, document, problem, run

from coco import cli, errors, ktap, writers
from coco.errors import UsageError
from coco.writers import kcidb

DATA = Path(__file__).parent / "data"
KUNIT_PY = "tools/testing/kunit/kunit.py"

NASTY = 'x < "y" & z \x00\x1b[31m \ufffe'

MIXED = document(
    run(
        "none",
        case("boot.reaches_init"),
        case("vc.skips", "skip", message="needs sev-es, this is none"),
    ),
    run(
        "sev-snp",
        case("boot.reaches_init"),
        case("vc.known.byte", "fail", "known", note="until 2027-05-31", reference="no fix known"),
        case(
            "vc.fails",
            "fail",
            "finding",
            cause="assertion",
            message=NASTY,
            expected="a == b",
            got="a == 1",
            diagnostics=[NASTY],
            fixes=['0123456789ab ("x86: fix it")'],
        ),
        case("ve.unsure", "error", "error", cause="unmodelled", message="exit 0x999"),
        case("ve.absent", "miss", "finding", cause="missing", message="not in the log"),
        case("ve.passes_now", "pass", "finding", note="unexpected pass: remove the entry"),
        case("ve.skips_now", "skip", "finding", note="this kernel has all that the case needs"),
        problems=[
            problem("vc", "no-plan", "no plan"),
            problem("vc", "no-plan", "none in the second boot either"),
            problem("sev_guest_user", "late-crash", NASTY, "error"),
        ],
    ),
    run("tdx", state="broken", reason="the disk became full"),
    run("tdx-2cpu", state="waiting"),
)

OUTCOMES = {
    "none.boot.reaches_init": "pass",
    "none.vc.skips": "skip",
    "sev-snp.boot.reaches_init": "pass",
    "sev-snp.vc.known.byte": "known",
    "sev-snp.vc.fails": "fail",
    "sev-snp.ve.unsure": "error",
    "sev-snp.ve.absent": "error",
    "sev-snp.ve.passes_now": "fail",
    "sev-snp.ve.skips_now": "fail",
    "sev-snp.vc.problem_no_plan": "fail",
    "sev-snp.vc.problem_no_plan_2": "fail",
    "sev-snp.sev_guest_user.problem_late_crash": "error",
    "tdx.run.broken": "error",
    "tdx-2cpu.run.waiting": "error",
}


def test_every_case_problem_and_unfinished_run_is_a_row() -> None:
    assert {f"{row.run}.{row.id}": row.outcome for row in writers.rows(MIXED)} == OUTCOMES


# ---- KTAP ----
def test_ktap_holds_every_row_in_its_innermost_lines() -> None:
    words = {"pass": "pass", "skip": "skip", "known": "skip", "fail": "fail", "error": "fail"}
    parsed = ktap.parse(writers.write(MIXED, "ktap").splitlines())
    assert ktap.problems(parsed) == []
    found = {".".join(leaf.path): leaf.test.status for leaf in ktap.leaves(parsed.tests)}
    assert found == {name: words[outcome] for name, outcome in OUTCOMES.items()}


def test_ktap_of_nothing_says_so() -> None:
    assert writers.write(document(), "ktap") == "KTAP version 1\n1..0 # SKIP nothing ran\n"


def leaves(group: dict[str, Any], path: str = "") -> dict[str, str]:
    """name -> status from what kunit.py writes with --json."""
    found = {f"{path}{one['name']}": one["status"] for one in group["test_cases"]}
    for inner in group["sub_groups"]:
        found |= leaves(inner, f"{path}{inner['name']}.")
    return found


def test_ktap_is_read_by_kunit_py_without_loss(tmp_path: Path) -> None:
    words = {"pass": "PASS", "skip": "SKIP", "known": "SKIP", "fail": "FAIL", "error": "FAIL"}
    (tmp_path / "log").write_text(writers.write(MIXED, "ktap"), encoding="utf-8")
    argv = [sys.executable, "-B", str(file_of_tree(KUNIT_PY)), "parse"]
    done = subprocess.run(
        [*argv, f"--json={tmp_path / 'out.json'}", str(tmp_path / "log")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "[ERROR]" not in done.stdout
    counts = {word: list(OUTCOMES.values()).count(word) for word in writers.OUTCOMES}
    bad, skipped = counts["fail"] + counts["error"], counts["skip"] + counts["known"]
    assert f"passed: {counts['pass']}, failed: {bad}, skipped: {skipped}" in done.stdout
    found = leaves(json.loads((tmp_path / "out.json").read_text()))
    assert found == {name: words[outcome] for name, outcome in OUTCOMES.items()}


def test_ktap_with_a_problem_alone_fails_in_kunit_py(tmp_path: Path) -> None:
    only = document(run("none", case("vc.a"), problems=[problem("vc", "bad-exit", "rc=1")]))
    (tmp_path / "log").write_text(writers.write(only, "ktap"), encoding="utf-8")
    argv = [sys.executable, "-B", str(file_of_tree(KUNIT_PY)), "parse", str(tmp_path / "log")]
    assert subprocess.run(argv, cwd=tmp_path, capture_output=True, check=False).returncode == 1


# ---- JUnit ----
def test_junit_counts_and_classes() -> None:
    root = ET.fromstring(writers.write(MIXED, "junit"))
    kinds = {"failure": "fail", "error": "error", "skipped": "skip"}
    found = {}
    for element in root.iter("testcase"):
        children = [kinds[child.tag] for child in element if child.tag in kinds]
        assert len(children) <= 1
        name = f"{element.get('classname')}.{element.get('name')}"
        found[name] = children[0] if children else "pass"
    assert found == {k: "skip" if v == "known" else v for k, v in OUTCOMES.items()}
    assert [root.get(name) for name in ("tests", "failures", "errors", "skipped")] == [
        *("14", "5", "5", "2")
    ]
    for suite in root.iter("testsuite"):
        assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
        assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure"))


def test_junit_tells_what_failed_and_where() -> None:
    root = ET.fromstring(writers.write(MIXED, "junit"))
    failure = root.find(".//testcase[@name='fails']/failure")
    assert failure is not None and failure.get("type") == "assertion"
    assert failure.get("message") == 'x < "y" & z ??[31m ?'
    assert (failure.text or "").splitlines()[0] == "expected: a == b"
    assert "may lack: 0123456789ab" in (failure.text or "")
    assert "logs:     sev-snp/boot-1" in (failure.text or "")
    known = root.find(".//testcase[@name='known.byte']/skipped")
    assert known is not None and known.get("message") == "known: no fix known"


# ---- KCIDB ----
def report(**options: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(writers.write(MIXED, "kcidb", options))
    return made


def test_kcidb_keeps_to_the_facts_of_the_schema() -> None:
    schema = json.loads((DATA / "kcidb-v5-facts.schema.json").read_text(encoding="utf-8"))
    given: list[dict[str, str]] = [
        {},
        {"origin": "my_lab", "build_id": "maestro:0123", "url": "https://ci/1"},
    ]
    for options in given:
        jsonschema.Draft7Validator(schema).validate(report(**options))


def test_kcidb_is_valid_by_the_published_schema() -> None:
    schema = pytest.importorskip("kcidb_io.schema", reason="kcidb-io is not installed")
    for version in (schema.V5_0, schema.LATEST):
        version.validate(report())
        version.validate(report(origin="my_lab", build_id="maestro:0123", url="https://ci/1"))


def test_kcidb_statuses() -> None:
    words = {"pass": "PASS", "skip": "SKIP", "known": "FAIL", "fail": "FAIL", "error": "ERROR"}
    expected = {f"coco_guest.{name}": words[outcome] for name, outcome in OUTCOMES.items()}
    for name in ("sev-snp.ve.absent", "tdx.run.broken", "tdx-2cpu.run.waiting"):
        expected[f"coco_guest.{name}"] = "MISS"
    assert {test["path"]: test["status"] for test in report()["tests"]} == expected


def test_kcidb_ties_known_findings_to_an_issue() -> None:
    made = report()
    (issue,), (incident,) = made["issues"], made["incidents"]
    known = next(one for one in made["tests"] if one["path"].endswith("known.byte"))
    assert incident["test_id"] == known["id"] and incident["issue_id"] == issue["id"]
    assert issue["comment"] == "no fix known"


def test_kcidb_ids_are_unique_and_stay() -> None:
    ids = [one["id"] for one in report()["tests"]]
    assert len(set(ids)) == len(ids) == len(OUTCOMES)
    assert ids[0] == "coco:coco-test-4afe552a28a3b37a220fdc77"  # in another process, too


def test_kcidb_names_a_build_that_is_known_already_and_the_logs() -> None:
    made = report(build_id="maestro:0123", url="https://ci/17/", origin="my_lab")
    assert "builds" not in made and "checkouts" not in made
    assert {one["build_id"] for one in made["tests"]} == {"maestro:0123"}
    assert made["tests"][0]["log_url"] == "https://ci/17/none/boot-1/stream.log"


@pytest.mark.parametrize(
    "options", [{"origin": "My Lab"}, {"build_id": "0123"}, {"url": "ftp://x"}]
)
def test_kcidb_refuses_what_its_readers_would(options: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        kcidb.Options(**options)


# ---- coco report ----
def test_report_prints_each_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "result.json").write_text(json.dumps(MIXED), encoding="utf-8")
    starts = {"junit": "<?xml", "kcidb": "{", "ktap": "KTAP version 1", "json": "{", "text": "coco"}
    for name, start in starts.items():
        assert cli.main(["report", f"RESULTS={tmp_path}", f"FORMAT={name}"]) == 0
        assert capsys.readouterr().out.startswith(start)
    assert cli.main(["report", f"RESULTS={tmp_path}", "FORMAT=json"]) == 0
    assert json.loads(capsys.readouterr().out) == MIXED


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["FORMAT=junti"], "did you mean junit?"),
        (["FORMAT=junit", "ORIGIN=lab"], "ORIGIN= is for FORMAT=kcidb"),
        (["ORIGIN=lab"], "ORIGIN= is for FORMAT=kcidb"),
        (["FORMAT=json", "URL=https://lab"], "URL= is for FORMAT=kcidb"),
        (["FORMAT=kcidb", "ORIGIN=My Lab"], "a-z, 0-9 and _"),
    ],
)
def test_report_refuses_words_that_do_not_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], text: str
) -> None:
    (tmp_path / "result.json").write_text(json.dumps(MIXED), encoding="utf-8")
    assert cli.main(["report", f"RESULTS={tmp_path}", *words]) == errors.USAGE
    assert text in capsys.readouterr().err
