# SPDX-License-Identifier: GPL-2.0
"""The archive for real guests: what is in it, and what its awk makes of a guest's words."""

import datetime
import io
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ENDS_BY_SIGNALS, wait_for
from test_splat import LINES, NO_SPLATS

from coco import expect, parts, results, tarball
from coco.expect import Case, Expectations, Known, Setting, Suite

GUEST = parts.REPOSITORY / "guest"

WRITTEN = Expectations(
    {
        "boot": Suite("boot", "boot", "x", (Case("reaches_init"),)),
        "vc": Suite(
            "vc",
            "kunit",
            "x",
            (
                Case("passes"),
                Case("fails"),
                Case("table"),
                Case("ends", fatal=True),
                Case("warns", tolerates=("bug", "warning in x|y")),
                Case("oopses"),
                Case("dies"),
                Case("dies_otherwise"),
                Case("absent"),
                Case("old"),
                Case("elsewhere", personalities=("tdx",)),
            ),
            modprobe=("sev-guest", "msr"),
        ),
        "own": Suite("own", "kunit", "x", (Case("a"),), setting=Setting(ram=1024)),
        "user": Suite(
            "user", "selftest", "x", (Case("opens"), Case("in"), Case("two", needs=("smp",)))
        ),
        "keys": Suite("keys", "selftest", "x", (Case("a"),), model_only="it uses up the keys"),
        "start": Suite("start", "start", "x", (Case("comes_up"),)),
        "late": Suite("late", "selftest", "x", (Case("never"),)),
    },
    (
        Known("vc.table.word", ("assertion",), "no fix known", datetime.date(9999, 1, 1)),
        Known("vc.old", ("assertion",), "was fixed", datetime.date(2020, 1, 1)),
        Known("vc.fails", ("assertion",), "x", datetime.date(9999, 1, 1), first=(6, 13)),
        Known("vc.fails", ("assertion",), "x", datetime.date(9999, 1, 1), last=(6, 11)),
        Known("vc.oopses", ("hang", "splat"), "x", datetime.date(9999, 1, 1)),
        Known("vc.dies", ("hang", "oops"), "x", datetime.date(9999, 1, 1), shows="^VE|fault: 0+ "),
        Known("vc.dies_otherwise", ("oops",), "x", datetime.date(9999, 1, 1), shows="#[1-2].*x.c"),
    ),
)

FACTS = """technology=sev-snp
machine=no
release=6.12.0-5-amd64
version=Linux version 6.12.0-5-amd64 (gcc 12.2.0) #1 Debian 6.12.30-1
system=Debian "12"
started=2026-11-28T12:00:00+01:00
suite_version=v1
expect=
"""

LOG = """n|a remark
i|begin vc
k|[    1.0] KTAP version 1
k|[    1.0] 1..1
k|[    1.0]     KTAP version 1
k|[    1.0]     # Subtest: vc
k|[    1.0]     1..8
k|[    1.1]     # begin vc.passes
k|[    1.1]     ok 1 passes
k|[    1.2]     # fails: EXPECTATION FAILED at kunit/x.c:1
k|[    1.2]     Expected a == b, but
k|[    1.2]         a == 1 "\\ (0x1)
k|[    1.3]     not ok 2 fails
k|[    1.3]         KTAP version 1
k|[    1.3]         # Subtest: table
k|[    1.3]         1..2
k|[    1.3]         ok 1 byte
k|[    1.3]         not ok 2 word
k|[    1.3]     not ok 3 table
k|[    1.3] WARNING: CPU: 0 PID: 1 at x.c:1 x.cold+0x1/0x2
k|[    1.3]     ok 4 warns
k|[    1.3] Oops: 0002 [#1]
k|[    1.3]     ok 5 oopses
k|[    1.3] VE fault: 0000 [#2] PREEMPT SMP
k|[    1.3]     ok 6 dies
k|[    1.3] VE fault: 0000 [#2] PREEMPT SMP
k|[    1.3] WARNING: CPU: 0 PID: 1 at x.c:1 x+0x1/0x2
k|[    1.3]     ok 7 dies_otherwise
k|[    1.3]     not ok 8 - old
k|[    1.3] not ok 1 vc
i|end vc rc=0
i|begin vc filter=vc.passes
k|[    1.9]     # Subtest: vc
k|[    1.9]     ok 1 passes # SKIP not selected
k|[    1.9] ok 1 vc # SKIP
i|end vc rc=0
i|skip own : its guest must be started in a way of its own
i|skip keys : it uses up the keys
i|begin user
t|KTAP version 1
t|1..2
t|ok 1 opens # SKIP is about tdx
t|# in.byte: x.c:33: expected rax (0) == due (90)
t|not ok 2 in.byte
i|end user rc=1
i|begin late
i|end late rc=124
"""


@pytest.fixture(params=["mawk", "gawk --posix", "busybox awk"])
def awk(request: pytest.FixtureRequest) -> list[str]:
    """Every awk that a guest may have."""
    words: list[str] = request.param.split()
    if not shutil.which(words[0]):
        pytest.skip(f"{words[0]} is not installed")
    return words


def judge(awk: list[str], folder: Path, facts: str = FACTS, log: str = LOG) -> tuple[int, Any]:
    for name, text in {"plan": tarball.plan(WRITTEN), "facts": facts, "log": log}.items():
        (folder / name).write_text(text, encoding="utf-8")
    out = folder / "out.json"
    argv = [*awk, "-v", f"json={out}", "-f", str(GUEST / "result.awk")]
    argv += [str(folder / name) for name in ("plan", "facts", "log")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    document = json.loads(out.read_text(encoding="utf-8"))
    assert results.invalid(document) == ""
    return done.returncode, document


def test_awk_judges_each_case(awk: list[str], tmp_path: Path) -> None:
    status, document = judge(awk, tmp_path)
    run = document["runs"][0]
    found = {case["id"]: f"{case['status']} {case['verdict']}" for case in run["cases"]}
    assert found == {
        "vc.passes": "pass ok",
        "vc.fails": "fail finding",
        "vc.table.byte": "pass ok",
        "vc.table.word": "fail known",
        "vc.warns": "pass ok",
        "vc.oopses": "fail finding",
        "vc.dies": "fail known",
        "vc.dies_otherwise": "fail finding",
        "vc.old": "fail finding",
        "vc.absent": "miss finding",
        "vc.ends": "skip ok",
        "own.a": "skip ok",
        "user.opens": "skip ok",
        "user.in.byte": "fail finding",
        "user.two": "skip ok",
        "late.never": "miss finding",
        "keys.a": "skip ok",
    }
    assert status == 1 and document["verdict"]["exit"] == 1
    assert [(one["suite"], one["kind"]) for one in run["problems"]] == [("late", "timeout")]
    cases = {case["id"]: case for case in run["cases"]}
    assert cases["vc.fails"]["message"] == "Expected a == b, but"
    assert cases["vc.fails"]["diagnostics"][-1] == 'a == 1 "\\ (0x1)'
    assert cases["vc.oopses"]["cause"] == "oops"
    assert cases["vc.oopses"]["note"] == "the baseline lists it, but as hang or splat"
    assert cases["vc.dies_otherwise"]["note"] == "the baseline lists it, but with: #[1-2].*x.c"
    assert cases["vc.old"]["note"] == "the baseline entry expired on 2020-01-01"
    assert cases["user.opens"]["message"] == "is about tdx"
    assert document["kernel"]["name"] == 'Debian "12" 6.12.0-5-amd64'
    assert run["summary"]["finding"] == 7 and run["summary"]["known"] == 2


SPLATS = """i|begin vc
k|[    1.0]     # Subtest: vc
k|[    1.1]     ok 1 passes
k|[    1.1] WARNING: CPU: 0 PID: 1 at x.c:1 x+0x1/0x2
k|[    1.2]     ok 2 table # SKIP not selected
k|[    1.2] BUG: at the end of the module
k|[    1.2] ok 1 vc
i|end vc rc=0
i|begin vc
k|[    2.0]     # Subtest: vc
k|[    2.1]     ok 1 warns
k|[    2.1] WARNING: CPU: 0 PID: 1 at x.c:1 y.part.0+0x1/0x2
k|[    2.2] ok 1 vc
i|end vc rc=0
i|begin vc
k|[    3.1] WARNING: CPU: 0 PID: 1 at x.c:1 nobody+0x1/0x2
i|end vc rc=0
i|begin user
t|KTAP version 1
t|1..2
t|# RUN           opens ...
t|ok 1 opens
t|# RUN           in.byte ...
t|ok 2 in.byte
k|[    4.0] WARNING: CPU: 0 PID: 1 at x.c:1 before_any+0x1/0x2
k|[    4.0] coco: running opens
k|[    4.1] coco: running in.byte
k|[    4.1] Oops: 0002 [#1]
k|[    4.1] WARNING: CPU: 0 PID: 1 at x.c:1 x+0x1/0x2
k|[    4.2] coco: running unheard
k|[    4.2] UBSAN: of a case without a result
i|end user rc=0
i|problem coco cannot-load : coco.ko cannot be loaded
"""
SPLAT_ENDS = {
    "vc.passes": ("fail", "splat"),
    "vc.warns": ("pass", ""),
    "user.opens": ("pass", ""),
    "user.in.byte": ("fail", "oops"),
}


def test_awk_gives_a_splat_to_its_case_or_makes_it_a_problem(
    awk: list[str], tmp_path: Path
) -> None:
    _, document = judge(awk, tmp_path, log=SPLATS)
    run = document["runs"][0]
    cases = {case["id"]: case for case in run["cases"]}
    ends = {name: (cases[name]["status"], cases[name]["cause"]) for name in SPLAT_ENDS}
    assert ends == SPLAT_ENDS
    kinds = {name: [text.split(":")[0] for text in case["splats"]] for name, case in cases.items()}
    assert kinds["vc.passes"] == ["warning", "bug"]
    assert kinds["user.in.byte"] == ["oops", "warning"]
    assert cases["vc.warns"]["splats"] and not cases["user.opens"]["splats"]
    told = [(one["suite"], one["kind"], one["text"].split()[-1]) for one in run["problems"]]
    assert told == [
        ("vc", "splat", "nobody+0x1/0x2"),
        ("user", "splat", "result"),
        ("user", "splat", "before_any+0x1/0x2"),
        ("coco", "cannot-load", "loaded"),
    ]


def test_awk_knows_the_kinds_of_splats_that_we_know(awk: list[str], tmp_path: Path) -> None:
    told = [(kind, line) for kind, lines in LINES.items() for line in lines]
    lines = [line for _, line in told]
    lines += [line for line in NO_SPLATS if not line.startswith("ok ")]
    log = "".join(f"k|[    1.0] {line}\n" for line in lines)
    _, document = judge(awk, tmp_path, log=f"i|begin vc\n{log}i|end vc rc=0\n")
    problems = [one for one in document["runs"][0]["problems"] if one["kind"] == "splat"]
    found = [line.split(": ", 1) for one in problems for line in one["text"].splitlines()]
    assert [tuple(words) for words in found] == told


def test_awk_takes_the_version_from_the_banner(awk: list[str], tmp_path: Path) -> None:
    """Debian's 6.12.0-5 is 6.12.30: an entry up to 6.12.20 does not cover it."""
    old = FACTS.replace("6.12.0-5", "6.11.0-5").replace("6.12.30", "6.11.3")
    _, document = judge(awk, tmp_path, old)
    cases = {case["id"]: case["verdict"] for case in document["runs"][0]["cases"]}
    assert cases["vc.fails"] == "known"


def test_awk_of_another_technology_than_expected_is_a_finding(
    awk: list[str], tmp_path: Path
) -> None:
    facts = FACTS.replace("expect=", "expect=tdx")
    clean = "i|skip vc : x\ni|skip own : x\ni|skip keys : x\ni|skip user : x\ni|skip late : x\n"
    assert judge(awk, tmp_path, facts, clean)[0] == 1
    assert judge(awk, tmp_path, FACTS, clean)[0] == 77


def test_plan_has_every_suite_and_says_what_never_runs() -> None:
    lines = [line.split("\t") for line in tarball.plan(WRITTEN).splitlines()]
    suites = {words[1]: words for words in lines if words[0] == "suite"}
    assert set(suites) == {"vc", "own", "user", "keys", "late"}
    assert suites["keys"][5] == "it uses up the keys"
    assert suites["vc"][4] == "sev-guest,msr"
    assert suites["own"][5] == "its guest must be started in a way of its own"
    assert {len(words) for words in suites.values()} == {6}


def test_archive_is_the_same_every_time_and_complete(tmp_path: Path) -> None:
    for name in ("guest_facts", "vc_user", "init"):
        (tmp_path / name).write_bytes(b"program")
        (tmp_path / name).chmod(0o755)
    files = tarball.contents("v1", tmp_path)
    packed = tarball.pack("coco-guest", files)
    assert packed == tarball.pack("coco-guest", dict(reversed(files.items())))
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        names = archive.getnames()
        assert archive.getmember("coco-guest/run-guest").mode == 0o755
    for name in ("plan", "result.awk", "README", "selftests/vc_user", "src/Kbuild"):
        assert f"coco-guest/{name}" in names
    assert "coco-guest/src/machine/include/coco_abi.h" in names
    assert "coco-guest/selftests/init" not in names


# Overrides, panics, and code of the kernel that is jumped to; words that script the host, and
# those that skip without one
HARMS = re.compile(r"lib/(override|panic)\.h|STACK_FRAME_NON_STANDARD")
SCRIPTS = re.compile(r"coco_(rule_add|inject|page_set|host_write)\(|begin_scripted\(|v[ce]_run")
SKIPS = re.compile(r"COCO_NEEDS_MACHINE\(|need_(es_and_machine|tdx_and_machine|unaccepted)\(")


def test_modules_that_could_harm_a_guest_carry_the_mark() -> None:
    for path in sorted((parts.REPOSITORY / "kunit").glob("coco_*.c")):
        text = path.read_text(encoding="utf-8")
        if "_hostile" in path.name or HARMS.search(text):
            assert "COCO_INJECTS_FAULTS;" in text, path
        if SCRIPTS.search(text):
            assert SKIPS.search(text), path


# ---- run-guest, as far as it goes on this host: it loads nothing here ----
@pytest.fixture
def unpacked() -> Iterator[Path]:
    """Where another user may go, too: each pytest that starts bars others from all of tmp_path."""
    with tempfile.TemporaryDirectory(prefix="coco-guest-") as name:
        folder = Path(name)
        for name in ("run-guest", "result.awk"):
            shutil.copy(GUEST / name, folder)
        (folder / "plan").write_text(tarball.plan(WRITTEN), encoding="utf-8")
        (folder / "VERSION").write_text("v1\n", encoding="utf-8")
        (folder / "selftests").mkdir()
        program(folder / "selftests/guest_facts", "echo technology=none\necho machine=no")
        yield folder


def start_guest(folder: Path, *words: str) -> subprocess.Popen[str]:
    argv = [str(folder / "run-guest"), *words]
    if os.geteuid() == 0:  # not even a driver
        argv = ["setpriv", "--reuid=65534", "--clear-groups", "--", *argv]
    argv = [*ENDS_BY_SIGNALS, *argv]
    folder.chmod(0o777)
    (folder / "tmp").mkdir(exist_ok=True)
    (folder / "tmp").chmod(0o777)
    where = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "TMPDIR": str(folder / "tmp")}
    return subprocess.Popen(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env={**os.environ, **where},
    )


def run_guest(folder: Path, *words: str) -> tuple[int, str]:
    guest = start_guest(folder, *words)
    return guest.wait(), guest.communicate()[0]


def program(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def confidential(unpacked: Path) -> Path:
    """An SEV-SNP guest by its own word."""
    program(unpacked / "selftests/guest_facts", "echo technology=sev-snp\necho machine=yes")
    return unpacked


def test_run_guest_outside_of_any_technology(unpacked: Path) -> None:
    status, text = run_guest(unpacked, "--results", "out")
    assert status == 77, text
    assert "NOTHING APPLICABLE" in text
    found = results.read(unpacked / "out")
    assert {case["message"] for case in found["runs"][0]["cases"]} == {"no SEV or TDX here"}


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (["--help"], 0, "usage: run-guest"),
        (["--expect"], 2, "needs a value"),
        (["--expect", "snp"], 2, "sev-snp"),
        (["--suite", "cv"], 2, "no suite cv"),
        (["--modules", "/nonexistent"], 2, "is no folder"),
        (["--platform"], 2, "unknown option"),
        (["--results", "/proc/x"], 3, "cannot make"),
        (["--expect", "tdx", "--results", "out"], 1, "expected tdx, this is none"),
    ],
)
def test_run_guest_words(unpacked: Path, words: list[str], status: int, text: str) -> None:
    found = run_guest(unpacked, *words)
    assert found[0] == status and text in found[1], found


def test_expectations_that_are_written_down_make_a_plan() -> None:
    lines = tarball.plan(expect.load(expect.EXPECTATIONS)).splitlines()
    assert len([line for line in lines if line.startswith("case\t")]) > 100


# ---- what may go wrong while it runs ----
@pytest.mark.parametrize("name", ["facts", "stream.log"])
def test_run_guest_that_cannot_write_its_results_could_not_run(unpacked: Path, name: str) -> None:
    (unpacked / "out").mkdir(mode=0o777)
    (unpacked / "out").chmod(0o777)
    (unpacked / "out" / name).symlink_to("/dev/full")
    # A program of C does not look whether its words arrive
    program(unpacked / "selftests/guest_facts", "{ echo technology=none; } 2>/dev/null; true")
    status, text = run_guest(unpacked, "--results", "out")
    assert status == 3, text
    assert f"out/{name} is not complete" in text
    assert not (unpacked / "out/result.json").exists()


@pytest.mark.parametrize(
    "ending",
    ["exit 2", "exit 0", 'head -n 3 "$json" >"$json.part"; mv "$json.part" "$json"; exit 77'],
)
def test_run_guest_without_a_whole_result_could_not_run(unpacked: Path, ending: str) -> None:
    judging = 'case "$*" in *result.awk*) ;; *) exec /usr/bin/awk "$@" ;; esac'
    json = f'json={unpacked}/out/result.json\n/usr/bin/awk "$@" >/dev/null'
    program(unpacked / "bin/awk", f"{judging}\n{json if 'json' in ending else ''}\n{ending}")
    status, text = run_guest(unpacked, "--results", "out")
    assert status == 3, text
    assert "result.json is not complete" in text
    assert not (unpacked / "out/result.json").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGPIPE])
def test_run_guest_cleans_up_whatever_ends_it(confidential: Path, number: signal.Signals) -> None:
    program(confidential / "selftests/user", f"touch {confidential}/tmp/began; exec sleep 60")
    guest = start_guest(confidential, "--suite", "user", "--no-modules")
    wait_for((confidential / "tmp/began").exists)
    guest.send_signal(number)
    assert guest.wait(20) == 130, guest.communicate()[0]
    assert [path.name for path in (confidential / "tmp").iterdir()] == ["began"]
