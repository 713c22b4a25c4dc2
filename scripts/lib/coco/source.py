# SPDX-License-Identifier: GPL-2.0
"""What the source of a kernel says: short patterns on normalised text.

Comments go, and every run of blanks becomes one blank, so that a pattern does
not depend on how a line is broken or what a comment beside it says.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/|//[^\n]*', re.DOTALL)
_BLANKS = re.compile(r"\s+")


class Tree:
    """A kernel tree that is only ever read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._texts: dict[str, str | None] = {}

    def file(self, name: str) -> Path:
        """Where that file is."""
        return self.path / name

    @cached_property
    def version(self) -> tuple[int, ...]:
        """What its Makefile says, () if that says nothing."""
        text = self._read("Makefile") or ""
        found = [
            re.search(rf"^{name} = (\d+)", text, re.MULTILINE)
            for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL")
        ]
        return tuple(int(one[1]) for one in found if one)

    def existing(self, files: Sequence[str]) -> list[str]:
        """Those of the files that this tree has."""
        return [name for name in files if self._read(name) is not None]

    def find(self, files: Sequence[str], pattern: str, function: str = "") -> str:
        """The first file (of that function, if one is named) that the pattern matches, or ""."""
        for name in files:
            text = self._text(name, function)
            if text and re.search(pattern, text):
                return name
        return ""

    def holding(self, files: Sequence[str], function: str) -> list[str]:
        """The files that define that function."""
        return [name for name in files if self._text(name, function)]

    def _text(self, name: str, function: str) -> str:
        text = self._read(name)
        if text is None:
            return ""
        return normalise(body(text, function) if function else text)

    def _read(self, name: str) -> str | None:
        if name not in self._texts:
            try:
                raw = self.file(name).read_text(encoding="utf-8", errors="replace")
                self._texts[name] = strip_comments(raw)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                self._texts[name] = None
        return self._texts[name]

    def __str__(self) -> str:
        version = ".".join(map(str, self.version))
        return f"Linux {version} in {self.path}" if version else str(self.path)


def strip_comments(text: str) -> str:
    """C and assembly without comments; texts in quotes stay."""
    return _COMMENT.sub(lambda match: match[0] if match[0].startswith('"') else " ", text)


def normalise(text: str) -> str:
    """One blank for every run of blanks, and none for a line that goes on after a backslash."""
    return _BLANKS.sub(" ", text.replace("\\\n", " ")).strip()


def body(text: str, function: str) -> str:
    """All definitions of a function, from the line of its name to its closing brace."""
    head = re.compile(
        rf"^[A-Za-z_][^;{{}}()]*\b{re.escape(function)}\s*\([^;{{}}]*\)[^;{{}}()]*\n\{{.*?^\}}",
        re.MULTILINE | re.DOTALL,
    )
    return "\n".join(match[0] for match in head.finditer(text))
