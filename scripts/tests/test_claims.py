# SPDX-License-Identifier: GPL-2.0
"""What counts as a claim in a changelog or a git log, and what does not."""

import gzip
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from fixes import FIX, FIXED, listed, tree

from coco import audit, claims
from coco.errors import UsageError

ID = "0123456789ab" + "c" * 28
HERE = replace(FIX, upstream=(ID,), cves=("CVE-2024-1234",))
CHANGELOG = """linux (6.1.20-1) bookworm; urgency=medium

  * New upstream stable update:
    https://example.org/ChangeLog-6.1.20
    - mm: something else
    - x86/sev: Do
      it right (CVE-2024-1234)

 -- A Maintainer <a@example.org>  Mon, 16 Nov 2026 11:17:40 +0100

linux (6.1.19-1) bookworm; urgency=medium

  * first
"""


@pytest.mark.parametrize(
    ("text", "claimed"),
    [
        ("x86/sev: Do it right\n\nBecause.", True),
        ("UBUNTU: SAUCE: x86/sev: Do it right", True),
        ("[x86] sev: Do it right", True),
        ("[amd64] sev: Do it right", True),
        ("[arm64] sev: Do it right", False),
        (f"x86: do right\n\ncommit {ID} upstream.", True),
        (f"x86: do right\n\n[ Upstream commit {ID} ]", True),
        (f"x86: do right\n\n(cherry picked from commit {ID})", True),
        (f"x86: do right\n\n(backported from commit {ID[:12]})", True),
        ("x86: do right\n\nCVE-2024-1234", True),
        ("x86: do right\n\nCVE-2024-12345", False),
        (f'x86: mend that\n\nFixes: {ID[:12]} ("x86/sev: Do it right")', False),
        (f"x86: mend that\n\nSince commit {ID[:12]} it is wrong.", False),
        ('Revert "x86/sev: Do it right"\n\nIt was wrong.', False),
        ('[x86] Revert "x86/sev: Do it right"', False),
        ('Revert "Revert "x86/sev: Do it right""', True),
    ],
)
def test_ways_to_name_an_origin(text: str, claimed: bool) -> None:
    log = claims.Log("the git log", (claims.Entry("feedfeedfeed", text),))
    assert log.claim(HERE) == ("feedfeedfeed of the git log" if claimed else "")


def test_cve_of_several_fixes_names_none_of_them() -> None:
    other = replace(HERE, id="other", subject="x86/sev: Do the rest", upstream=("f" * 40,))
    shared = listed(HERE, other).shared_cves
    text = "[x86] sev: Do it right (CVE-2024-1234)"
    log = claims.Log("log", (claims.Entry("6.1.20-1", text),), shared)
    assert log.claim(HERE) == "6.1.20-1 of log"
    assert log.claim(other) == ""
    assert not listed(HERE).shared_cves


def test_what_came_back_after_a_revert_is_claimed() -> None:
    texts = ("x86/sev: Do it right", 'Revert "x86/sev: Do it right"', "x86/sev: Do it right")
    entries = tuple(claims.Entry(f"commit{number}", text) for number, text in enumerate(texts))
    assert claims.Log("log", entries).claim(HERE) == "commit0 of log"
    assert claims.Log("log", entries[1:]).claim(HERE) == ""


@pytest.mark.parametrize("compressed", [False, True])
def test_changelog_of_a_package(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / "changelog.gz"
    data = CHANGELOG.encode()
    path.write_bytes(gzip.compress(data) if compressed else data)
    log = claims.of_changelog(path)
    assert log.claim(replace(HERE, cves=())) == "6.1.20-1 of changelog.gz"
    assert log.claim(replace(HERE, subject="something else again", cves=())) == ""


def test_unreadable_changelog_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        claims.of_changelog(tmp_path / "none")
    (tmp_path / "half").write_bytes(gzip.compress(CHANGELOG.encode())[:40])
    with pytest.raises(UsageError, match="cannot be read"):
        claims.of_changelog(tmp_path / "half")


def git(folder: Path, *words: str) -> str:
    own = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    argv = ["git", "-C", str(folder), *own, *words]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def test_git_log_of_a_tree(tmp_path: Path) -> None:
    tree(tmp_path)
    assert claims.of_git(tmp_path, [HERE]) is None
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", f"x86: do right\n\ncommit {ID} upstream.")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "mm: something else")
    log = claims.of_git(tmp_path, [HERE])
    assert log and [one.text.split("\n")[0] for one in log.entries] == ["x86: do right"]
    own = replace(HERE, upstream=(git(tmp_path, "rev-parse", "HEAD~1"),), cves=())
    again = claims.of_git(tmp_path, [replace(own, subject="x86: do right")])
    assert again and again.claim(own)


def test_log_speaks_where_the_source_does_not(tmp_path: Path) -> None:
    log = claims.Log("the git log", (claims.Entry("feedfeedfeed", "x86/sev: Do it right"),))
    silent = replace(HERE, probes=())
    found = audit.verdict_of(silent, tree(tmp_path), None, None, log)
    assert found == (audit.CLAIMED, "feedfeedfeed of the git log")
    lost = replace(HERE, probes=(replace(FIX.probes[0], fixed="other\\("),))
    (one,) = audit.audit(listed(lost), [lost], tree(tmp_path, FIXED), log=log)
    assert one.verdict == audit.NOT_CLAIMED
    assert one.problems == ("but feedfeedfeed of the git log claims it",)
