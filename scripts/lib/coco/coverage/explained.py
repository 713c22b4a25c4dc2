# SPDX-License-Identifier: GPL-2.0
"""Lines that the suites cannot reach, each with the reason: backports/coverage.yaml."""

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from coco.errors import UsageError

_WORDS = {"file", "function", "text", "reason"}


@dataclass(frozen=True)
class Reason:
    """Why some lines are left out: those of a function, or those with this text in it."""

    reason: str
    file: str = "*"
    function: str = "*"
    text: str = ""

    def covers(self, file: str, function: str, text: str) -> bool:
        """Is this line one of them?"""
        return (
            any(fnmatch.fnmatchcase(file, one) for one in self.file.split())
            and any(fnmatch.fnmatchcase(function, one) for one in self.function.split())
            and (not self.text or re.search(self.text, text) is not None)
        )


def load(path: Path) -> list[Reason]:
    """The reasons, checked: each needs a function or a text, and words to say."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is no YAML: {error}") from error
    entries = document.get("explained") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise UsageError(f"{path} has no list 'explained'")
    return [_reason(entry, f"{path}: entry {n}") for n, entry in enumerate(entries, 1)]


def _reason(entry: Any, where: str) -> Reason:
    if not isinstance(entry, dict) or not all(isinstance(v, str) for v in entry.values()):
        raise UsageError(f"{where} is no mapping of words to texts")
    if unknown := set(entry) - _WORDS:
        raise UsageError(f"{where}: unknown {', '.join(sorted(unknown))}")
    if not entry.get("reason", "").strip():
        raise UsageError(f"{where} gives no reason")
    if not {"function", "text"} & set(entry):
        raise UsageError(f"{where} would explain whole files", "name a function or a text")
    try:
        re.compile(entry.get("text", ""))
    except re.error as error:
        raise UsageError(f"{where}: text is no regular expression: {error}") from error
    return Reason(**entry)


def reason_for(reasons: Sequence[Reason], file: str, function: str, text: str) -> str:
    """The first that covers the line; nothing if none does."""
    return next((one.reason for one in reasons if one.covers(file, function, text)), "")
