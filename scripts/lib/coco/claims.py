# SPDX-License-Identifier: GPL-2.0
"""What a changelog or a git log claims that a kernel has.

A backport names its origin in one of a few ways: stable's "commit <id> upstream." and
"[ Upstream commit <id> ]", git's "(cherry picked from commit <id>)", or a distribution's
changelog with the subject or the CVE.  Something that was reverted later is not claimed.
"""

import functools
import gzip
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coco import command
from coco.catalogue.fix import Fix
from coco.errors import UsageError

_DIGITS = 12  # of a commit, as kernel people shorten it
_SEPARATOR = "\x1e"
_ORIGIN = (
    r"\bcommit (?:{ids})[0-9a-f]* upstream|upstream commit:? (?:{ids})"
    r"|(?:cherry picked|backported) from (?:upstream )?commit (?:{ids})"
)


@dataclass(frozen=True)
class Entry:
    """A commit, or an item of a changelog."""

    name: str  # how to find it again
    text: str

    @functools.cached_property
    def title(self) -> str:
        """Its first line, with "x86/sev: ..." so where Debian writes "[x86] sev: ..."."""
        return re.sub(r"^\[(?:x86|amd64)\] ", "x86/", self.text.split("\n", 1)[0])


@dataclass(frozen=True)
class Log:
    """Newest first."""

    name: str
    entries: tuple[Entry, ...]
    shared: frozenset[str] = frozenset()  # CVEs of several fixes: they name none of them

    @functools.cached_property
    def _whole(self) -> str:
        return "\n".join(f"{entry.name} {entry.text}" for entry in self.entries)

    def claim(self, fix: Fix) -> str:
        """The entry that claims the fix; "" if none does, or if it was reverted since."""
        subject = fix.subject.removeprefix("x86/")
        words = (subject, *fix.cves, *(one[:_DIGITS] for one in fix.upstream))
        if not any(word in self._whole for word in words):
            return ""  # a changelog has 50000 entries
        for entry in self.entries:
            if _names(entry, fix, self.shared):
                return "" if _reverts(entry) else f"{entry.name} of {self.name}"
        return ""


def _names(entry: Entry, fix: Fix, shared: frozenset[str]) -> bool:
    """It is that fix, or a backport of it; a later commit that mentions it is none."""
    if any(fix_id.startswith(entry.name) for fix_id in fix.upstream):
        return True
    if fix.subject in entry.title:
        return True
    ids = [one[:_DIGITS] for one in fix.upstream]
    if any(one in entry.text for one in ids):
        return bool(re.search(_ORIGIN.format(ids="|".join(ids)), entry.text, re.IGNORECASE))
    own = [cve for cve in fix.cves if cve not in shared]
    return any(cve in entry.text and re.search(rf"{cve}\b", entry.text) for cve in own)


def _reverts(entry: Entry) -> bool:
    """It takes the fix out; the revert of a revert brings it back."""
    head = re.match(r'(?:\[[^]]*\] )*((?:revert ")*)', entry.text.lower())
    return bool(head and head[1].count("revert") % 2)


def of_changelog(path: Path, shared: frozenset[str] = frozenset()) -> Log:
    """A distribution's changelog (Debian's or RPM's form, perhaps compressed)."""
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8")
    except (OSError, UnicodeDecodeError, EOFError, zlib.error) as error:
        raise UsageError(f"CHANGELOG={path} cannot be read: {error}") from error
    entries = []
    version = ""
    # An item begins with a dash or a star; its lines are folded into one
    for block in re.split(r"\n(?=\s*[-*+] |\S)", text):
        head = re.match(r"\S+ \(([^)]+)\) |\* .* \[?([\d.]+-[^\s\]]+)\]?$", block.split("\n", 1)[0])
        if head:
            version = head[1] or head[2]
        entries.append(Entry(version or "an item", " ".join(block.split()).lstrip("-*+ ")))
    return Log(path.name, tuple(entries), shared)


def of_git(tree: Path, fixes: Sequence[Fix], shared: frozenset[str] = frozenset()) -> Log | None:
    """The commits of a git work tree that name one of the fixes; None if it is none."""
    if not (tree / ".git").exists():
        return None
    words = [one[:_DIGITS] for fix in fixes for one in fix.upstream]
    words += [fix.subject for fix in fixes]
    form = f"%H%n%B{_SEPARATOR}"
    argv = ["git", "-C", str(tree), "log", "--no-merges", "-F", f"--format={form}"]
    argv += [f"--grep={word}" for word in words]
    entries = []
    for record in command.output(argv, f"reading the log of {tree}").split(_SEPARATOR):
        commit, _, text = record.strip().partition("\n")
        if commit:
            entries.append(Entry(commit[:_DIGITS], text))
    return Log("the git log", tuple(entries), shared)
