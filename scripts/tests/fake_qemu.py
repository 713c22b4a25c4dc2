#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A QEMU that boots nothing: it obeys the run file as a guest would, and misbehaves on order.

    QEMU="fake_qemu.py <scenario.json>"

    {"suites": {"alpha": ["one", "two"]},      what the guest has
     "cases": {"alpha.two": "panic"},          what a case does; else it passes
     "boot": "", "version": "7.2.0",           what each boot does; what --version says
     "boots": {"boot-2": "oops"},              what this one does
     "late": 5.5,                              seconds, of the first answer to query-status
     "saving": 1.5}                            seconds that saving a snapshot takes

It takes QEMU's own options, of which it needs a few, and speaks as much QMP as saving a
snapshot takes.
"""

import ctypes
import json
import mmap
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

FOREVER = 3600
SPLATS = {
    "warning": "WARNING: CPU: 0 PID: 1 at kernel/fake.c:1 fake+0x0/0x10",
    "oops": "Oops: 0002 [#1] PREEMPT SMP NOPTI",
    "lockdep": "WARNING: possible circular locking dependency detected",
    "rcu": "rcu: INFO: rcu_preempt self-detected stall on CPU",
    "msr": "unchecked MSR access error: RDMSR from 0x123 at rIP: 0xffffffff81000000",
    "gp": "general protection fault, probably for non-canonical address 0xdead: 0000 [#1]",
}
ENDS = {
    "terminate": "m|end terminate value=0x201 rip=0x10 : guest asked to be terminated",
    "fatal": "m|end fatal value=0x1 rip=0x10 : fatal error",
    "shutdown": "m|end shutdown value=0x0 rip=0x10 : triple fault",
    "unmodelled": "m|end unmodelled value=0x0 rip=0x10 : exit code 0x999",
    "internal": "m|end internal value=0x0 rip=0x10 : assertion",
    "reset": "m|end reset value=0x0 rip=0x10 : port 0xcf9",
    "poweroff": "m|end poweroff value=0x0 rip=0x10 : ACPI",
}


class Guest:
    """The stream, and what the cases do to it."""

    def __init__(self, scenario: dict[str, Any], options: "Options") -> None:
        self.scenario = scenario
        self.options = options
        self.stream = open("stream.log", "ab", buffering=0)
        self.resumed = False
        self.go_on = threading.Event()
        self.paused = False
        self.memory = mmap.mmap(-1, 4 << 30, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)

    def memory_address(self) -> int:
        return ctypes.addressof(ctypes.c_char.from_buffer(self.memory))

    def out(self, line: str) -> None:
        self.stream.write(line.encode() + b"\n")

    def end(self, line: str) -> NoReturn:
        self.out(line)
        os._exit(0)

    def run(self) -> NoReturn:
        self.out("SeaBIOS (version fake)")
        self.resumed = self.options.incoming != ""
        if self.resumed:
            self.go_on.wait(FOREVER)
            self.out("m|resumed")
        else:
            self.out("m|start personality=none ram=512 vcpus=1 machine=fake")
            every = self.scenario.get("boot", "")
            self.misbehave(self.scenario.get("boots", {}).get(Path.cwd().name, every), "")
            self.out("i|ready")
            cpus = self.scenario.get("cpus", self.options.after("-smp"))
            self.out(f"k|[    0.100000] smp: Brought up 1 node, {cpus} CPUs")
        for line in Path("run").read_text(encoding="utf-8").splitlines():
            self.verb(shlex.split(line))
        raise AssertionError("a run file ends with exit")

    def verb(self, words: list[str]) -> None:
        if words[0] == "snapshot":
            self.snapshot()
        elif words[0] in ("kunit", "selftest"):
            self.suite(words[0], words[1], words[2:])
        elif words[0] == "exit":
            self.misbehave(self.scenario.get("exit", ""), "")
            self.out("i|done")
            self.out("m|count vc 0x72 3")
            self.end("m|end exit value=0x0 rip=0x10 code=0 : machine call")
        else:
            if words[0] == "modprobe":
                self.out(f"i|loading {words[1]}")
            self.misbehave(self.scenario.get("verbs", {}).get(" ".join(words), ""), "")
            self.out(f"i|{words[0]} rc=0")

    def snapshot(self) -> None:
        self.out("m|snapshot")
        self.paused = True
        self.go_on.wait(FOREVER)

    def suite(self, kind: str, name: str, options: list[str]) -> None:
        every = self.scenario["suites"].get(name)
        if every is None:
            self.out(f"i|skip {name} : no such program in this image")
            return
        wanted = self.selection(every, options)
        plan = self.scenario.get("plans", {}).get(name, f"1..{len(every)}")
        self.out(f"i|begin {name}")
        if kind == "kunit":
            self.kunit(name, every, wanted, plan)
        else:
            self.selftest(name, wanted, plan.replace(str(len(every)), str(len(wanted))))
        self.out(f"i|end {name} rc={self.scenario.get('rc', {}).get(name, 0)}")

    def selection(self, every: list[str], options: list[str]) -> list[str]:
        globs = [word.split(".", 1)[1] for word in options if word.startswith("filter=")]
        globs += [word for word, before in zip(options[1:], options) if before == "-t"]
        return [case for case in every if not globs or case in globs]

    def kunit(self, name: str, every: list[str], wanted: list[str], plan: str) -> None:
        top = ["KTAP version 1", "1..1", "    KTAP version 1", f"    # Subtest: {name}"]
        for line in [*top, *([f"    {plan}"] if plan else [])]:
            self.out(f"k|[    1.000000] {line}")
        bad = False
        for number, case in enumerate(every, 1):
            if "late" in self.scenario.get("cases", {}).get(f"{name}.{every[number - 2]}", ""):
                self.out(f"k|[    2.000000] {SPLATS['warning']}")
            if case not in wanted:
                self.out(f"k|    ok {number} {case} # SKIP not selected")
                continue
            self.out(f"k|[    1.100000]     # begin {name}.{case}")
            result = self.case(name, case, number)
            bad = bad or "not ok" in result
            if result:
                self.out(f"k|[    1.200000]     {result}")
        self.out(f"k|[    1.300000] {'not ok' if bad else 'ok'} 1 {name}")

    def selftest(self, name: str, wanted: list[str], plan: str) -> None:
        for line in ["KTAP version 1", *([plan] if plan else [])]:
            self.out(f"t|{line}")
        for number, case in enumerate(wanted, 1):
            self.out(f"t|# RUN           {case} ...")
            result = self.case(name, case, number)
            if result:
                self.out(f"t|{result}")

    def case(self, suite: str, case: str, number: int) -> str:
        """The case's result line."""
        how = self.scenario.get("cases", {}).get(f"{suite}.{case}", "")
        if how == "fail":
            self.out(f"k|    # {case}: EXPECTATION FAILED at fake.c:1")
            self.out("k|    Expected a == b, but")
            self.out("k|        a == 1 (0x1)")
            self.out("k|        b == 2 (0x2)")
            return f"not ok {number} {case}"
        if how == "skip":
            return f"ok {number} {case} # SKIP nothing here"
        if how == "absent":
            return ""
        if how == "twice":
            self.out(f"k|    ok {number} {case}")
        self.misbehave(how, case)
        return f"ok {number} {case}"

    def misbehave(self, how: str, case: str) -> None:
        """Everything that is not a result."""
        if how in SPLATS:
            self.out(f"k|[    2.000000] {SPLATS[how]}")
        elif how == "breach":
            self.out("m|breach kind=field detail=0x1 rip=0x10 : RAX is not valid")
        elif how.startswith("expected "):
            word, _, breach = how.removeprefix("expected ").partition(" after ")
            if breach:
                self.misbehave(breach, case)
            self.out(f"m|expected {word} value=0x0")
            self.end(ENDS[word])
        elif how == "panic":
            self.out("k|[    2.000000] Kernel panic - not syncing: fake")
            self.end(ENDS["reset"])
        elif how == "silent panic":
            self.out("k|[    2.000000] Kernel panic - not syncing: fake")
            time.sleep(FOREVER)
        elif how == "hang":
            time.sleep(FOREVER)
        elif how == "busy hang":
            while True:
                pass
        elif how == "chatter":
            while True:
                self.out("k|[    2.000000] still here")
                time.sleep(0.05)
        elif how == "flood":
            while True:
                self.out("k|" + "x" * 4000)
        elif how == "abort":
            print("fake: something impossible", file=sys.stderr)
            os.kill(os.getpid(), signal.SIGABRT)
        elif how == "cut":
            self.stream.write(b"k|[    2.0000")
            os._exit(0)
        elif how == "garbage":
            self.stream.write(bytes(range(256)) + b"\n\xff\xfe\nq|x\n|\nm\n")
        elif how == "orphan":
            with subprocess.Popen(["sleep", str(FOREVER)]):
                time.sleep(FOREVER)
        elif how.startswith("sleep "):
            time.sleep(float(how.split()[1]))
        elif how in ENDS:
            self.end(ENDS[how])


class Options:
    """The few of QEMU's options that matter here."""

    def __init__(self, argv: list[str]) -> None:
        self.argv = argv
        self.incoming = self.after("-incoming").removeprefix("exec:")
        chardevs = [b for a, b in zip(argv, argv[1:]) if a == "-chardev" and "id=qmp" in b]
        self.monitor = int(chardevs[0].rpartition("fd=")[2]) if chardevs else -1

    def after(self, option: str) -> str:
        return self.argv[self.argv.index(option) + 1] if option in self.argv else ""


def monitor(guest: Guest, connection: socket.socket) -> None:
    """Answer QMP: query-status, what saving a snapshot takes, cont and little else."""
    said, asked = connection.makefile("w"), connection.makefile("r")

    def send(message: dict[str, Any]) -> None:
        said.write(json.dumps(message) + "\n")
        said.flush()

    send({"QMP": {"version": {}}})
    late = guest.scenario.get("late", 0)
    for line in asked:
        request = json.loads(line)
        command = request["execute"]
        answer: Any = {}
        if command == "query-status":
            time.sleep(late)
            late = 0
            answer = {"status": "guest-panicked" if guest.paused else "running"}
        elif command == "xen-save-devices-state":
            if guest.scenario.get("save") == "fails":
                error = {"class": "GenericError", "desc": "no snapshot today"}
                send({"error": error, "id": request["id"]})
                continue
            time.sleep(guest.scenario.get("saving", 0))
            Path(request["arguments"]["filename"]).write_text("devices", encoding="utf-8")
        elif command == "human-monitor-command" and "gpa2hva" in line:
            if guest.scenario.get("save") == "hides":
                answer = "No memory is mapped at address 0x0\r\n"
            else:
                address = guest.memory_address()
                answer = f"Host virtual address for 0x0 (pc.ram) is {address:#x}\r\n"
        elif command == "human-monitor-command":
            answer = "CPU#0\nRIP=ffffffff81000000 RFL=00000246\n"
        elif command == "cont":  # from its answer on no guest is paused
            guest.paused = False
        send({"event": "FAKE"})
        send({"return": answer, "id": request["id"]})
        if command == "cont":  # once it is answered: the guest may end at once
            guest.go_on.set()


def main() -> None:
    scenario = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if "--version" in sys.argv:
        print(f"QEMU emulator version {scenario.get('version', '7.2.0')} (fake)")
        return
    if scenario.get("boot") == "refuses":
        print("fake: no such option", file=sys.stderr)
        sys.exit(1)
    options = Options(sys.argv)
    guest = Guest(scenario, options)
    if options.incoming:
        if scenario.get("restore") == "fails":
            print("fake: error while loading state", file=sys.stderr)
            sys.exit(1)
        subprocess.run(["sh", "-c", options.incoming], stdout=subprocess.DEVNULL, check=True)
    if options.monitor >= 0:
        connection = socket.socket(fileno=options.monitor)
        threading.Thread(target=monitor, args=(guest, connection), daemon=True).start()
    guest.run()


if __name__ == "__main__":
    main()
