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
        **{"sources": {"vc": "1", "ve": "1"}, **more},
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
        ("5" * 64, {"sources": {}, "suite_version": "v2"}, "the suite, perhaps"),
        ("5" * 64, {}, "flaky"),
    ],
)
def test_change_is_put_down_to_what_differs(kernel: str, more: dict[str, Any], cause: str) -> None:
    assert found(OLD, changed(kernel, **more))["vc.a"] == ("worse", cause)


def test_suite_sources_follow_the_files_of_each_suite() -> None:
    digests = parts.suite_sources()
    assert {"vc", "technology", "vc_user"} <= set(digests)
    assert len(set(digests.values())) == len(digests)


def test_case_that_was_not_asked_for_is_no_change_for_the_worse() -> None:
    narrowed = changed("6" * 64, words=["KERNEL=fake", "CASE=vc.a"])
    assert found(OLD, narrowed)["vc.gone"] == ("gone", "")


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
        run("sev-snp", case("vc.a"), case("vc.b"), case("vc.scripted"), case("vc.x", "skip")),
    )
    kinds = {one.case: one.kind for one in compare.against_silicon(silicon, model)}
    assert kinds == {
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
    status, text = told(tmp_path, capsys, guest(case("vc.a")), document(run("tdx", case("vc.a"))))
    assert status == errors.USAGE


def test_two_results_are_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare", "one.json"]) == errors.USAGE
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
