# SPDX-License-Identifier: GPL-2.0
"""Booting payloads and judging what they say."""

import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import boots
from qmp import Qmp
from verify import HEX, verify

HERE = pathlib.Path(__file__).resolve().parent
MACHINE_MIB = 1152
WORDS = "words for the kernel"  # flash.c
RESULT = re.compile(r"(not )?ok (\d+) ([a-z0-9_]+)(?: # (SKIP.*))?$")
LAST_LINES = 12
WAITING = 4  # times its processor time a boot may take by the clock
SIGXCPU = -signal.SIGXCPU  # timeout(1) ends by the signal that ended what it ran
TIMED_OUT = 124  # ... or with this, if it ended that itself


@dataclass
class Check:
    name: str
    ok: bool
    notes: list[str] = field(default_factory=list)


@dataclass
class Outcome:
    boot: boots.Boot
    checks: list[Check]
    seconds: float

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


@dataclass
class Paths:
    machine: pathlib.Path
    payloads: pathlib.Path
    qemu: list[str]
    timeout: int  # seconds of processor time


def _memory(boot: boots.Boot) -> list[str]:
    """QEMU's; what a guest has above 4 GiB begins there if what is below are whole GiB."""
    mib = MACHINE_MIB + boot.ram
    if not boot.high:
        return ["-m", str(mib)]
    below = (mib + 1023) // 1024 * 1024
    above = 2 * boot.high + (boot.ram + boot.high) // 64 + 1
    return ["-m", str(below + above), "-machine", f"max-ram-below-4g={below}M"]


def command(paths: Paths, boot: boots.Boot, folder: pathlib.Path) -> list[str]:
    """QEMU's command line, as the runner of real kernels has it."""
    cbit = boot.cbit or (0 if boot.personality == "none" else 51)
    options = [
        f"personality={boot.personality}",
        f"ram={boot.ram}",
        f"high={boot.high}",
        f"vcpus={boot.vcpus}",
        "payload",
    ]
    if cbit:
        options.append(f"cbit={cbit}")
    number = boots.PERSONALITIES.index(boot.personality)
    run_file = f"personality={number} cbit={cbit} vcpus={boot.vcpus} case={boot.case}"
    (folder / "run").write_text(run_file)
    payload = str(paths.payloads / f"{boot.payload}.bin").replace(",", ",,")
    files = [payload] * (2 if boot.initramfs else 1)
    if boot.firmware:
        files = [str(paths.payloads / "firmware.bin").replace(",", ",,"), f"{payload} {WORDS}"]
        files += [payload] * boot.initramfs
    return [
        *paths.qemu,
        *("-accel", "tcg,thread=single", "-machine", "pc", "-cpu", "max,phys-bits=52"),
        *("-smp", str(boot.vcpus), *_memory(boot), "-nodefaults"),
        *("-display", "none", "-no-reboot"),
        *("-chardev", f"file,id=stream,path={folder}/stream.log"),
        *("-device", "isa-debugcon,iobase=0x402,chardev=stream"),
        *("-chardev", f"file,id=log,path={folder}/machine.log"),
        *("-device", "isa-debugcon,iobase=0xe9,chardev=log"),
        *("-device", "pvpanic", "-action", "panic=pause"),
        *("-fw_cfg", f"name=opt/coco/run,file={folder}/run"),
        *("-kernel", str(paths.machine)),
        *("-append", " ".join([*options, *boot.options])),
        *("-initrd", ",".join(files)),
    ]


def spawn(argv: list[str], folder: pathlib.Path, timeout: int) -> subprocess.Popen[bytes]:
    """QEMU has so many seconds of processor time, which a busy host does not shorten.

    Under timeout(1), so that it ends even if it waits and this process is killed.
    """
    last_resort = str((WAITING + 1) * timeout)
    with open(folder / "qemu.log", "ab") as log:
        return subprocess.Popen(
            ["timeout", "--kill-after=5", last_resort, "prlimit", f"--cpu={timeout}:", *argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    """timeout(1) passes the signal on, and kills QEMU if that does not help."""
    process.terminate()
    process.wait()


def wait(process: subprocess.Popen[bytes], deadline: float) -> str | None:
    """None, or what is wrong with how QEMU ended."""
    try:
        status = process.wait(max(deadline - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired:
        stop(process)
        status = SIGXCPU
    if status in (SIGXCPU, TIMED_OUT):
        return "the payload hangs: QEMU killed"
    return f"QEMU ended with status {status}" if status else None


def snapshot_and_resume(argv: list[str], folder: pathlib.Path, timeout: int) -> str | None:
    """Run to the snapshot, save, go on; then the same again in a new process from the file."""
    state = folder / "state"
    deadline = time.monotonic() + WAITING * timeout
    sockets = [folder / "first.sock", folder / "second.sock"]
    first = spawn([*argv, "-qmp", f"unix:{sockets[0]},server=on,wait=off"], folder, timeout)
    try:
        qmp = Qmp(sockets[0], deadline)
        qmp.wait_for("guest-panicked", deadline)
        qmp.save(state, deadline)
        qmp.command("cont")
        qmp.close()
        problem = wait(first, deadline)
        if problem:
            return problem
    finally:
        stop(first)
    shutil.move(folder / "stream.log", folder / "stream.first")
    with open(folder / "run", "a", encoding="ascii") as run_file:
        run_file.write(" process=2")
    second = spawn(
        [
            *(*argv, "-qmp", f"unix:{sockets[1]},server=on,wait=off"),
            *("-fw_cfg", "name=opt/coco/resumed,string=1"),
            *("-incoming", f"exec:cat {shlex.quote(str(state))}"),
        ],
        folder,
        timeout,
    )
    try:
        qmp = Qmp(sockets[1], deadline)
        qmp.wait_while("inmigrate", deadline)
        qmp.command("cont")
        qmp.close()
        return wait(second, deadline)
    finally:
        stop(second)


def lines_of(folder: pathlib.Path) -> list[str]:
    text = b""
    for name in ("stream.first", "stream.log"):
        if (folder / name).exists():
            text += (folder / name).read_bytes()
    return text.decode("utf-8", "replace").splitlines()


def payload_checks(lines: list[str]) -> tuple[list[Check], bool]:
    """The payload's result lines, and whether they end in the whole plan."""
    checks: list[Check] = []
    notes: list[str] = []
    last = "0"
    complete = False
    for line in lines:
        if HEX.match(line):
            continue
        text = line.removeprefix("t|")
        result = RESULT.match(text) if line.startswith("t|") else None
        if result:
            last = result[2]
            complete = False
            checks.append(Check(result[3], not result[1], notes if result[1] else []))
            notes = []
        elif line.startswith("t|1.."):
            complete = text == f"1..{last}"
        elif line.startswith("t|# ") or line.startswith("m|breach"):
            notes.append(text.removeprefix("# "))
    return checks, complete


def judge(boot: boots.Boot, folder: pathlib.Path, problem: str | None) -> list[Check]:
    lines = lines_of(folder)
    checks, complete = payload_checks(lines)
    for claim, holds, said in verify(boot.payload, lines, folder):
        checks.append(Check(claim, holds, [] if holds else said.splitlines()))
    names = [check.name for check in checks]
    for name in sorted({name for name in names if names.count(name) > 1}):
        checks.append(Check(name, False, ["two checks have this name"]))
    notes = [problem] if problem else []
    for pattern in boot.stream:
        if not any(re.search(pattern, line) for line in lines):
            notes.append(f"no line of the stream matches {pattern}")
    for pattern in boot.absent:
        notes += [f"unwanted: {line}" for line in lines if re.search(pattern, line)]
    if boot.plan and not complete:
        notes.append("the payload did not come to its plan")
    if notes:
        notes += [f"  {line}" for line in lines[-LAST_LINES:]]
        for log in ("machine.log", "qemu.log"):
            if (folder / log).exists():
                tail = (folder / log).read_text("utf-8", "replace").splitlines()[-LAST_LINES:]
                notes += [f"  {log}: {line}" for line in tail]
    checks.append(Check(boot.ends, not notes, notes))
    return checks


def boot_once(paths: Paths, boot: boots.Boot, keep: pathlib.Path | None) -> Outcome:
    start = time.monotonic()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="coco-machine-"))
    try:
        argv = command(paths, boot, folder)
        (folder / "command").write_text(shlex.join(argv) + "\n")
        problem: str | None
        if "snapshot" in boot.options:
            try:
                problem = snapshot_and_resume(argv, folder, paths.timeout)
            except (OSError, TimeoutError, RuntimeError, ValueError) as error:
                problem = f"snapshot: {error}"
        else:
            process = spawn(argv, folder, paths.timeout)
            problem = wait(process, start + WAITING * paths.timeout)
        checks = judge(boot, folder, problem)
        return Outcome(boot, checks, time.monotonic() - start)
    finally:
        if keep:
            shutil.copytree(folder, keep / boot.name, dirs_exist_ok=True, copy_function=copy_plain)
        shutil.rmtree(folder, ignore_errors=True)


def copy_plain(source: str, target: str) -> None:
    if pathlib.Path(source).is_file():
        shutil.copy2(source, target)


def report(outcomes: list[Outcome], out: Callable[[str], None]) -> None:
    out("KTAP version 1")
    out(f"1..{len(outcomes)}")
    for number, outcome in enumerate(outcomes, 1):
        out("    KTAP version 1")
        out(f"    # Subtest: {outcome.boot.name}")
        out(f"    1..{len(outcome.checks)}")
        for index, check in enumerate(outcome.checks, 1):
            for note in check.notes:
                out(f"    # {note}")
            out(f"    {'ok' if check.ok else 'not ok'} {index} {check.name}")
        out(f"{'ok' if outcome.ok else 'not ok'} {number} {outcome.boot.name}")


def build(out: pathlib.Path, source: pathlib.Path) -> None:
    for folder, target in ((source, "machine"), (HERE, "payloads")):
        make = ["make", "-s", "-C", str(folder), f"O={out / target}"]
        done = subprocess.run(make, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.stderr.write(done.stdout + done.stderr)
            raise SystemExit(3)
