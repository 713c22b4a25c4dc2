# SPDX-License-Identifier: GPL-2.0
"""A backport's own other side: two revisions of a git tree, or patches.

    BASE=<rev> [HEAD=<rev>]     without and with it; HEAD is the working tree if left out
    PATCH=<file>                a patch, a mailbox, or a quilt folder with its series file

Patches that the tree has are reversed, those that it lacks are applied; context has to
match (git apply), so that nothing else is changed.  Nothing is written to the tree.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from coco.errors import InfrastructureError, UsageError
from coco.kernels.altered import Files
from coco.prove.sources import Sources

# The head of a file's changes; git and quilt call the tree by different names
_NAME = r"(?:/dev/null|[^/\s]+/([^\t\n]+))[^\n]*"
_TOUCHED = re.compile(rf"^--- {_NAME}\n\+\+\+ {_NAME}|^rename (?:from|to) ([^\t\n]+)", re.MULTILINE)
_MAILBOX = re.compile(rb"From \S+ +\w{3} \w{3} ")
_COMMENT = re.compile(r"\s#.*|^#.*")


def by_revisions(tree: Path, base: str, head: str) -> Sources:
    """Both revisions, whatever is checked out."""
    with_fix = _revision(tree, head) if head else {}
    without = _revision(tree, base)
    same = {name for name in with_fix if name in without and with_fix[name] == without[name]}
    if not {*with_fix, *without} - same:
        raise UsageError(
            f"BASE={base} and {f'HEAD={head}' if head else 'the working tree'} do not differ",
            "BASE= is the revision before the fix",
        )
    return Sources(f"git: {base} against {head or 'the working tree'}", with_fix, without)


def _revision(tree: Path, revision: str) -> Files:
    """All files that differ between a revision and the working tree, as the revision has them."""
    if revision.startswith("-"):
        raise UsageError(f"{revision!r} is no revision")
    _git(tree, "rev-parse", "--git-dir")
    known = _git(tree, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", fails=True)
    commit = known.decode().strip()
    if not commit:
        raise UsageError(f"no revision {revision!r} in {tree}", "a commit, tag or branch of KDIR=")
    names = _git(tree, "diff", "--name-status", "--no-renames", "-z", "--relative", commit, "--")
    words = names.decode("utf-8", "surrogateescape").split("\0")[:-1]
    files: dict[str, bytes | None] = {}
    for status, name in zip(words[::2], words[1::2]):
        # A: the working tree has it, the revision does not
        files[name] = None if status == "A" else _git(tree, "show", f"{commit}:./{name}")
    return files


def _git(tree: Path, *words: str, fails: bool = False) -> bytes:
    """Ask git about the tree, without git writing to it."""
    done = subprocess.run(
        ["git", "-C", str(tree), *words],
        env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        capture_output=True,
        check=False,
    )
    if done.returncode and not fails:
        said = (done.stderr.decode(errors="replace").strip() or "nothing said").splitlines()
        raise UsageError(f"git {words[0]} in {tree}: {said[0]}", "BASE= needs a git tree")
    return done.stdout


def by_patches(tree: Path, given: str) -> Sources:
    """The series, taken out of the tree if it is in, or else put into it."""
    with tempfile.TemporaryDirectory(prefix="coco-series-") as folder:
        patches = read(Path(given), Path(folder) / "split")
        texts = [patch.read_text(encoding="utf-8", errors="surrogateescape") for patch in patches]
        names = sorted({name for text in texts for name in _touched(text)})
        if not names:
            raise UsageError(f"PATCH={given} changes no file", "a patch that `git apply` takes")
        why = ""
        for word, order in (("reversed", patches[::-1]), ("applied", patches)):
            copy = Path(folder) / word
            _copy(tree, names, copy)
            failed = _apply(copy, order, reverse=word == "reversed")
            if not failed:
                files = _changed(tree, names, copy)
                how = f"{Path(given).name}, {word}"
                return Sources(how, **{"without" if word == "reversed" else "with_fix": files})
            why += f"\n  {word}: {failed}"
    raise UsageError(
        f"PATCH={given} is neither in {tree}, nor does it apply to it:{why}",
        "adjust it to this tree: context has to match",
    )


def _touched(text: str) -> list[str]:
    """The files that a patch changes."""
    return [name for names in _TOUCHED.findall(text) for name in names if name]


def read(given: Path, folder: Path) -> list[Path]:
    """The patches, in the order in which they are applied."""
    if given.is_dir():
        series = given / "series"
        if not series.is_file():
            raise UsageError(f"PATCH={given} has no series file", "a quilt folder has one")
        lines = series.read_text(encoding="utf-8", errors="replace").splitlines()
        names = [_COMMENT.sub("", line).split()[:1] for line in lines]
        found = [given / name[0] for name in names if name]
        missing = [path for path in found if not path.is_file()]
        if missing:
            raise UsageError(f"PATCH={given}: its series names {missing[0].name}, which is missing")
        return found
    if not given.is_file():
        raise UsageError(f"PATCH={given}: no such file")
    if not _MAILBOX.match(given.read_bytes()):
        return [given]
    folder.mkdir()
    done = subprocess.run(
        ["git", "mailsplit", f"-o{folder}", str(given)], capture_output=True, check=False
    )
    if done.returncode:
        raise UsageError(f"PATCH={given} is no mailbox: {done.stderr.decode().strip()}")
    patches = [_decoded(mail) for mail in sorted(folder.iterdir())]
    return [patch for patch in patches if _touched(patch.read_text(errors="replace"))]


def _decoded(mail: Path) -> Path:
    """The patch in a mail, whatever it was encoded in; a cover letter has none."""
    patch = mail.with_name(f"{mail.name}.patch")
    argv = ["git", "mailinfo", "-n", os.devnull, str(patch)]
    done = subprocess.run(argv, input=mail.read_bytes(), capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise UsageError(f"mail {mail.name} of the series cannot be read: {said}")
    return patch


def _copy(tree: Path, names: Sequence[str], copy: Path) -> None:
    for name in names:
        if ".." in name.split("/") or name.startswith("/"):
            raise UsageError(f"the patch names {name}, which is outside of the tree")
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        if (tree / name).is_file():
            (copy / name).write_bytes((tree / name).read_bytes())


def _apply(copy: Path, patches: Sequence[Path], reverse: bool) -> str:
    """What git has against it, or nothing."""
    for patch in patches:
        argv = ["git", "apply", "--whitespace=nowarn", *(["-R"] if reverse else [])]
        try:
            done = subprocess.run(
                [*argv, str(patch.resolve())],
                cwd=copy,
                env={**os.environ, "GIT_CEILING_DIRECTORIES": str(copy.parent), "LC_ALL": "C"},
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError as error:
            raise InfrastructureError("there is no git", "apt-get install git") from error
        if done.returncode:
            said = (done.stderr.strip() or "nothing said").splitlines()
            return f"{patch.name}: {said[0]}"
    return ""


def _changed(tree: Path, names: Sequence[str], copy: Path) -> Files:
    files: dict[str, bytes | None] = {}
    for name in names:
        before = (tree / name).read_bytes() if (tree / name).is_file() else None
        after = (copy / name).read_bytes() if (copy / name).is_file() else None
        if before != after:
            files[name] = after
    return files
