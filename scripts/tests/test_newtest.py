# SPDX-License-Identifier: GPL-2.0
"""coco new-test writes a suite that is entered everywhere it must be."""

import argparse
import io
import shutil
from pathlib import Path

import pytest

from coco import errors, expect, newtest, parts
from coco.catalogue import entries
from coco.catalogue.problems import problems
from coco.screen import Screen

TEMPLATES = parts.REPOSITORY


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the files that new-test reads and writes."""
    for name in (*newtest.TEMPLATES.values(), newtest.KBUILD, "backports/expect/suites/boot.yaml"):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(parts.REPOSITORY / name, target)
    monkeypatch.setattr(parts, "REPOSITORY", tmp_path)
    monkeypatch.setattr(newtest, "EXPECTATIONS", tmp_path / "backports/expect")
    return tmp_path


def write(name: str, kind: str) -> int:
    options = argparse.Namespace(name=name, kind=kind)
    return newtest.new_test(options, [], Screen(io.StringIO()))


@pytest.mark.parametrize(
    ("kind", "file"), [("kunit", "kunit/coco_fresh.c"), ("selftest", "selftests/fresh/fresh.c")]
)
def test_new_suite_is_written_and_expected(repository: Path, kind: str, file: str) -> None:
    assert write("fresh", kind) == errors.OK
    text = (repository / file).read_text(encoding="utf-8")
    assert "@NAME@" not in text and "@CLAIM@" not in text
    suite = expect.load(repository / "backports/expect").suites["fresh"]
    assert suite.kind == kind
    assert suite.cases
    for case in suite.cases:
        assert case.id in text
    assert ("sev-es",) in {case.personalities for case in suite.cases}


def test_kunit_suite_is_built_in_its_place(repository: Path) -> None:
    write("fresh", "kunit")
    lines = (repository / newtest.KBUILD).read_text(encoding="utf-8").splitlines()
    modules = [line for line in lines if line.startswith("obj-m += coco_")]
    assert "obj-m += coco_fresh.o" in modules
    assert modules == sorted(modules)


@pytest.mark.parametrize(
    ("name", "kind", "complaint"),
    [
        ("", "kunit", "a name is"),
        ("Fresh", "kunit", "a name is"),
        ("a/../b", "kunit", "a name is"),
        ("fresh", "kuint", "neither kunit nor selftest"),
        ("boot", "kunit", "there is a suite boot already"),
    ],
)
def test_bad_name_writes_nothing(repository: Path, name: str, kind: str, complaint: str) -> None:
    before = sorted(repository.rglob("*"))
    with pytest.raises(errors.UsageError, match=complaint):
        write(name, kind)
    assert sorted(repository.rglob("*")) == before


def test_new_fix_is_a_valid_entry_with_a_recipe(repository: Path) -> None:
    for template in newtest.FIX_TEMPLATES.values():
        shutil.copy(TEMPLATES / template, repository / template)
    for folder in ("fixes", "recipes"):
        (repository / "backports" / folder).mkdir()
    assert write("CVE-2026-1.2", "fix") == errors.OK
    listing = entries.load(base=repository / "backports")
    fix = listing.fixes["CVE-2026-1.2"]
    written = expect.load(repository / "backports/expect")
    assert list(problems(listing, written)) == []
    assert fix.recipe and "@NAME@" not in fix.recipe.read_text(encoding="utf-8")
    with pytest.raises(errors.UsageError, match="exists already"):
        write("CVE-2026-1.2", "fix")


def test_a_fix_has_a_plain_name(repository: Path) -> None:
    with pytest.raises(errors.UsageError, match="an id is"):
        write("../x", "fix")
