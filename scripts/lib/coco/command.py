# SPDX-License-Identifier: GPL-2.0
"""Run a tool: its output in a log file, progress out of it, no orphans."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from coco.cache import disk_errors
from coco.errors import CocoError, InfrastructureError

# What the first error of a build looks like; "Error 2" of an outer make comes later.
_ERROR = re.compile(
    r"(\berror: |\bfatal error: |undefined reference|multiple definition"
    r"|^ERROR: |^E: |: not found$|cannot find|\*\*\* |No space left on device)",
    re.IGNORECASE,
)
_NO_SPACE = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
_MISSING_TOOL = re.compile(
    r"^(?:/bin/sh|sh|make(?:\[\d+\])?): .*?([\w.+-]+): (?:not found|No such)"
)


class CommandFailed(InfrastructureError):
    """A tool ended with an error; the message holds the first one that it printed."""


def run(
    argv: Sequence[str],
    log: Path,
    what: str,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
    keep_open: Sequence[int] = (),
    append: bool = False,
) -> None:
    """Run argv to its end; raise CommandFailed if it fails.

    Whatever ends us early (^C, SIGTERM turned into an exception) ends the
    whole process group of the tool too, gently first: make then removes the
    targets that it was writing.
    """
    with disk_errors(log), open(log, "ab" if append else "wb") as output:
        output.write(f"$ {' '.join(argv)}\n".encode())
        output.flush()
        start = output.tell()
        try:
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=dict(env) if env is not None else None,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=tuple(keep_open),
            )
        except FileNotFoundError as error:
            raise _not_installed(argv[0], what) from error
        assert process.stdout is not None
        try:
            for line in process.stdout:
                output.write(line)
                output.flush()
                if on_line:
                    on_line(line.decode(errors="replace").rstrip())
            code = process.wait()
        except BaseException:
            _stop(process)
            raise
    if code:
        raise _failure(argv, log, what, code, start)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process group, first gently, and wait for it."""
    for sign, patience in ((signal.SIGTERM, 15), (signal.SIGKILL, 15)):
        try:
            os.killpg(process.pid, sign)
            process.wait(patience)
            return
        except ProcessLookupError:
            process.wait()
            return
        except subprocess.TimeoutExpired:
            continue


def _failure(argv: Sequence[str], log: Path, what: str, code: int, start: int) -> CocoError:
    """The error to raise for a tool that failed, with what it said first."""
    with open(log, "rb") as output:
        output.seek(start)
        text = output.read().decode(errors="replace")
    if _NO_SPACE.search(text):
        return _disk_full(what)
    lines = text.splitlines()
    for line in lines:
        tool = _MISSING_TOOL.search(line)
        if tool:
            return _not_installed(tool[1], what)
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    message = f"{what} failed ({argv[0]}, {how})"
    quote = first_error(lines)
    if quote:
        message += ":\n" + "\n".join("  " + line for line in quote)
    return CommandFailed(message, f"the whole log: {log}")


def first_error(lines: Sequence[str], context: int = 6) -> list[str]:
    """The first error in a build's output, with the lines that belong to it."""
    for number, line in enumerate(lines):
        if _ERROR.search(line):
            begin = number
            while begin > 0 and re.match(
                r"(In file included| {10,}from |.*: In function )", lines[begin - 1]
            ):
                begin -= 1
            return list(lines[begin : number + context])
    return [line for line in lines if line.strip()][-context:]


def output(
    argv: Sequence[str],
    what: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """What a short command prints; raise if it fails."""
    return output_bytes(argv, what, env, cwd).decode(errors="replace")


def output_bytes(
    argv: Sequence[str],
    what: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> bytes:
    """The same, for what is no text."""
    try:
        done = subprocess.run(
            argv,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise _not_installed(argv[0], what) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace")
        if _NO_SPACE.search(said):
            raise _disk_full(what)
        lines = "\n".join("  " + line for line in said.strip().splitlines()[-6:])
        raise CommandFailed(f"{what} failed ({argv[0]}, exit code {done.returncode}):\n{lines}")
    return done.stdout


def filtered(argv: Sequence[str], data: bytes, what: str) -> bytes:
    """What a filter makes of data."""
    try:
        done = subprocess.run(argv, input=data, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise _not_installed(argv[0], what) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise CommandFailed(f"{what} failed ({argv[0]}, exit code {done.returncode}): {said}")
    return done.stdout


def _not_installed(tool: str, what: str) -> CocoError:
    from coco import parts  # which needs this module

    return InfrastructureError(
        f"{what} needs {tool}, which is not installed", f"run `{parts.program()} deps` as root"
    )


def _disk_full(what: str) -> CocoError:
    return InfrastructureError(
        f"the disk became full: {what} did not finish",
        "free some space, or set COCO_CACHE to a folder on a larger disk",
    )
