# SPDX-License-Identifier: GPL-2.0
"""QEMU's command line, its end, and its monitor."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import TESTS, fake_qemu, wait_for

from coco import qemu, qmp
from coco.coverage import trace

QEMU = qemu.Qemu(("qemu",), "7.2.0")
GUEST = qemu.Guest(Path("k"), Path("i"), Path("m"), personality="sev-snp", vcpus=2)


def after(option: str, argv: list[str]) -> list[str]:
    return [value for word, value in zip(argv, argv[1:]) if word == option]


def test_machine_has_room_for_both_views_of_memory() -> None:
    argv = qemu.command(QEMU, GUEST)
    assert after("-m", argv) == ["1664"]
    assert after("-append", argv) == ["personality=sev-snp ram=512 vcpus=2"]
    assert after("-smp", argv) == ["2"]
    assert after("-cpu", argv) == ["max,phys-bits=52"]


@pytest.mark.parametrize(
    ("ram", "options", "below", "whole"),
    [
        (1026, "ram=1024 high=2", "3072M", 3072 + 2 * 2 + 17),
        (2048, "ram=1024 high=1024", "3072M", 3072 + 2 * 1024 + 33),
        (qemu.LARGEST_RAM, "ram=1024 high=4096", "3072M", 3072 + 2 * 4096 + 81),
    ],
)
def test_what_exceeds_1_gib_lies_above_4_gib(
    ram: int, options: str, below: str, whole: int
) -> None:
    argv = qemu.command(QEMU, replace(GUEST, ram=ram))
    words = after("-append", argv)[0].split()
    assert set(options.split()) < set(words)
    assert f"max-ram-below-4g={below}" in after("-machine", argv)
    assert after("-m", argv) == [str(whole)]


def test_commas_of_the_command_line_are_doubled() -> None:
    guest = qemu.Guest(Path("k"), Path("i"), Path("m"), cmdline="swiotlb=512,force")
    initrd = after("-initrd", qemu.command(QEMU, guest))[0]
    assert initrd.startswith("kernel console=ttyS0 quiet ")
    assert initrd.endswith(" swiotlb=512,,force,initramfs")


def test_plain_guest_has_no_machine_and_no_broken_instruction() -> None:
    argv = qemu.command(QEMU, qemu.Guest(Path("k"), Path("i"), None))
    assert after("-kernel", argv) == ["kernel"]
    assert after("-cpu", argv) == ["max,-cx16"]
    assert "pvpanic" not in argv


def test_restored_guest_says_so() -> None:
    argv = qemu.command(QEMU, GUEST, resume=Path("/a b/c,d"))
    assert after("-incoming", argv) == ["exec:exec cat '/a b/c,d/state'"]
    memory = after("-object", argv)[0]
    assert f"size={1664 << 20},mem-path=/a b/c,,d/ram,share=off" in memory
    assert "name=opt/coco/resumed,string=1" in argv
    assert "-kernel" not in argv, "it is in memory"
    assert "-S" in argv, "else it could be over before it is asked"


def test_debugger_stops_the_guest_at_its_start() -> None:
    argv = qemu.command(QEMU, qemu.Guest(Path("k"), Path("i"), Path("m"), gdb="tcp::1"))
    assert argv[-3:] == ["-gdb", "tcp::1", "-S"]


@pytest.mark.parametrize("words", [trace.ONCE, trace.EACH_TIME])
def test_what_is_executed_is_logged_as_asked(words: str) -> None:
    guest = qemu.Guest(Path("k"), Path("i"), Path("m"), trace="0x10+0x20", trace_words=words)
    argv = qemu.command(QEMU, guest)
    assert after("-d", argv) == [words]
    assert after("-dfilter", argv) == ["0x10+0x20"]
    assert "-d" not in qemu.command(QEMU, GUEST)


def test_blanks_in_the_folder_do_no_harm(tmp_path: Path) -> None:
    folder = tmp_path / "a b,c"
    folder.mkdir()
    (folder / "run").write_text("exit\n")
    (folder / "file").touch()
    program = qemu.find(fake_qemu(tmp_path, {"suites": {}}))
    guest = qemu.Guest(folder / "file", folder / "file", folder / "file")
    with qemu.Process(program, guest, folder) as process:
        assert process.wait(10) == 0
    assert "i|done" in (folder / qemu.STREAM).read_text()


KILLED = """
import sys, time
sys.path[:0] = [{lib!r}]
from pathlib import Path
from coco import qemu
folder = Path({folder!r})
guest = qemu.Guest(folder / "file", folder / "file", folder / "file")
process = qemu.Process(qemu.find({words!r}), guest, folder)
print(process.pid, flush=True)
time.sleep(60)
"""


def test_killed_runner_takes_its_qemu_along(tmp_path: Path) -> None:
    words = fake_qemu(tmp_path, {"suites": {}, "boot": "hang"})
    (tmp_path / "run").write_text("exit\n")
    (tmp_path / "file").touch()
    text = KILLED.format(lib=str(TESTS.parent / "lib"), folder=str(tmp_path), words=words)
    argv = [sys.executable, "-c", text]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout
        pid = int(runner.stdout.readline())
        wait_for((tmp_path / qemu.STREAM).exists)  # setpriv has become the fake
        os.kill(runner.pid, signal.SIGKILL)
    wait_for(lambda: not os.path.exists(f"/proc/{pid}"))


# ---- the monitor ----
def talk(lines: list[bytes]) -> qmp.Qmp:
    """A monitor whose other side says these lines, whatever it is asked."""
    ours, theirs = socket.socketpair()

    def say() -> None:
        with theirs:
            for line in lines:
                theirs.sendall(line)
            while theirs.recv(4096):
                pass

    threading.Thread(target=say, daemon=True).start()
    return qmp.Qmp(ours)


GREETING = b'{"QMP": {}}\n{"return": {}, "id": 1}\n'


def test_answer_is_found_among_events() -> None:
    monitor = talk([GREETING, b'{"event": "STOP"}\n{"retu', b'rn": {}, "id": 2}\n'])
    assert monitor.execute("query-status") == {}


def test_late_answer_is_not_taken_for_another_commands() -> None:
    ours, theirs = socket.socketpair()
    monitor = qmp.Qmp(ours)
    theirs.sendall(GREETING)
    with pytest.raises(qmp.QmpError, match="does not give an answer to query-status"):
        monitor.execute("query-status", patience=0.1)
    theirs.sendall(b'{"return": {"status": "running"}, "id": 2}\n{"return": "RIP=0", "id": 3}\n')
    assert monitor.execute("human-monitor-command", command_line="info registers") == "RIP=0"


def test_patience_is_counted_by_the_clock_that_is_given() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(GREETING)
    monitor = qmp.Qmp(ours, lambda: 0.0)  # QEMU waits for a CPU all the time
    threading.Timer(1.2, theirs.sendall, [b'{"return": "at last", "id": 2}\n']).start()
    assert monitor.execute("query-status", patience=0.1) == "at last"


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([b""], "does not give an answer to stop"),
        ([GREETING], "does not give an answer to stop"),
        ([GREETING, b'{"error": {"desc": "no"}, "id": 2}\n'], "QEMU refused: no"),
        ([GREETING, b"hello\n"], "speaks no JSON"),
        ([GREETING, b"[]\n"], "does not give an answer"),
    ],
)
def test_monitor_that_misbehaves_is_an_error_not_a_hang(lines: list[bytes], complaint: str) -> None:
    with pytest.raises(qmp.QmpError, match=complaint):
        talk([line for line in lines if line]).execute("stop", patience=0.3)


def test_arguments_have_dashes_in_their_names() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(GREETING + b'{"return": {}, "id": 2}\n')
    qmp.Qmp(ours).execute("migrate-set-parameters", max_bandwidth=1)
    sent = [json.loads(line) for line in theirs.recv(4096).splitlines()]
    assert sent[1] == {
        "execute": "migrate-set-parameters",
        "id": 2,
        "arguments": {"max-bandwidth": 1},
    }
