# SPDX-License-Identifier: GPL-2.0
"""The command line as a user meets it: messages, hints and exit codes."""

import ast
import importlib
import inspect
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from coco import cli, errors

REPOSITORY = Path(__file__).resolve().parents[2]
COCO = REPOSITORY / "scripts/coco"


def run(*argv: object, **environment: str) -> tuple[int, str]:
    """Exit code, and all that was printed."""
    base = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    if "COCO_CACHE" in os.environ:
        base["COCO_CACHE"] = os.environ["COCO_CACHE"]
    done = subprocess.run(
        [str(word) for word in argv],
        cwd=REPOSITORY,
        env=base | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "usage: coco <command>"),
        (["help"], 0, "exit codes:"),
        (["help", "check"], 0, "usage: coco check "),
        (["help", "chekc"], 2, "did you mean check?"),
        (["--version"], 0, "coco-guest-tests "),
        (["--help"], 0, "COCO_CACHE"),
        (["check", "--help"], 0, "PERSONALITY=<name>[,<name>]"),
        (["deps", "--help"], 0, "usage: coco deps [--check]"),
        (["deps", "everything"], 2, "unknown word everything\nusage: coco deps"),
        (["chekc"], 2, "did you mean check?"),
        (["check", "PLATFROM=tdx"], 2, "unknown variable PLATFROM\n  did you mean PERSONALITY?"),
        (["check", "KRENEL=x"], 2, "did you mean KERNEL?"),
        (["check", "kernel=x"], 2, "did you mean KERNEL?"),
        (["check", "NAME=x"], 2, "check does not take NAME="),
        (["check", "PERSONALITY=snp"], 2, "unknown personality 'snp'\n  did you mean sev-snp?"),
        (["check", "TIER=smok"], 2, "did you mean smoke?"),
        (["check", "SUITE=tecnology"], 2, "no suite 'tecnology'\n  did you mean technology?"),
        (["check", "CASE=boot.reach_init"], 2, "did you mean boot.reaches_init?"),
        (["check", "VCPUS=0"], 2, "VCPUS=0: '0' is no number from 1 to 8"),
        (["check", "VCPUS=two"], 2, "no number from 1 to 8"),
        (["check", "RAM=8192"], 2, "no number from 128 to 5120"),
        (["check", "PATIENCE=0"], 2, "no factor above 0"),
        (["check", "GDB=1", "JOBS=x"], 2, "JOBS=x"),
        (["check", "QEMU=/nonexistent"], 2, "no such program"),
        (["check", "QEMU='x"], 2, "QEMU='x: No closing quotation"),
        (["check", "QEMU=/bin/true"], 3, "does not say its version"),
        (["check", "KDIR=/nonexistent"], 2, "/nonexistent"),
        (["check", "KDIR=/nonexistent", "FIRMWARE=/none"], 2, "FIRMWARE=/none is no file"),
        (["qualify", "KDIR=/nonexistent", "MODULES=/none"], 2, "MODULES=/none is no folder"),
        (["check", "KERNEL=a", "KDIR=b"], 2, "two kernels"),
        (["check", "stray"], 2, "arguments: stray\n  see: scripts/coco check --help"),
        (["check", "--kernel"], 2, "see: scripts/coco check --help"),
        (["quickstart", "PERSONALITY=snp"], 2, "did you mean sev-snp?"),
        (["report", "RESULTS=/nonexistent"], 2, "/nonexistent"),
        (["catalogue", "KDIR=/nonexistent"], 2, "KDIR=/nonexistent: no such folder"),
        (["catalogue", "KDIR=/usr"], 2, "KDIR=/usr is no kernel tree"),
        (["tarball", "HEADERS=/usr"], 2, "HEADERS= belongs to a kernel, and none is named"),
        (["tarball", "CONFIG=/nonexistent"], 2, "CONFIG= belongs to a kernel"),
        (["new-test"], 2, "NAME="),
        (["new-test", "NAME=x"], 2, "of 2 to 31 letters"),
    ],
)
def test_wrong_usage_says_what_is_wrong_and_what_to_do(
    words: list[str], code: int, said: str
) -> None:
    status, text = run(COCO, *words)
    assert said in text
    assert status == code
    assert "Traceback" not in text


@pytest.mark.parametrize("verb", cli.VERBS, ids=lambda verb: verb.name)
def test_every_command_has_its_function(verb: cli.Verb) -> None:
    module, _, name = verb.run.partition(":")
    function = getattr(importlib.import_module(module), name)
    assert len(inspect.signature(function).parameters) == 3


def test_help_of_quickstart_installs_and_downloads_nothing() -> None:
    status, text = run(COCO, "quickstart", "--help")
    assert (status, text.partition("\n")[0]) == (0, "usage: coco quickstart [NAME=VALUE ...]")
    assert "KDIR=<tree>" in text


def test_hints_call_this_program_as_it_is_started() -> None:
    """A checkout has no coco in the PATH: parts.program()."""
    literal = re.compile(rf"(?<!scripts/)\bcoco ({'|'.join(verb.name for verb in cli.VERBS)})\b")
    for path in sorted((REPOSITORY / "scripts/lib/coco").rglob("*.py")):
        tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        calls = [node for node in tree if isinstance(node, ast.Call)]
        texts = [one for call in calls for one in ast.walk(call) if isinstance(one, ast.Constant)]
        assert [text.value for text in texts if literal.search(str(text.value))] == [], path


def test_too_old_qemu_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "qemu"
    old.write_text("#!/bin/sh\necho QEMU emulator version 6.2.0\n")
    old.chmod(0o755)
    status, text = run(COCO, "check", f"QEMU={old}")
    assert status == 3
    assert "is QEMU 6.2; the machine needs 7.2" in text


def test_missing_qemu_names_the_remedy(tmp_path: Path) -> None:
    for tool in ("sh", "readlink", "dirname", "env"):
        (tmp_path / tool).symlink_to(f"/usr/bin/{tool}")
    status, text = run(COCO, "check", PATH=str(tmp_path))
    assert status == 3
    assert "qemu-system-x86_64 is not installed\n  run: scripts/coco deps" in text


def test_environment_gives_nothing_but_coco_variables() -> None:
    status, text = run(COCO, "check", "QEMU=/nonexistent", PERSONALITY="bogus", KDIR="/bogus")
    assert (status, "bogus" in text) == (2, False)
    assert "QEMU=/nonexistent: no such program" in text
    status, text = run(COCO, "check", COCO_PERSONALITY="bogus")
    assert (status, "unknown personality 'bogus'" in text) == (2, True)
    status, text = run(COCO, "check", COCO_PERSONALTY="tdx")
    assert status == 2
    assert "did you mean COCO_PERSONALITY?" in text


def test_kernel_on_the_command_line_replaces_the_environments() -> None:
    status, text = run(COCO, "check", "KDIR=/nonexistent", COCO_KERNEL="debian:6.12")
    assert (status, text.partition("\n")[0]) == (2, "coco: KDIR=/nonexistent: no such folder")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check", "PLATFROM=tdx"], "did you mean PERSONALITY?"),
        (["check", "V=1"], "unknown variable V"),
        (["lint", "NAME=it's"], "lint does not take NAME="),
        (["check", "PERSONALITY=a;b'$(c)"], """unknown personality "a;b'$(c)\""""),
    ],
)
def test_make_refuses_what_coco_refuses(words: list[str], said: str) -> None:
    status, text = run("make", *words)
    assert status == 2
    assert said in text


def test_make_takes_nothing_from_the_environment() -> None:
    status, text = run("make", "report", "RESULTS=/nonexistent", NAME="x", PLATFROM="x")
    assert status == 2
    assert text.startswith("coco: /nonexistent: No such file or directory\n")


def test_make_alone_is_help() -> None:
    status, text = run("make")
    assert status == 0
    assert "usage: coco <command>" in text


def test_python_without_its_modules_names_the_remedy(tmp_path: Path) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(REPOSITORY / 'scripts/lib')!r});"
        "sys.modules['yaml'] = None; import runpy; runpy.run_module('coco', run_name='__main__')"
    )
    status, text = run("/usr/bin/python3", "-c", program)
    assert status == 3
    assert "python3 has no module yaml\n  run as root: scripts/coco deps" in text


def test_bug_of_ours_is_not_taken_for_a_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run_badly(*_given: object) -> int:
        raise ValueError("what?")

    monkeypatch.setattr(cli, "_run", run_badly)
    assert cli.main(["check"]) == errors.INFRASTRUCTURE
    said = capsys.readouterr().err
    assert "a bug of coco itself: ValueError: what?" in said and "Traceback" in said


def test_nohup_is_respected() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert cli.main(["help"]) == errors.OK
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    "words",
    [("BISECT=1",), ("--bisect", "FIX=all"), ("BISECT=1", "FIXX=a"), ("BISECT=yes", "FIX=all")],
)
def test_bisection_ends_where_nothing_can_be_told_of_a_commit(words: tuple[str, ...]) -> None:
    """git bisect takes nearly every exit code for "bad"."""
    assert run(COCO, "prove", *words)[0] == errors.BISECT_ABORT


@pytest.mark.parametrize(
    ("code", "told"), [(0, 0), (1, 1), (2, 128), (3, 128), (77, 128), (125, 125), (130, 130)]
)
def test_exit_codes_of_a_bisection(code: int, told: int) -> None:
    assert errors.for_bisect(code) == told
