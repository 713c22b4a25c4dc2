# SPDX-License-Identifier: GPL-2.0
"""The command line: one verb each, errors as messages, exit codes as promised."""

import argparse
import importlib
import os
import signal
import sys
import textwrap
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from coco import errors, parts, variables
from coco.errors import CocoError, UsageError, did_you_mean
from coco.screen import Screen

EXIT_CODES = """\
exit codes:
  0    everything as expected
  1    a finding: a case failed, skipped or is missing against expectation
  2    wrong usage
  3    could not run: no QEMU, no disk, no network, a limit of the machine; prove: just FIXED
  77   nothing applies to this kernel
  125  prove BISECT=1: nothing can be told of this commit, git bisect run is to skip it
  128  prove BISECT=1: could not run or wrong usage, git bisect run is to stop
  130  interrupted; results so far are kept
"""

EXAMPLES = """\
examples:
  {coco} quickstart                       all of it, on a fresh Debian 12 (as root)
  {coco} check                            Debian's 6.12 cloud kernel, every personality
  {coco} check KERNEL=debian:7.x PERSONALITY=sev-snp,tdx
  {coco} check KDIR=../linux CASE='vc.*'  build a tree, run some cases
  {coco} check KDIR=../linux PERSONALITY=tdx CASE='ve.cpuid_*' GDB=1
"""

ENVIRONMENT = """\
environment:
  COCO_<VARIABLE> is the default of a variable; nothing else is taken from it.
  COCO_CACHE      folder for downloads and builds (default: ~/.cache/coco)
"""


@dataclass(frozen=True)
class Verb:
    """One command."""

    name: str
    help: str
    description: str
    variables: tuple[str, ...]
    run: str  # module:function, which is imported when it is run
    places: tuple[str, ...] = ()  # variables that bare words stand for, in their order


class _Layout(argparse.RawDescriptionHelpFormatter):
    """Room for our longest names on the left."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32, width=100)


class _Parser(argparse.ArgumentParser):
    """argparse, with our errors."""

    def error(self, message: str) -> NoReturn:
        words = self.prog.split()[1:]  # the command, if it is one's
        raise UsageError(message, f"see: {' '.join([parts.program(), *words])} --help")


class _Version(argparse.Action):
    """--version, which git has to be asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        print(f"coco-guest-tests {parts.version()}")
        parser.exit()


def main(words: Sequence[str]) -> int:
    """Run the command; everything that ends it becomes an exit code."""
    code = _main(words)
    return errors.for_bisect(code) if errors.is_bisection(words) else code


def _main(words: Sequence[str]) -> int:
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _interrupt)
    screen = Screen()
    try:
        variables.check_environment()
        variables.clean_environment()
        return _run(list(words), screen)
    except CocoError as error:
        screen.clear()
        print(f"coco: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        screen.clear()
        print("coco: interrupted", file=sys.stderr)
        return errors.INTERRUPTED
    except OSError as error:
        screen.clear()
        place = f"{error.filename}: " if error.filename else ""
        print(f"coco: {place}{error.strerror or error}", file=sys.stderr)
        return errors.INFRASTRUCTURE
    except Exception as error:  # Python's own exit code would be that of a finding
        screen.clear()
        traceback.print_exc()
        print(f"coco: a bug of coco itself: {type(error).__name__}: {error}", file=sys.stderr)
        print("  please report it, with the lines above", file=sys.stderr)
        return errors.INFRASTRUCTURE


def _interrupt(_number: int, _frame: object) -> NoReturn:
    """SIGTERM and SIGHUP end a run as ^C does; a second one must not cut that short."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(words: list[str], screen: Screen) -> int:
    parser = _parser()
    if not words or words == ["help"]:
        parser.print_help()
        return errors.OK if words else errors.USAGE
    if words[0] == "help":
        words = [*words[1:], "--help"]
    verbs = {verb.name: verb for verb in VERBS}
    if words[0].startswith("-"):
        parser.parse_args(words[:1])
        raise UsageError(f"{words[0]} comes after the command", f"see: {parts.program()} --help")
    if words[0] not in verbs:
        raise UsageError(f"unknown command {words[0]!r}", did_you_mean(words[0], verbs))
    verb = verbs[words[0]]
    options, unknown = parser.parse_known_args(
        [verb.name, *variables.to_options(words[1:], verb.name, verb.variables, verb.places)]
    )
    if unknown:
        hint = f"see: {parts.program()} {verb.name} --help"
        raise UsageError(f"unrecognized arguments: {' '.join(unknown)}", hint)
    said = variables.settle(options)
    module, _, function = verb.run.partition(":")
    code: int = getattr(importlib.import_module(module), function)(options, said, screen)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="coco",
        usage="coco <command> [NAME=VALUE ...]",
        description="Tests for the guest side of SEV, SEV-ES, SEV-SNP and TDX in Linux, "
        "without the hardware.",
        epilog="\n".join([EXAMPLES.format(coco=parts.program()), ENVIRONMENT, EXIT_CODES]),
        formatter_class=_Layout,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="verb", metavar="<command>", required=True)
    for verb in VERBS:
        command = commands.add_parser(
            verb.name,
            prog=f"coco {verb.name}",
            usage=f"coco {verb.name} [NAME=VALUE ...]",
            help=verb.help,
            description=textwrap.fill(verb.description, 90),
            epilog=_epilog(verb),
            formatter_class=_Layout,
            allow_abbrev=False,
        )
        variables.add(command, verb.variables)
    return parser


def _epilog(verb: Verb) -> str:
    if not verb.variables:
        return EXIT_CODES
    title = "variables (also as --name VALUE, or COCO_NAME in the environment):"
    return f"{title}\n{variables.describe(verb.variables, verb.name)}\n\n{EXIT_CODES}"


def machine(_options: argparse.Namespace, _words: list[str], screen: Screen) -> int:
    """Build machine.elf."""
    screen.line(str(parts.machine(screen.say)))
    return errors.OK


def selftests(_options: argparse.Namespace, _words: list[str], screen: Screen) -> int:
    """Build the guest's programs."""
    screen.line(str(parts.selftests(screen.say)))
    return errors.OK


def deps(_options: argparse.Namespace, _words: list[str], _screen: Screen) -> int:
    """Reached only when the module is started by hand: scripts/coco does this in sh."""
    script = Path(__file__).resolve().parents[2] / "deps.sh"
    os.execv("/bin/sh", ["sh", str(script)])


def quickstart(options: argparse.Namespace, words: list[str], screen: Screen) -> int:
    """What follows deps, which scripts/coco does in sh."""
    from coco import check, fetch

    return fetch.run(options, words, screen) or check.check(options, words, screen)


_KERNEL = variables.KERNEL_WORDS
_CHECK = (
    *_KERNEL,
    *("MODULES", "FIRMWARE", "PERSONALITY", "SUITE", "CASE", "TIER", "VCPUS", "RAM"),
    *("APPEND", "MACHINE"),
    *("RESULTS", "QEMU", "GDB", "JOBS", "PATIENCE"),
)
_PROVE = (
    *("KDIR", "FIX", "BASE", "HEAD", "PATCH", "MBOX", "CASE", "BISECT", "CONFIG", "DEBUG"),
    *("REFERENCE", "FIRMWARE", "PERSONALITY", "CATALOGUE", "RESULTS", "JSON"),
    *("RAM", "APPEND", "MACHINE", "QEMU", "JOBS", "PATIENCE"),
)
_SELFCHECK = (
    *("KDIR", "MISTAKE", "SUITE", "TIER", "CONFIG", "DEBUG", "FIRMWARE", "PERSONALITY", "RESULTS"),
    *("RAM", "APPEND", "MACHINE", "QEMU", "JOBS", "PATIENCE"),
)

VERBS = (
    Verb(
        "quickstart",
        "deps, fetch and check in one",
        "Install what is needed (as root), download the kernel and firmware, and check it.",
        _CHECK,
        "coco.cli:quickstart",
    ),
    Verb(
        "deps",
        "install what this program needs (as root)",
        "Install the Debian packages that everything else here needs. The only command that "
        "installs anything, and the only one that wants root.",
        (),
        "coco.cli:deps",
    ),
    Verb(
        "fetch",
        "download a shipped kernel, and firmware",
        "Download a kernel, its headers and modules into the cache, and the newest OVMF that "
        "Debian has; just OVMF where the kernel is on this machine, as with KDIR=. The only "
        "command that uses the network.",
        _KERNEL,
        "coco.fetch:run",
    ),
    Verb(
        "check",
        "run the suites on a kernel, and give the verdict",
        "Boot a kernel in the software machine, in every personality that it has code for, run "
        "all suites, and hold the results against backports/expect. Needs no root and no network.",
        _CHECK,
        "coco.check:check",
    ),
    Verb(
        "report",
        "show the results of an earlier check",
        "Print the report of a results folder again (default: the latest), with its exit code; "
        "with FORMAT= as JUnit XML, KCIDB's JSON, KTAP or the results file itself.",
        ("RESULTS", "FORMAT", "ORIGIN", "BUILD_ID", "URL"),
        "coco.report:run",
    ),
    Verb(
        "qualify",
        "state what a kernel supports as a confidential guest",
        "Check a kernel (or take RESULTS= of it), look at its configuration and package, and "
        "state each feature of each technology as supported, partial, absent by design, broken or "
        "unknown, with what that rests on; with PROFILE= against what it is declared to support.",
        (*_CHECK, "PROFILE"),
        "coco.qualify:run",
    ),
    Verb(
        "matrix",
        "what many kernels support, as a page",
        "Check many kernels, or go on with a matrix that was interrupted, and write a page, a "
        "text and JSON of kernel, technology and feature, of kernel and fix, of what changed from "
        "one to the next, and of boot times (default: RESULTS=results/matrix).",
        ("KERNELS", *(word for word in _CHECK if word not in _KERNEL and word != "GDB")),
        "coco.matrix:run",
    ),
    Verb(
        "compare",
        "what changed between two results, and what that is down to",
        "Name every case that changed from one results folder to another, and put it down to the "
        "kernel, the suite, the machine or QEMU; or hold the results of a real guest against the "
        "machine's.  A change for the worse, or a disagreement with silicon, is a finding.",
        ("OLD", "NEW", "JSON"),
        "coco.compare:run",
        ("OLD", "NEW"),
    ),
    Verb(
        "prove",
        "show from both sides that a kernel has a fix",
        "Build a kernel from a tree as it is and with a fix taken out, run the fix's cases on "
        "both, and say whether the kernel has the fix: PROVEN if they pass with it, fail without "
        "it, for the reason named beforehand, and nothing else changes. The tree is never "
        "written to. Without the fix is: taken out by the catalogue's recipe, or the other side of "
        "PATCH= or BASE=; where there is none to be had, the verdict is FIXED at best, and the "
        "exit code 3. RESULTS= of an interrupted run goes on with it.",
        _PROVE,
        "coco.prove.work:run",
    ),
    Verb(
        "audit",
        "which fixes a kernel has, and which it lacks",
        "Say of each fix of the catalogue whether a kernel has it: by what its cases do on it "
        "(KERNEL=, KBUILD_OUTPUT=) or did in a check of it (RESULTS=), or else by what its source "
        "says (KDIR=), "
        "its changelog, its git log or its release's number, and name follow-ups and "
        "prerequisites that are missing.",
        (
            *("KDIR", "KBUILD_OUTPUT", "KERNEL", "HEADERS", "MODULES", "RESULTS", "CHANGELOG"),
            *("FIX", "CATALOGUE", "JSON", "PERSONALITY", "RAM", "APPEND", "MACHINE", "QEMU"),
            *("JOBS", "PATIENCE"),
        ),
        "coco.audit:run",
    ),
    Verb(
        "catalogue",
        "check the catalogue of fixes, or list what is in it",
        "Check every entry of backports/fixes, and print how many there are; with FIX= list "
        "those entries; with SUITE= list what is to turn each case of these suites red; with KDIR= "
        "try on copies of a tree's files whether the recipes take out what the tree has.",
        ("FIX", "SUITE", "KDIR", "CATALOGUE"),
        "coco.catalogue.work:run",
    ),
    Verb(
        "bench",
        "what a personality costs",
        "Boot a kernel in each personality and in plain QEMU by turns, and print how long each "
        "takes to init, as a ratio; then what one exit of each kind costs.",
        (*_KERNEL, "PERSONALITY", "VCPUS", "RAM", "APPEND", "MACHINE", "QEMU", "ROUNDS", "RESULTS"),
        "coco.bench:bench",
    ),
    Verb(
        "soak",
        "the same checks again and again, for flakes",
        "Check kernels by turns, ROUNDS= times each, in every third run LOAD= machines per CPU "
        "side by side, and name every case that did not come out as the first time. Goes on with "
        "a soak that was interrupted (default: RESULTS=results/soak).",
        ("KERNELS", *(word for word in _CHECK if word not in (*_KERNEL, "GDB")), "ROUNDS", "LOAD"),
        "coco.soak:run",
    ),
    Verb(
        "coverage",
        "which lines of the #VC and #VE handlers, or of memory, the suites reach",
        "Check a tree's kernel while QEMU logs what it executes of the #VC and #VE handlers "
        "(or, with AREA=memory, of what shares, bounces and accepts memory), and print the lines "
        "and branches that were not reached, with the reasons that backports/coverage.yaml gives. "
        "Takes several times as long as a check, much less with BRANCHES=0. JOIN= puts together "
        "what several runs on one kernel reached, in other personalities or with more vCPUs.",
        ("AREA", "BRANCHES", "JOIN", *(word for word in _CHECK if word not in ("GDB", "MODULES"))),
        "coco.coverage:run",
    ),
    Verb(
        "selfcheck",
        "whether the suites see a kernel that is wrong",
        "Break copies of a tree by recipes - those that take a fix out, and those of "
        "backports/mistakes for spots where none is known - build them, run the cases that have to "
        "fail then, and say which turned red. Takes a sample, at least one recipe a suite; all of "
        "them with TIER=full.",
        _SELFCHECK,
        "coco.selfcheck.work:run",
    ),
    Verb(
        "new-test",
        "write a new suite to start from",
        "Write a suite that builds and runs, and what is expected of it (backports/expect/suites); "
        "with KIND=fix an entry of the catalogue with a recipe.",
        ("NAME", "KIND"),
        "coco.newtest:new_test",
    ),
    Verb(
        "test",
        "test this program itself",
        "Run all tests of the host side and of the machine, and the linters. No kernel is built; "
        "with TIER=full those that boot a shipped kernel for minutes run, too.",
        ("TIER", "QEMU", "JOBS"),
        "coco.gate:test",
    ),
    Verb("lint", "just the linters", "Run the linters over all sources.", (), "coco.gate:lint"),
    Verb(
        "machine",
        "build the machine",
        "Build machine.elf and print its path.",
        (),
        "coco.cli:machine",
    ),
    Verb(
        "selftests",
        "build the guest's programs",
        "Build init and the selftests, and print their folder.",
        (),
        "coco.cli:selftests",
    ),
    Verb(
        "tarball",
        "pack the suites for a guest without QEMU",
        "Write one archive with the programs, the sources of the modules and run-guest, for a real "
        "SEV or TDX guest; a kernel that is named gets its modules built into it.",
        (*_KERNEL, "MODULES", "FILE"),
        "coco.tarball:run",
    ),
    Verb(
        "install",
        "install this program",
        "Copy the program and its manual page to PREFIX (default: /usr/local), below DESTDIR if "
        "given. It needs nothing of the checkout then; results go to ./results.",
        ("PREFIX", "DESTDIR"),
        "coco.install:run",
    ),
    Verb(
        "man", "print the manual page", "Print the manual page, for `man -l -`.", (), "coco.man:run"
    ),
    Verb(
        "clean",
        "remove what was built",
        "Remove the build folder, and with ALL=1 the results and the cache too. Where an installed "
        "program is run, only its archives in ./build, and with ALL=1 the cache.",
        ("ALL",),
        "coco.tidy:clean",
    ),
)
