# SPDX-License-Identifier: GPL-2.0
"""Tools that fail, are missing, or are cut short."""

import os
import signal
import time
from pathlib import Path

import pytest

from coco import command
from coco.errors import InfrastructureError


def _sh(script: str, log: Path, **more: object) -> None:
    command.run(["sh", "-c", script], log, "the work", **more)  # type: ignore[arg-type]


def test_first_error_is_shown_not_the_last(tmp_path: Path) -> None:
    script = """
        echo '  CC      a.o'
        echo 'In file included from a.c:1:'
        echo 'a.h:3:5: error: expected something'
        echo '    3 | int;'
        echo 'make[2]: *** [Makefile:1: a.o] Error 1'
        echo 'make[1]: *** [Makefile:2: __sub-make] Error 2'
        exit 2
    """
    with pytest.raises(command.CommandFailed) as raised:
        _sh(script, tmp_path / "log")
    lines = raised.value.message.splitlines()
    assert lines[0] == "the work failed (sh, exit code 2):"
    assert lines[1:3] == ["  In file included from a.c:1:", "  a.h:3:5: error: expected something"]
    assert str(tmp_path / "log") in raised.value.hint


def test_log_has_command_and_output(tmp_path: Path) -> None:
    lines: list[str] = []
    _sh("echo one; echo two >&2", tmp_path / "log", on_line=lines.append)
    assert sorted(lines) == ["one", "two"]
    text = (tmp_path / "log").read_text()
    assert text.startswith("$ sh -c") and "two" in text


def test_full_disk_is_no_build_error(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="disk became full") as raised:
        _sh("echo 'a.o: fatal error: No space left on device' >&2; exit 1", tmp_path / "log")
    assert not isinstance(raised.value, command.CommandFailed)


@pytest.mark.parametrize(
    "line", ["/bin/sh: 1: flex: not found", "make[1]: flex: No such file or directory"]
)
def test_missing_tool_is_named(line: str, tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="needs flex, which is not installed"):
        _sh(f"echo '{line}'; exit 2", tmp_path / "log")


def test_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="needs no-such-tool"):
        command.run(["no-such-tool"], tmp_path / "log", "the work")
    with pytest.raises(InfrastructureError, match="needs no-such-tool"):
        command.output(["no-such-tool"], "the work")


def test_interruption_ends_the_whole_group(tmp_path: Path) -> None:
    pids = tmp_path / "pids"

    def interrupt(_line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _sh(
            f"sleep 60 & echo $! $$ > {pids}; echo go; wait",
            tmp_path / "log",
            on_line=interrupt,
        )
    for pid in pids.read_text().split():
        for _ in range(50):
            try:
                os.kill(int(pid), 0)
            except ProcessLookupError:
                break
            if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                break
            time.sleep(0.1)
        else:
            os.kill(int(pid), signal.SIGKILL)
            pytest.fail(f"process {pid} lives on")


def test_output_shows_what_the_tool_said() -> None:
    with pytest.raises(command.CommandFailed, match="(?s)asking failed.*\n  no such thing"):
        command.output(["sh", "-c", "echo no such thing >&2; exit 3"], "asking")
