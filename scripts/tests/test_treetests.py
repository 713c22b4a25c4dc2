# SPDX-License-Identifier: GPL-2.0
"""Selftests of the kernel tree: built by its own Makefile, the tree left alone."""

import subprocess
from pathlib import Path

import pytest

from coco import treetests

MAKEFILE = "$(OUTPUT)/tdx_guest_test: tdx_guest_test.c\n\t$(CC) $(KHDR_INCLUDES) -o $@ $<\n"
PROGRAM = """\
#include <linux/tdx-guest.h>
int main(void) { return ANSWER; }
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COCO_CACHE", str(tmp_path / "cache"))
    for name, text in {
        "tools/testing/selftests/lib.mk": "",
        "tools/testing/selftests/kselftest_harness.h": "",
        "tools/testing/selftests/tdx/Makefile": MAKEFILE,
        "tools/testing/selftests/tdx/tdx_guest_test.c": PROGRAM,
        "include/uapi/linux/tdx-guest.h": "#define ANSWER 42\n",
    }.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "tree"


def test_no_tree_has_none() -> None:
    assert treetests.build(None) == ()


def test_tree_without_the_test_has_none(tree: Path) -> None:
    (tree / "tools/testing/selftests/tdx/tdx_guest_test.c").unlink()
    assert treetests.build(tree) == ()


def test_program_is_built_with_the_trees_header_and_outside_of_it(tree: Path) -> None:
    before = sorted(tree.rglob("*"))
    (program,) = treetests.build(tree)
    assert program.name == "tdx_guest_test"
    assert subprocess.run([str(program)], check=False).returncode == 42
    assert sorted(tree.rglob("*")) == before


def test_edit_of_the_tree_gives_another_program(tree: Path) -> None:
    (first,) = treetests.build(tree)
    (tree / "include/uapi/linux/tdx-guest.h").write_text("#define ANSWER 7\n", encoding="utf-8")
    (second,) = treetests.build(tree)
    assert first != second
    assert subprocess.run([str(second)], check=False).returncode == 7
