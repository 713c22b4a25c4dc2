# SPDX-License-Identifier: GPL-2.0
"""QEMU: find it, word its command line, start it so that it cannot outlive us."""

import contextlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from coco import disk, parts, snapshot, wire
from coco.errors import InfrastructureError, UsageError
from coco.kernels import uki
from coco.qmp import Qmp
from coco.watch import RunQueue

OLDEST = (7, 2)
PROGRAM = "qemu-system-x86_64"

# MACHINE_BASE in machine/machine.h, and the room for the machine itself above it (MiB);
# the private copy of guest RAM follows.  A guest's RAM ends at MACHINE_BASE, and goes on
# at 4 GiB (HIGH_BASE), its private copy there behind it.
MACHINE_BASE = 1024
MACHINE_ROOM = 128
HIGH_MAX = 4096
LARGEST_RAM = MACHINE_BASE + HIGH_MAX
DEFAULT_RAM = 512

# panic=-1 with -no-reboot turns a panic into the end of QEMU; an oops is one too, since
# what runs after it proves nothing.  A chatty serial console would cost seconds.
CMDLINE = "console=ttyS0 quiet log_buf_len=1M panic=-1 oops=panic rdinit=/init"

STREAM = "stream.log"
CONSOLE = "console.log"
MACHINE_LOG = "machine.log"
QEMU_LOG = "qemu.log"
RUN_FILE = "run"
COMMAND_FILE = "command"
TRACE_LOG = "trace.log"
UKI = "uki"  # Guest.image
FIRMWARE = "firmware"


# What a suite may want beside what every guest has.  iommu_platform: the driver goes through
# the DMA API (VIRTIO_F_ACCESS_PLATFORM, virtio 1.2, 6.1), as in every confidential guest.
DEVICES: Mapping[str, str] = {
    "edu": "-device edu,dma_mask=0xffffffff",  # its engine copies from and to memory
    "virtio_blk": f"-drive if=none,id=disk,format=raw,file={disk.IMAGE}"
    " -device virtio-blk-pci,drive=disk,disable-legacy=on,iommu_platform=on",
    # Two cards on a hub, and a file of what goes over it
    "virtio_net": " ".join(
        f"-netdev hubport,id=port{n},hubid=0 -device virtio-net-pci,netdev=port{n},"
        f"mac={address},romfile=,disable-legacy=on,iommu_platform=on"
        for n, address in enumerate(wire.ADDRESSES)
    )
    + f" -object filter-dump,id=dump,netdev=port0,file={wire.DUMP}",
    "virtio_rng": "-object rng-random,id=rng,filename=/dev/urandom"
    " -device virtio-rng-pci,rng=rng,disable-legacy=on,iommu_platform=on",
}


@dataclass(frozen=True)
class Qemu:
    """A QEMU that is new enough."""

    argv: tuple[str, ...]
    version: str

    @property
    def path(self) -> str:
        return self.argv[0]


@dataclass(frozen=True)
class Guest:
    """What to boot; machine None means plain TCG, without the software machine."""

    kernel: Path
    initramfs: Path
    machine: Path | None
    personality: str = "none"
    vcpus: int = 1
    ram: int = DEFAULT_RAM  # MiB, of which what exceeds MACHINE_BASE lies above 4 GiB
    cmdline: str = ""  # added to CMDLINE
    options: str = ""  # added to the machine's own
    snapshot: bool = False
    gdb: str = ""
    trace: str = ""  # log what is executed in these ranges (-dfilter) to TRACE_LOG
    trace_words: str = ""  # ... and in which way (-d)
    devices: tuple[str, ...] = ()  # names in DEVICES
    image: str = ""  # UKI: start a unified kernel image with the kernel in it; or FIRMWARE
    stub: Path | None = None  # ... of the UKI, or one whose stub that is
    firmware: Path | None = None  # ... that starts the kernel

    @property
    def low(self) -> int:
        return min(self.ram, MACHINE_BASE)

    @property
    def high(self) -> int:
        return self.ram - self.low


def find(words: str = "") -> Qemu:
    """QEMU= as given (a program and perhaps options), else the one in PATH; checked."""
    try:
        argv = shlex.split(words) or [PROGRAM]
    except ValueError as error:
        raise UsageError(f"QEMU={words}: {error}", "give the path of a QEMU program") from error
    path = shutil.which(argv[0])
    if path is None:
        if words:
            raise UsageError(f"QEMU={words}: no such program", "give the path of a QEMU program")
        raise InfrastructureError(f"{PROGRAM} is not installed", f"run: {parts.program()} deps")
    try:
        said = subprocess.run(
            [path, *argv[1:], "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InfrastructureError(f"{path} --version failed: {error}") from error
    match = re.search(r"version (\d+)\.(\d+)(?:\.(\d+))?[^\n]*", said)
    if not match:
        raise InfrastructureError(f"{path} does not say its version", "is it QEMU?")
    if (int(match[1]), int(match[2])) < OLDEST:
        raise InfrastructureError(
            f"{path} is QEMU {match[1]}.{match[2]}; the machine needs {OLDEST[0]}.{OLDEST[1]}",
            f"run {parts.program()} deps on Debian 12 or newer, or name another: QEMU=<program>",
        )
    return Qemu((path, *argv[1:]), match[0].removeprefix("version "))


def command(qemu: Qemu, guest: Guest, resume: Path | None = None) -> list[str]:
    """The command line; file names are relative to the boot's folder."""
    cmdline = kernel_words(guest)
    argv = list(qemu.argv)
    # With a thread a vCPU, QEMU (7.2 and 10.0) may go on with code that another one has patched
    argv += "-accel tcg,thread=single -machine pc -nodefaults -no-user-config".split()
    argv += "-display none -no-reboot".split()
    argv += ["-name", f"coco-{guest.personality},debug-threads=on", "-smp", str(guest.vcpus)]
    argv += _port(0x402, "stream", STREAM)
    argv += ["-fw_cfg", f"name=opt/coco/run,file={RUN_FILE}"]
    argv += ["-serial", f"file:{CONSOLE}"]
    if guest.machine:
        argv += ["-cpu", "max,phys-bits=52"]
        argv += ["-m", str(memory(guest) >> 20)]
        argv += ["-machine", f"max-ram-below-4g={_below_4g(guest)}M"] if guest.high else []
        argv += _port(0xE9, "log", MACHINE_LOG)
        argv += ["-device", "pvpanic", "-action", "panic=pause"]
        if resume:
            argv += ["-fw_cfg", "name=opt/coco/resumed,string=1"]
            argv += snapshot.options(resume, memory(guest))
        else:
            argv += ["-kernel", "machine.elf", "-append", machine_options(guest)]
            argv += ["-initrd", _files(guest, cmdline)]
    else:
        # QEMU 7.2's cmpxchg16b corrupts the flags; the machine hides it by itself
        argv += ["-cpu", "max,-cx16", "-m", str(guest.ram)]
        argv += ["-kernel", "kernel", "-initrd", "initramfs", "-append", cmdline]
    for name in guest.devices:
        argv += DEVICES[name].split()
    if guest.gdb:
        argv += ["-gdb", guest.gdb, "-S"]
    if guest.trace:
        argv += ["-d", guest.trace_words, "-dfilter", guest.trace, "-D", TRACE_LOG]
    return argv


def memory(guest: Guest) -> int:
    """Bytes of memory that QEMU has, with the machine in it."""
    # Above 4 GiB: two views, and what the machine keeps of each page (mem_high_room())
    high = 2 * guest.high + guest.ram // 64 + 1 if guest.high else 0
    return (_below_4g(guest) + high) << 20


def _below_4g(guest: Guest) -> int:
    """MiB.  Where there is more above, QEMU wants to have it in whole GiB."""
    mib = MACHINE_BASE + MACHINE_ROOM + guest.low
    return (mib + 1023) // 1024 * 1024 if guest.high else mib


def _files(guest: Guest, cmdline: str) -> str:
    """What the machine finds, in the order in which it expects it."""
    files = f"kernel {cmdline.replace(',', ',,')},initramfs"
    if guest.image == UKI:
        return "kernel"
    return f"firmware,{files}" if guest.image == FIRMWARE else files


def _port(port: int, name: str, path: str) -> list[str]:
    return [
        "-chardev",
        f"file,id={name},path={path}",
        "-device",
        f"isa-debugcon,iobase={port:#x},chardev={name}",
    ]


def kernel_words(guest: Guest) -> str:
    """The kernel's command line."""
    return " ".join(word for word in (CMDLINE, guest.cmdline) if word)


def machine_options(guest: Guest) -> str:
    """The machine's own command line."""
    words = [f"personality={guest.personality}", f"ram={guest.low}", f"vcpus={guest.vcpus}"]
    words += [f"high={guest.high}"] if guest.high else []
    words += ["snapshot"] if guest.snapshot else []
    return " ".join([*words, *guest.options.split()])


class Process:
    """A running QEMU: its own process group, killed when we die, whatever kills us."""

    def __init__(self, qemu: Qemu, guest: Guest, folder: Path, resume: Path | None = None) -> None:
        if not resume:  # what it was booted from is in its memory
            _link(folder, guest)
        ours, theirs = socket.socketpair()
        try:
            argv = command(qemu, guest, resume)
            _write_command(folder, argv)
            monitor = f"socket,id=qmp,fd={theirs.fileno()}"
            argv += ["-chardev", monitor, "-mon", "chardev=qmp,mode=control"]
            with (folder / QEMU_LOG).open("wb") as log:
                self._process = subprocess.Popen(
                    [*_die_with_us(), *argv],
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=[theirs.fileno()],
                    process_group=0,
                )
        except OSError as error:
            ours.close()
            raise InfrastructureError(f"cannot start QEMU: {error}") from error
        finally:
            theirs.close()
        self.pid = self._process.pid
        self.queue = RunQueue(self.pid)
        self.monitor = Qmp(ours, self.queue.clock)

    def ended(self) -> int | None:
        """Exit status, negative for a signal; None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode

    def kill(self) -> None:
        """End it and all its children now."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self.monitor.close()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def _die_with_us() -> list[str]:
    """A prefix that has the kernel kill QEMU when the thread that started it ends."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []


def _link(folder: Path, guest: Guest) -> None:
    """Short names without blanks or commas, which -initrd could not take."""
    files = {"kernel": guest.kernel, "initramfs": guest.initramfs, "machine.elf": guest.machine}
    if guest.image == UKI:
        assert guest.stub is not None
        whole = uki.image(guest.stub, guest.kernel, guest.initramfs, kernel_words(guest))
        files = {"kernel": whole, "machine.elf": guest.machine}
    if guest.image == FIRMWARE:
        files["firmware"] = guest.firmware
    for name, target in files.items():
        if target:
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(target.resolve())


def _write_command(folder: Path, argv: list[str]) -> None:
    """The same command, for a person to repeat."""
    text = f"#!/bin/sh\ncd {shlex.quote(str(folder))} || exit\nexec {shlex.join(argv)}\n"
    (folder / COMMAND_FILE).write_text(text, encoding="utf-8")
    (folder / COMMAND_FILE).chmod(0o755)
