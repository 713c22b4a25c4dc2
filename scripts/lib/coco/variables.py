# SPDX-License-Identifier: GPL-2.0
"""The words that every command takes: KEY=VALUE, --key VALUE, or COCO_KEY in the environment."""

import argparse
import os
import re
import textwrap
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coco import machine_words
from coco.errors import YES, UsageError, did_you_mean
from coco.expect import TIERS
from coco.model import AREAS, PERSONALITIES
from coco.writers import FORMATS

_WORD = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)

# In the environment only
ENVIRONMENT = {
    "COCO_CACHE": "folder for downloads and builds (default: ~/.cache/coco)",
    "COCO_KUNIT": "own: never use the kernel's KUnit; kernel: insist on it",
}

# What the tools that we start may see of the environment, besides COCO_*
_PASSED_ON = re.compile(
    r"PATH|HOME|USER|LOGNAME|TERM|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|XDG_\w+|COCO_\w+|NO_COLOR"
    r"|(?:https?|ftp|no|all)_proxy|SSL_CERT_\w+|APT_CONFIG|DEBIAN_FRONTEND",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Variable:
    """One word of the command line."""

    name: str
    value: str  # what stands behind the = in --help
    help: str
    parse: Callable[[str], Any] = str


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in re.split(r"[,\s]+", text) if name)


def _personalities(text: str) -> tuple[str, ...]:
    names = _names(text)
    for name in names:
        if name not in PERSONALITIES:
            raise UsageError(f"unknown personality {name!r}", did_you_mean(name, PERSONALITIES))
    return tuple(name for name in PERSONALITIES if name in names)


def _area(text: str) -> str:
    if text not in AREAS:
        raise UsageError(f"unknown area {text!r}", did_you_mean(text, AREAS))
    return text


def _tier(text: str) -> str:
    if text not in TIERS:
        raise UsageError(f"unknown tier {text!r}", did_you_mean(text, TIERS))
    return text


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise UsageError(f"{text!r} is no number from {low} to {high}")
        return int(text)

    return parse


def _vcpus(text: str) -> tuple[int, ...]:
    one = _whole(1, 8)
    return tuple(dict.fromkeys(one(name) for name in _names(text)))


def _patience(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value <= 1000.0:
        raise UsageError(f"{text!r} is no factor above 0")
    return value


def _switch(text: str) -> bool:
    if text.lower() in YES:
        return True
    if text.lower() in ("0", "n", "no", "off", "false", ""):
        return False
    raise UsageError(f"{text!r} is neither 1 nor 0")


def _format(text: str) -> str:
    if text not in REPORT_FORMATS:
        raise UsageError(f"unknown format {text!r}", did_you_mean(text, REPORT_FORMATS))
    return text


def _gdb(text: str) -> str:
    """1: the usual port; else what QEMU's -gdb takes."""
    if text in ("", "0"):
        return ""
    return "tcp:127.0.0.1:1234" if text == "1" else text


REPORT_FORMATS = ("text", "json", *FORMATS)

_ALL = (
    Variable(
        "KERNEL",
        "debian:<version>|<file>",
        "a shipped kernel: debian:6.12 (default), debian:5.10, debian:7.x, an exact Debian "
        "version; or a local file: a .deb or .rpm (several: with commas), a vmlinuz or a UKI",
    ),
    Variable("HEADERS", "<folder>", "headers that belong to KERNEL=<vmlinuz>"),
    Variable("KDIR", "<tree>", "build the kernel from this tree, which is never written to"),
    Variable("CONFIG", "<file>", "your own configuration for KDIR="),
    Variable("KBUILD_OUTPUT", "<folder>", "a finished build, used as it is"),
    Variable("DEBUG", "1", "build KDIR= with KASAN, lockdep and friends", _switch),
    Variable(
        "FIRMWARE",
        "<file>",
        "OVMF.fd that suites start guests in (default: the newest fetched, or this machine's own)",
    ),
    Variable("MODULES", "<folder>", "test modules that were built (and signed) elsewhere"),
    Variable(
        "PERSONALITY",
        "<name>[,<name>]",
        f"of {', '.join(PERSONALITIES)} (default: all that the kernel has)",
        _personalities,
    ),
    Variable("SUITE", "<name>[,<name>]", "run only these suites", _names),
    Variable("CASE", "<suite>.<case>[,...]", "run only these cases; * and ? are globs", _names),
    Variable("TIER", "smoke|full", "how much (default: smoke)", _tier),
    Variable("AREA", "handlers|memory", "#VC and #VE (default), or what shares memory", _area),
    Variable("BRANCHES", "0", "lines only, in a fraction of the time and the disk", _switch),
    Variable("JOIN", "<results>[,...]", "run nothing: join what these runs reached", _names),
    Variable("VCPUS", "<n>[,<n>]", "vCPUs of the guest (default: 1)", _vcpus),
    Variable(
        "RAM",
        "<MiB>",
        "memory of the guest (default: 512); what exceeds 1024 lies above 4 GiB",
        _whole(128, 5120),
    ),
    Variable("APPEND", "<words>", "more words for the kernel's command line"),
    Variable(
        "MACHINE",
        "<words>",
        "more words for the machine, e.g. 'cbit=47 trace' (coco(1) names them all)",
        machine_words.check,
    ),
    Variable("RESULTS", "<folder>", "where results go (default: results/<time>)"),
    Variable("QEMU", "<program>", "QEMU, with leading options if need be (default: in PATH)"),
    Variable("GDB", "1|<device>", "wait for a debugger (1: on port 1234), no watchdog", _gdb),
    Variable(
        "JOBS",
        "<n>",
        "machines side by side (default: one per CPU, at most 4; matrix: 2)",
        _whole(1, 64),
    ),
    Variable("PATIENCE", "<factor>", "stretch the watchdogs' budgets", _patience),
    Variable("ROUNDS", "<n>", "how often (bench: 3, soak: 10, unless given)", _whole(1, 1000)),
    Variable("LOAD", "<n>", "machines per CPU in every third run (default: 4)", _whole(0, 64)),
    Variable("NAME", "<name>", "name of the new suite, [a-z0-9_], or id of the fix"),
    Variable("KIND", "kunit|selftest|fix", "a suite of that kind, or an entry for a fix"),
    Variable("ALL", "1", "the results and the whole cache, too", _switch),
    Variable("FIX", "<id>[,<id>]", "only these fixes: id (also a glob), CVE or commit", _names),
    Variable(
        "REFERENCE", "<tree>", "one with the upstream fix: there the cases have to pass first"
    ),
    Variable("CHANGELOG", "<file>", "of a distribution (Debian's or RPM's form, also gzipped)"),
    Variable(
        "MISTAKE", "<id>[,<id>]", "break the kernel by these recipes only (also globs)", _names
    ),
    Variable("CATALOGUE", "<folder>", "entries of your own (fixes/<id>.yaml), laid over ours"),
    Variable("FILE", "<file>", "the archive (default: build/coco-guest-<version>.tar.gz)"),
    Variable("PREFIX", "<folder>", "where it will be found (default: /usr/local)"),
    Variable("DESTDIR", "<folder>", "put before all paths, for packages"),
    Variable("KERNELS", "<words>", "kernels as in KERNEL=, with blanks between"),
    Variable(
        "PROFILE", "<name>|<file>", "what the kernel is declared to support (default: nothing)"
    ),
    Variable("OLD", "<results>", "the earlier results, a folder or file; or the first word"),
    Variable("NEW", "<results>", "the later ones; or the second word"),
    Variable("FORMAT", "<name>", f"of {', '.join(REPORT_FORMATS)} (default: text)", _format),
    Variable("ORIGIN", "<name>", "for kcidb: the CI system's name there (default: coco)"),
    Variable("BUILD_ID", "<origin>:<id>", "for kcidb: the build that was tested, if it has one"),
    Variable("URL", "<address>", "for kcidb: where the results folder is published"),
    Variable("BASE", "<revision>", "without the fix, in a git tree: proven against HEAD="),
    Variable("HEAD", "<revision>", "with the fix (default: the working tree)"),
    Variable("PATCH", "<file|folder>", "the fix: a patch, a mailbox, or a quilt folder"),
    Variable("MBOX", "<file>", "the same, as a mailbox of several patches"),
    Variable("BISECT", "1", "exit codes for `git bisect run`", _switch),
    Variable("JSON", "<file>", "write the verdicts to this file, too"),
)
VARIABLES: Mapping[str, Variable] = {variable.name: variable for variable in _ALL}

# What it means to some commands
_OF_VERBS: Mapping[str, Mapping[str, str]] = {
    "KDIR": {
        "audit, catalogue": "read this tree, without building anything",
        "prove, selfcheck": "the tree to build kernels from, which is never written to",
    },
    "FIX": {"catalogue": "list these fixes: id (also a glob), CVE or commit"},
    "SUITE": {
        "catalogue": "list what is to turn each case of these suites red",
        "selfcheck": "only recipes that turn a case of these suites red",
    },
    "TIER": {
        "qualify, matrix": "how much (default: full)",
        "selfcheck": "a sample of the recipes (default: smoke), or all",
        "test": "full: those that boot a shipped kernel for minutes, too",
    },
    "RESULTS": {
        "report": "the results to show, a folder or its result.json (default: results/latest)",
        "audit": "results of a check, to judge by; with KERNEL= or KBUILD_OUTPUT= a new folder "
        "(default: results/audit-<time>)",
        "qualify": "results of a check, to judge by; with a kernel also a new folder, to check "
        "it into (default: results/<time>)",
        "matrix": "a new folder, or that of a matrix to go on with (default: results/matrix)",
        "soak": "a new folder, or that of a soak to go on with (default: results/soak)",
        "prove": "a new folder, or that of a run to go on with (default: results/prove-<time>)",
        "selfcheck": "a new folder, or that of a run to go on with "
        "(default: results/selfcheck-<time>)",
        "bench": "where results go (default: results/bench-<time>)",
    },
}

# What others call it
_OTHER_NAMES = {
    "PLATFORM": "PERSONALITY",
    "TECHNOLOGY": "PERSONALITY",
    "MODE": "PERSONALITY",
    "TREE": "KDIR",
    "KERNELDIR": "KDIR",
    "LINUX": "KDIR",
    "CPUS": "VCPUS",
    "SMP": "VCPUS",
    "MEMORY": "RAM",
    "TEST": "CASE",
    "CVE": "FIX",
    "COMMIT": "FIX",
    "OUTPUT": "RESULTS",
    "SERIES": "PATCH",
    "QUILT": "PATCH",
    "CMDLINE": "APPEND",
    "TIMEOUT": "PATIENCE",
}

KERNEL_WORDS = ("KERNEL", "HEADERS", "KDIR", "CONFIG", "KBUILD_OUTPUT", "DEBUG")


def flag(name: str) -> str:
    """The option of a variable: KBUILD_OUTPUT is --kbuild-output."""
    return "--" + name.lower().replace("_", "-")


def add(parser: argparse.ArgumentParser, names: Iterable[str]) -> None:
    """Let a command take these variables, as options; describe() tells of them."""
    for name in names:
        alone: dict[str, Any] = {"nargs": "?", "const": "1"}  # --debug is --debug 1
        more = alone if VARIABLES[name].parse is _switch else {}
        parser.add_argument(flag(name), dest=name.lower(), help=argparse.SUPPRESS, **more)


def of_verb(name: str) -> dict[str, str]:
    """What a variable means to commands to which it means something of their own."""
    found = _OF_VERBS.get(name, {})
    return {verb: text for verbs, text in found.items() for verb in verbs.split(", ")}


def describe(names: Iterable[str], verb: str, width: int = 98, indent: int = 30) -> str:
    """The variables of a command for its --help."""
    lines = []
    for name in names:
        variable = VARIABLES[name]
        head = f"  {name}={variable.value}"
        text = textwrap.wrap(of_verb(name).get(verb, variable.help), width - indent)
        if len(head) >= indent:
            lines.append(head)
            head = ""
        lines += [f"{part:<{indent}}{line}" for part, line in zip([head, *[""] * 9], text)]
    return "\n".join(lines)


def to_options(
    words: Iterable[str], verb: str, taken: Collection[str], places: Sequence[str] = ()
) -> list[str]:
    """NAME=VALUE words as options, bare words as the variables of their places; the rest stays."""
    options: list[str] = []
    free = list(places)
    value_due = False  # "--name VALUE" in two words
    for word in words:
        match = None if word.startswith("-") else _WORD.fullmatch(word)
        if match and not value_due:
            options.append(_to_option(match[1], match[2], verb, taken))
        elif free and not value_due and not word.startswith("-"):
            options.append(f"{flag(free.pop(0))}={word}")
        else:
            options.append(word)
        value_due = word.startswith("--") and "=" not in word and not value_due
    return options


def _to_option(name: str, value: str, verb: str, taken: Collection[str]) -> str:
    if name not in VARIABLES:
        raise UsageError(f"unknown variable {name}", _near(name, taken))
    if name not in taken:
        known = ", ".join(taken) or "no variable"
        raise UsageError(f"{verb} does not take {name}=", f"it takes: {known}")
    return f"{flag(name)}={value}"


def _near(name: str, taken: Collection[str]) -> str:
    """The variable that was meant, perhaps by another name for it."""
    hint = did_you_mean(name.upper(), {*taken, *_OTHER_NAMES})
    for other, ours in _OTHER_NAMES.items():
        hint = hint.replace(f"mean {other}?", f"mean {ours}?")
    return hint if hint.startswith("did") else "known: " + ", ".join(taken)


def check_environment() -> None:
    """A mistyped COCO_ variable must not go unseen."""
    known = {*ENVIRONMENT, *(f"COCO_{name}" for name in VARIABLES)}
    for name in os.environ:
        if name.startswith("COCO_") and name not in known:
            hint = did_you_mean(name, known)
            raise UsageError(f"unknown variable {name} in the environment", hint)


def clean_environment() -> None:
    """What the user's shell exports must not change what is built or run."""
    for name in list(os.environ):
        if not _PASSED_ON.fullmatch(name):
            del os.environ[name]


def settle(arguments: argparse.Namespace) -> list[str]:
    """Take defaults from COCO_*, turn texts into values; returns the words to repeat it by."""
    words = []
    # A kernel named on the command line replaces the environment's as a whole
    kernel_given = any(getattr(arguments, name.lower(), None) is not None for name in KERNEL_WORDS)
    for name, variable in VARIABLES.items():
        if not hasattr(arguments, name.lower()):
            continue
        text = getattr(arguments, name.lower())
        if text is None and not (kernel_given and name in KERNEL_WORDS):
            text = os.environ.get(f"COCO_{name}")
        if text is None:
            continue
        try:
            setattr(arguments, name.lower(), variable.parse(text))
        except UsageError as error:
            raise UsageError(f"{name}={text}: {error.message}", error.hint) from error
        words.append(f"{name}={text}")
    return words
