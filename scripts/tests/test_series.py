# SPDX-License-Identifier: GPL-2.0
"""The other side of a backport: revisions of a git tree, and patches in all their forms."""

import base64
import subprocess
from pathlib import Path

import pytest

from coco.errors import UsageError
from coco.prove import series
from coco.prove.sources import Sources

TEXTS = ["one\ntwo\nthree\n", "one\n2\nthree\n", "one\n2\n3\n"]


def git(tree: Path, *words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    done = subprocess.run(
        ["git", *who, "-C", str(tree), *words], check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A git tree of three commits, the last two of which are the series."""
    tree = tmp_path / "tree"
    tree.mkdir()
    git(tree, "init", "--quiet")
    for number, text in enumerate(TEXTS):
        (tree / "file.c").write_text(text)
        if number == 2:
            (tree / "new.h").write_text("new\n")
        git(tree, "add", "-A")
        git(tree, "commit", "--quiet", "-m", f"change {number}")
    return tree


@pytest.fixture
def quilt(tree: Path, tmp_path: Path) -> Path:
    """The last two commits as a quilt folder."""
    folder = tmp_path / "patches"
    folder.mkdir()
    names = git(tree, "format-patch", "-o", str(folder), "HEAD~2").split()
    lines = ["# the series", *(f"{Path(name).name} -p1 # comment" for name in names)]
    (folder / "series").write_text("\n".join(lines) + "\n")
    return folder


REVERSED = {"file.c": TEXTS[0].encode(), "new.h": None}
APPLIED = {"file.c": TEXTS[2].encode(), "new.h": b"new\n"}


def test_base_against_the_working_tree(tree: Path) -> None:
    (tree / "file.c").write_text("not committed\n")
    found = series.by_revisions(tree, "HEAD~2", "")
    assert found.with_fix == {}
    assert found.without == REVERSED


def test_two_revisions_whatever_is_checked_out(tree: Path) -> None:
    git(tree, "checkout", "--quiet", "HEAD~1")
    found = series.by_revisions(tree, "main~2", "main")
    assert found.with_fix == APPLIED
    assert found.without == {"file.c": TEXTS[0].encode()}
    assert "-3\n" in found.diff(tree)
    assert "+three\n" in found.diff(tree)


def test_git_leaves_the_tree_alone(tree: Path) -> None:
    (tree / "file.c").touch()  # an index that git would like to refresh
    before = (tree / ".git/index").read_bytes()
    series.by_revisions(tree, "HEAD~2", "HEAD~1")
    assert (tree / ".git/index").read_bytes() == before


@pytest.mark.parametrize(("base", "head"), [("nonsense", ""), ("--help", ""), ("main", "main")])
def test_revisions_that_make_no_sense_are_refused(tree: Path, base: str, head: str) -> None:
    with pytest.raises(UsageError):
        series.by_revisions(tree, base, head)


def test_a_tree_without_git_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a git repository"):
        series.by_revisions(tmp_path, "HEAD", "")


def forms(tree: Path, quilt: Path, tmp_path: Path) -> list[Path]:
    mailbox, patch = tmp_path / "series.mbox", tmp_path / "both.patch"
    mailbox.write_text(git(tree, "format-patch", "--stdout", "--cover-letter", "main~2..main"))
    patch.write_text(git(tree, "diff", "main~2", "main"))
    own = tmp_path / "own.patch"  # as quilt writes it
    own.write_text(patch.read_text().replace(" a/", " linux.orig/").replace(" b/", " linux/"))
    encoded = tmp_path / "encoded.mbox"
    encoded.write_text("".join(map(as_base64, mailbox.read_text().split("\nFrom "))))
    return [quilt, mailbox, patch, own, encoded]


def as_base64(text: str) -> str:
    """A mail as some servers send it."""
    head, _, body = f"From {text.removeprefix('From ')}\n".partition("\n\n")
    head = "\n".join(line for line in head.splitlines() if not line.startswith("Content-"))
    lines = base64.encodebytes(body.encode()).decode()
    kind = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64"
    return f"{head}\n{kind}\n\n{lines}\n"


def test_a_series_that_is_in_is_reversed(tree: Path, quilt: Path, tmp_path: Path) -> None:
    for form in forms(tree, quilt, tmp_path):
        found = series.by_patches(tree, str(form))
        assert found == Sources(f"{form.name}, reversed", {}, REVERSED)


def test_a_series_that_is_not_in_is_applied(tree: Path, quilt: Path, tmp_path: Path) -> None:
    every = forms(tree, quilt, tmp_path)
    git(tree, "checkout", "--quiet", "HEAD~2")
    for form in every:
        found = series.by_patches(tree, str(form))
        assert found == Sources(f"{form.name}, applied", APPLIED, {})
    assert (tree / "file.c").read_text() == TEXTS[0]


def test_a_series_that_is_half_in_is_refused(tree: Path, quilt: Path) -> None:
    git(tree, "checkout", "--quiet", "HEAD~1")
    with pytest.raises(UsageError, match=r"(?s)neither in .*0001-change-1.patch"):
        series.by_patches(tree, str(quilt))


def test_a_patch_stays_inside_of_the_tree(tree: Path, tmp_path: Path) -> None:
    patch = tmp_path / "evil.patch"
    patch.write_text("--- a/../outside\n+++ b/../outside\n@@ -0,0 +1 @@\n+x\n")
    with pytest.raises(UsageError, match="outside"):
        series.by_patches(tree, str(patch))


def test_what_is_no_patch_is_refused(tree: Path, tmp_path: Path) -> None:
    nothing, folder = tmp_path / "text", tmp_path / "folder"
    nothing.write_text("no patch\n")
    folder.mkdir()
    for given in (nothing, folder, tmp_path / "absent"):
        with pytest.raises(UsageError):
            series.by_patches(tree, str(given))
