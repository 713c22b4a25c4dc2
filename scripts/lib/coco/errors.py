# SPDX-License-Identifier: GPL-2.0
"""How a command can fail: one class an exit code.

An error says what is wrong in one line; its hint says what to do next.
"""

import difflib
import os
from collections.abc import Iterable, Sequence

from coco.model import some

YES = ("1", "y", "yes", "on", "true")  # of a variable that is a switch
OK = 0
FINDING = 1
USAGE = 2
INFRASTRUCTURE = 3
NOTHING_APPLICABLE = 77
INTERRUPTED = 130
# To git bisect run: this commit says nothing; stop here
BISECT_SKIP = 125
BISECT_ABORT = 128
_CHOICE = 30  # names that a hint lists


def is_bisection(words: Sequence[str]) -> bool:
    """Does the command line, or the environment, ask for the exit codes of a bisection?"""
    asked = {"bisect", *(f"bisect={yes}" for yes in YES)}
    named = any(word.lower().lstrip("-") in asked for word in words)
    return named or os.environ.get("COCO_BISECT", "").lower() in YES


def for_bisect(code: int) -> int:
    """An exit code as `git bisect run` must have it, which takes nearly all for "bad"."""
    told = (OK, FINDING, BISECT_SKIP)
    return code if code in told or code >= BISECT_ABORT else BISECT_ABORT


class CocoError(Exception):
    """Anything that ends the command with a message instead of a traceback."""

    exit_code = INFRASTRUCTURE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(CocoError):
    """The command line asks for something that does not exist."""

    exit_code = USAGE


class InfrastructureError(CocoError):
    """The work could not be done: no QEMU, no disk, no network, no compiler."""

    exit_code = INFRASTRUCTURE


class Unavailable(CocoError):
    """A part cannot be had for this kernel (no headers, no module support); the rest still runs."""

    exit_code = INFRASTRUCTURE


class NothingApplicable(CocoError):
    """The kernel has nothing of what was asked for."""

    exit_code = NOTHING_APPLICABLE


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint for a mistyped word; the choice when nothing is near, as far as it is readable."""
    choice = sorted(known)
    near = difflib.get_close_matches(word, choice, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]}?"
    return f"known: {some(choice, _CHOICE)}"
