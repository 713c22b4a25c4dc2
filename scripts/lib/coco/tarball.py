# SPDX-License-Identifier: GPL-2.0
"""coco tarball: one archive for a guest without QEMU and Python - programs, sources, runner.

    run-guest, result.awk   what runs there
    plan                    which suite and case runs where, and what is known to fail
    selftests/              static programs
    src/                    sources of the modules, for a guest with its kernel's headers
    modules/<release>/      the modules, built: with KERNEL=, KDIR= or MODULES=

The same input gives the same archive, byte for byte.
"""

import argparse
import gzip
import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from coco import cache, errors, expect, kernels, modules, parts, prepare
from coco.errors import UsageError
from coco.expect import BOOT, SMP, START, Case, Expectations, Known, Setting, Suite
from coco.files import disk_errors
from coco.model import SELFTEST
from coco.screen import Screen

GUEST = parts.REPOSITORY / "guest"
FACTS = "guest_facts"  # the program that tells run-guest where it is
_KERNEL_WORDS = ("kernel", "kdir", "kbuild_output", "modules")
_TIMEOUT = 120  # seconds for a suite, if its slowest case takes no longer

Files = dict[str, tuple[bytes, int]]  # name -> content and mode


def run(options: argparse.Namespace, _words: list[str], screen: Screen) -> int:
    """The whole verb."""
    version = parts.version()
    target = Path(options.file or parts.workplace() / f"build/coco-guest-{version}.tar.gz")
    if target.is_dir() or not target.name.endswith((".tar.gz", ".tgz")):
        raise UsageError(f"FILE={target} is no name of an archive", "end it with .tar.gz")
    prepare.check_paths(options)
    named = any(getattr(options, word, None) for word in _KERNEL_WORDS)
    for word in ("headers", "config", "debug"):
        if getattr(options, word, None) and not named:
            raise UsageError(
                f"{word.upper()}= belongs to a kernel, and none is named",
                "KERNEL=<kernel> or KDIR=<tree>: its modules are built into the archive",
            )
    files = contents(version, parts.selftests(screen.say))
    if named:
        kernel = kernels.resolve(options, screen.say)
        files |= built(kernel, options.modules or "", screen.say)
    target.parent.mkdir(parents=True, exist_ok=True)
    name = target.name.removesuffix(".tar.gz").removesuffix(".tgz")
    with disk_errors(target.parent, "FILE=<file>"):
        target.write_bytes(pack(name, files))
    screen.line(str(target))
    return errors.OK


def contents(version: str, programs: Path) -> Files:
    """All but the modules that were built."""
    files: Files = {
        "VERSION": (f"{version}\n".encode(), 0o644),
        "COPYING": ((parts.REPOSITORY / "COPYING").read_bytes(), 0o644),
        "plan": (plan(expect.load(expect.EXPECTATIONS)).encode(), 0o644),
    }
    for name in ("README", "run-guest", "result.awk"):
        files[name] = ((GUEST / name).read_bytes(), 0o755 if name == "run-guest" else 0o644)
    for path in sorted(programs.iterdir()):
        if (
            path.is_file()
            and path.name not in ("init", ".complete")
            and path.stat().st_mode & 0o100
        ):
            files[f"selftests/{path.name}"] = (path.read_bytes(), 0o755)
    for name, content in modules.sources(parts.REPOSITORY):
        files[f"src/{name}"] = (content, 0o644)
    return files


def built(kernel: kernels.Kernel, folder: str, say: cache.Say = cache.quiet) -> Files:
    """The modules for one kernel, ready to load: built now, or those of a folder."""
    if folder:
        made = modules.prebuilt(Path(folder), kernel)
    else:
        made = modules.build(kernel, say=say)
    return {
        f"modules/{kernel.release}/{name}.ko": ((made.folder / f"{name}.ko").read_bytes(), 0o644)
        for name in made.names
    }


def pack(name: str, files: Mapping[str, tuple[bytes, int]]) -> bytes:
    """A gzipped archive below one folder: sorted, owned by root, without times."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(files):
            content, mode = files[path]
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


# ---- what runs where ----
def plan(expectations: Expectations) -> str:
    """Lines with tabs between their fields, for sh and awk:

    suite  name   kind  seconds        drivers        why it never runs from run-guest
    case   suite  id    personalities  why it never runs so  kinds of splat it causes
    known  case   personalities  first  last  expires  causes  reference  what it says
    """
    lines: list[str] = []
    # Programs first: some read the log's beginning, which the modules' output drives out
    for suite in sorted(expectations.suites.values(), key=lambda suite: suite.kind != SELFTEST):
        if suite.kind not in (BOOT, START):
            lines += _suite(suite)
    lines += [_fields("known", *_known(known)) for known in expectations.baseline]
    return "".join(f"{line}\n" for line in lines)


def _suite(suite: Suite) -> Iterator[str]:
    everywhere = {name for case in suite.cases for name in case.personalities}
    why = suite.model_only
    if not why and all(suite.setting_in(name) != Setting() for name in everywhere):
        why = "its guest must be started in a way of its own"
    elif not why and all(case.fatal for case in suite.cases):
        why = "each of its cases ends the guest"
    limit = max(_TIMEOUT, round(2 * suite.timeout))
    yield _fields("suite", suite.name, suite.kind, str(limit), ",".join(suite.modprobe), why)
    for case in suite.cases:
        here = (name for name in case.personalities if suite.setting_in(name) == Setting())
        where = ",".join(case.personalities if why else here)
        tolerates = ",".join(case.tolerates)
        yield _fields("case", suite.name, case.id, where, _why_not(case), tolerates)


def _why_not(case: Case) -> str:
    if case.fatal:
        return "ends the guest on purpose"
    return "needs two vCPUs, and a guest of its own" if SMP in case.needs else ""


def _known(known: Known) -> Iterable[str]:
    first, last = (".".join(map(str, version)) for version in (known.first, known.last))
    where, causes = ",".join(known.personalities), ",".join(known.causes)
    expires = known.expires.isoformat()
    return known.case, where, first, last, expires, causes, known.reference, known.shows


def _fields(*texts: str) -> str:
    return "\t".join(" ".join(text.split()) for text in texts)
