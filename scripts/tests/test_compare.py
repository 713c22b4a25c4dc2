# SPDX-License-Identifier: GPL-2.0
"""What changed, and what it is down to."""

import json
from pathlib import Path
from typing import Any

import pytest
from documents import case, document, run

from coco import cli, compare, errors, parts

OLD = document(
    run(
        "sev-snp",
        case("vc.a"),
        case("vc.b", "fail", "finding", message="b is broken"),
        case("vc.c", "fail", "known", reference="no fix known"),
        case("vc.gone"),
        case("ve.skips", "skip"),
    ),
    run("sev", case("vc.a")),
    sources={"vc": "1", "ve": "1"},
    firmware={"path": "f", "sha256": "a" * 64},
)


def changed(kernel: str = "5" * 64, **more: Any) -> dict[str, Any]:
    """OLD again, with a worse a, a better b, a forgotten c, a new case and an absent one."""
    new = document(
        run(
            "sev-snp",
            case("vc.a", "fail", "finding", message="a is broken"),
            case("vc.b"),
            case("vc.c", "fail", "finding", note="the baseline entry expired"),
            case("vc.fresh"),
            case("ve.skips", "skip"),
        ),
        run("tdx", case("ve.a", "fail", "finding")),
        **{"sources": {"vc": "1", "ve": "1"}, "firmware": OLD["firmware"], **more},
    )
    new["kernel"]["sha256"] = kernel
    return new


def found(old: dict[str, Any], new: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {one.case: (one.kind, one.cause) for one in compare.compare(old, new)}


def test_each_change_has_its_kind_and_only_shared_runs_count() -> None:
    assert found(OLD, changed("6" * 64)) == {
        "vc.a": ("worse", "the kernel"),
        "vc.b": ("better", "the kernel"),
        "vc.c": ("worse", "what is expected of it"),
        "vc.gone": ("worse", "the kernel"),
        "vc.fresh": ("new", ""),
    }


@pytest.mark.parametrize(
    ("kernel", "more", "cause"),
    [
        ("6" * 64, {}, "the kernel"),
        # Another version of the suites, but this suite's sources are the same
        ("6" * 64, {"suite_version": "v2"}, "the kernel"),
        ("5" * 64, {"sources": {"vc": "2", "ve": "1"}}, "the suite"),
        ("6" * 64, {"sources": {"vc": "2", "ve": "1"}}, "the kernel, the suite"),
        ("5" * 64, {"machine": {"sha256": "b" * 64}}, "the machine"),
        ("5" * 64, {"qemu": {"path": "q", "version": "10.0"}}, "QEMU"),
        ("5" * 64, {"firmware": {"path": "f", "sha256": "b" * 64}}, "the firmware"),
        ("5" * 64, {"sources": {}, "suite_version": "v2"}, "the suite, perhaps"),
        ("5" * 64, {}, "flaky"),
    ],
)
def test_change_is_put_down_to_what_differs(kernel: str, more: dict[str, Any], cause: str) -> None:
    assert found(OLD, changed(kernel, **more))["vc.a"] == ("worse", cause)


OK, KNOWN, BAD = ("pass", "ok"), ("fail", "known"), ("fail", "finding")
SKIPS, ERROR, MISS = ("skip", "ok"), ("error", "error"), ("miss", "finding")


@pytest.mark.parametrize(
    ("was", "now", "kind"),
    [
        (OK, BAD, "worse"),
        (OK, SKIPS, "worse"),  # both as expected, and yet less than there was
        (OK, KNOWN, "worse"),
        (KNOWN, BAD, "worse"),
        (OK, None, "worse"),
        (None, BAD, "worse"),
        (BAD, OK, "better"),
        (BAD, KNOWN, "better"),
        (SKIPS, OK, "better"),
        (MISS, OK, "better"),
        (BAD, MISS, "other"),
        (MISS, ERROR, "other"),
        (BAD, None, "gone"),
        (SKIPS, None, "gone"),
        (None, OK, "new"),
        (None, KNOWN, "new"),
    ],
)
def test_change_is_for_the_better_or_the_worse(was: Any, now: Any, kind: str) -> None:
    old, new = (document(run("sev", *([case("vc.a", *one)] if one else []))) for one in (was, now))
    assert [one.kind for one in compare.compare(old, new)] == [kind]


def test_run_that_could_not_begin_has_lost_its_cases_and_one_that_waited_has_not() -> None:
    old, lost = document(run("sev", case("vc.a"))), document(run("sev", state="broken"))
    assert [(one.new, one.kind) for one in compare.compare(old, lost)] == [("absent", "worse")]
    assert compare.compare(old, document(run("sev", state="waiting"))) == []


PROBLEM = {"suite": "ve", "kind": "panic", "text": "the guest ended", "verdict": "finding"}


@pytest.mark.parametrize(
    ("verdict", "here", "back"), [("finding", ["worse"], ["better"]), ("error", [], [])]
)
def test_what_is_wrong_with_a_suite_as_a_whole_is_a_change(
    verdict: str, here: list[str], back: list[str]
) -> None:
    good = document(run("tdx", case("ve.a")))
    bad = document(run("tdx", case("ve.a"), problems=[{**PROBLEM, "verdict": verdict}]))
    assert [one.kind for one in compare.compare(good, bad)] == here
    assert [one.kind for one in compare.compare(bad, good)] == back
    assert compare.compare(bad, bad) == []
    for change in compare.compare(good, bad):
        assert (change.case, change.old, change.new) == ("ve", "absent", "panic")
        assert (change.cause, change.text) == ("flaky", "the guest ended")


def test_case_that_fails_otherwise_is_a_change() -> None:
    old, new = (document(run("sev", case("vc.a", *BAD, cause=c))) for c in ("assertion", "panic"))
    change = compare.compare(old, new)[0]
    assert (change.old, change.new) == ("fail by assertion", "fail by panic")
    assert (change.kind, change.cause) == ("other", "flaky")
    assert compare.compare(old, old) == []
    known = document(run("sev", case("vc.a", *KNOWN, cause="assertion")))
    assert compare.compare(known, new)[0].cause == "flaky", "nothing else is expected of it"
    assert compare.compare(known, old)[0].cause == "what is expected of it"
    passed = document(run("sev", case("vc.a")))
    change = compare.compare(passed, old)[0]
    assert (change.old, change.new) == ("pass", "fail")


def test_change_is_told_by_its_message_or_what_was_noted() -> None:
    new = document(run("sev", case("vc.a", *BAD, message="of\ntwo lines", note="x")))
    old = document(run("sev", case("vc.a")))
    assert compare.compare(old, new)[0].text == "of two lines"
    new = document(run("sev", case("vc.a", *BAD, note="the note")))
    assert compare.compare(old, new)[0].text == "the note"
    assert compare.compare(new, old)[0].text == ""
    assert compare.compare(new, document(run("sev")))[0].text == "the note"


def test_boot_is_not_put_down_to_the_suites_version() -> None:
    old = document(run("sev", case("boot.reaches_init")))
    new = document(run("sev", case("boot.reaches_init", *BAD)), suite_version="v2")
    assert compare.compare(old, new)[0].cause == "flaky"


def test_suite_sources_follow_the_files_of_each_suite() -> None:
    digests = parts.suite_sources()
    assert {"vc", "technology", "vc_user"} <= set(digests)
    assert len(set(digests.values())) == len(digests)


SOURCES = {
    "kunit/coco_a.c": {"a"},
    "kunit/coco_b.c": {"b"},
    "kunit/lib/help.c": {"a", "b"},
    "selftests/c_user/c_user.c": {"c_user"},
    "selftests/c_user/c.h": {"c_user"},
    "selftests/d_user/d_user.c": {"d_user"},
    "selftests/lib/help.h": {"c_user", "d_user"},
    "selftests/init/init.c": set(),
    "machine/include/abi.h": {"a", "b", "c_user", "d_user"},
}


@pytest.mark.parametrize("edited", SOURCES)
def test_suite_sources_follow_what_is_in_the_files(
    edited: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "REPOSITORY", tmp_path)
    for name in SOURCES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"/* 1 */\n")
    before = parts.suite_sources()
    assert set(before) == {"a", "b", "c_user", "d_user"}
    (tmp_path / edited).write_bytes(b"/* 2 */\n")
    after = parts.suite_sources()
    assert {suite for suite in before if before[suite] != after[suite]} == SOURCES[edited]


def test_case_that_had_no_chance_to_run_is_no_change_for_the_worse() -> None:
    narrowed = changed("6" * 64, words=["KERNEL=fake", "CASE=vc.a"])
    assert found(OLD, narrowed)["vc.gone"] == ("gone", "")
    assert found(OLD, narrowed)["vc.a"] == ("worse", "the kernel")
    interrupted = changed("6" * 64, complete=False)
    assert found(OLD, interrupted)["vc.gone"] == ("gone", "")


# ---- silicon ----
def guest(*cases: dict[str, Any], machine: str = "no") -> dict[str, Any]:
    facts = {"technology": "sev-snp", "machine": machine}
    return document(run("sev-snp", *cases), guest=facts)


def test_silicon_and_model_are_held_against_each_other() -> None:
    silicon = guest(
        case("vc.a"),
        case("vc.b", "fail", "finding", message="silicon says 3"),
        case("vc.scripted", "skip", message="needs the machine"),
        case("vc.real"),
    )
    model = document(
        run("none", case("vc.a", "fail", "finding")),
        run("sev-snp-2cpu", case("vc.a", "fail", "finding"), personality="sev-snp"),
        run(
            "sev-snp",
            case("vc.a"),
            case("vc.b"),
            case("vc.scripted"),
            case("vc.x", "skip", message="no such thing"),
        ),
    )
    changes = {one.case: one for one in compare.against_silicon(silicon, model)}
    assert changes["vc.b"].text == "silicon says 3"
    assert changes["vc.x"].text == "no such thing"
    assert (changes["vc.real"].old, changes["vc.real"].new) == ("pass", "absent")
    assert {name: one.kind for name, one in changes.items()} == {
        "vc.a": "confirmed",
        "vc.b": "disagree",
        "vc.scripted": "model only",
        "vc.x": "not judged",
        "vc.real": "silicon only",
    }


def test_guest_of_the_machine_is_no_silicon() -> None:
    assert compare.is_silicon(guest()) and not compare.is_silicon(guest(machine="yes"))
    assert not compare.is_silicon(OLD)


# ---- the command ----
def told(
    folder: Path, capsys: pytest.CaptureFixture[str], old: object, new: object
) -> tuple[int, str]:
    paths = []
    for name, one in (("old", old), ("new", new)):
        (folder / f"{name}.json").write_text(json.dumps(one), encoding="utf-8")
        paths.append(str(folder / f"{name}.json"))
    status = cli.main(["compare", *paths, f"JSON={folder / 'out.json'}"])
    return status, capsys.readouterr().out


def test_worse_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, text = told(tmp_path, capsys, OLD, changed("6" * 64))
    assert status == errors.FINDING
    assert "vc.a [sev-snp]  pass -> fail   (the kernel)\n      a is broken" in text
    assert "only in old    run sev\n" in text and "only in new    run tdx\n" in text
    assert text.endswith("3 worse, 1 better, 1 new\n")
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["version"] == 1 and len(written["changes"]) == 5


def test_what_differs_is_told_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more: dict[str, Any] = {"suite_version": "v2", "machine": {"sha256": "b" * 64}}
    more |= {"tier": "full", "qemu": {"path": "qemu", "version": "10.0"}}
    _, text = told(tmp_path, capsys, OLD, changed("6" * 64, **more))
    start = text.index("what differs:")
    assert text[start:].splitlines()[1:9] == [
        f"  kernel         {'5' * 12} -> {'6' * 12}",
        "  suite_version  v1 -> v2",
        f"  machine        {'a' * 12} -> {'b' * 12}",
        "  qemu           7.2.0 -> 10.0",
        "  tier           smoke -> full",
        "  only in old    run sev",
        "  only in new    run tdx",
        "",
    ]
    _, text = told(tmp_path, capsys, OLD, OLD)
    assert "what differs:\n  nothing: any change is flaky\n" in text
    assert "machine aaaaaaaaaaaa\n" in text


def test_kinds_come_in_their_order_and_only_the_worse_say_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, text = told(tmp_path, capsys, OLD, changed("6" * 64))
    order = [text.index(f"\n{kind}:\n") for kind in ("worse", "better", "new")]
    assert order == sorted(order)
    _, text = told(tmp_path, capsys, changed("6" * 64), OLD)
    assert "b is broken" in text and "a is broken" not in text


def test_many_changes_are_cut_on_the_screen_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = [case(f"vc.c{n}") for n in range(compare.SHOWN + 1)]
    bad = [case(one["id"], *BAD) for one in cases]
    whole = document(run("sev", *cases[1:])), document(run("sev", *bad[1:]))
    assert " more: " not in told(tmp_path, capsys, *whole)[1]
    _, text = told(tmp_path, capsys, document(run("sev", *cases)), document(run("sev", *bad)))
    assert "  ... and 1 more: JSON=<file> has them all\n" in text
    assert len(json.loads((tmp_path / "out.json").read_text())["changes"]) == compare.SHOWN + 1


def test_the_same_twice_is_no_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, text = told(tmp_path, capsys, OLD, OLD)
    assert status == errors.OK and text.endswith("no change\n")


def test_silicon_that_disagrees_is_a_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silicon = guest(case("vc.a", "fail", "finding", message="3 is not 4"))
    status, text = told(tmp_path, capsys, document(run("sev-snp", case("vc.a"))), silicon)
    assert status == errors.FINDING
    assert "vc.a [sev-snp]  silicon fail -> model pass\n      3 is not 4" in text
    assert "two kernels" not in text
    agreeing = document(run("sev-snp", case("vc.a")))
    agreeing["kernel"]["release"] = "6.1"
    status, text = told(tmp_path, capsys, guest(case("vc.a")), agreeing)
    assert status == errors.OK and "vc.a" not in text
    assert "note: two kernels; what follows may be down to that\n" in text
    assert text.endswith("1 confirmed\n")
    status, text = told(tmp_path, capsys, guest(case("vc.a")), document(run("tdx", case("vc.a"))))
    assert status == errors.USAGE


def test_two_results_are_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare", "one.json"]) == errors.USAGE
    assert "compare takes two results" in capsys.readouterr().err
    assert cli.main(["compare", "NEW=one.json"]) == errors.USAGE
    assert "compare takes two results" in capsys.readouterr().err
    assert cli.main(["compare", "/nonexistent", "NEW=/nonexistent"]) == errors.USAGE
    assert "/nonexistent" in capsys.readouterr().err


def test_guest_without_technology_is_compared_as_any_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """run-guest leaves it: neither silicon nor in QEMU of ours."""
    plain = document(
        run("none", case("ve.skips", "skip")),
        machine={"sha256": ""},
        qemu={"path": "", "version": ""},
    )
    words = []
    for name, content in (("old", OLD), ("new", plain)):
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
        words.append(str(tmp_path / name))
    assert cli.main(["compare", *words]) == errors.OK
    assert "machine none" in capsys.readouterr().out
