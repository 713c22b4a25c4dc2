# SPDX-License-Identifier: GPL-2.0
"""Boot a shipped kernel with the unpacked tarball in it, and fetch what run-guest left.

The initramfs is that of any check, with a second archive behind it: busybox, and a script
that init starts as if it were a selftest.  Its files come back in base64 on its output.
"""

import base64
import shutil
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from coco import boot, image, kernels, parts, qemu, tarball
from coco.errors import CocoError
from coco.watch import Budgets

BUSYBOX = Path("/bin/busybox")
KERNEL = "debian:6.12"
APPLETS = (
    "[ awk base64 cat chmod cut date dirname dmesg echo false grep head id insmod ls mkdir mktemp "
    "mount ps rm rmmod sed sh sha256sum sort su tail timeout tr true uname wc modprobe"
).split()

# What the guest does: each command's exit status, then the files that it left
SCRIPT = """#!/bin/sh
export PATH=/bin:/coco/selftests
mkdir -p /etc /results && echo root:x:0:0::/:/bin/sh >/etc/passwd
echo nobody:x:65534:65534::/:/bin/sh >>/etc/passwd
echo 'PRETTY_NAME="Test 1"' >/etc/os-release
mount -t securityfs securityfs /sys/kernel/security
cd /coco/guest || exit
{commands}
echo "@modules $(sed -n 's/ .*//p' /proc/modules | tr '\\n' ' ')"
for file in /results/*/*; do
  echo "@file $file"
  base64 -w 700 "$file"
done
echo @end
"""


@dataclass(frozen=True)
class Left:
    """What came back."""

    said: list[str]  # all that is no file
    files: Mapping[str, bytes]
    modules: list[str]  # loaded at the end

    def status(self, name: str) -> int:
        """Exit status of the command of that name."""
        return int(next(line.split()[2] for line in self.said if line.startswith(f"@rc {name} ")))


class Guests:
    """Boots of one kernel."""

    def __init__(self, folder: Path) -> None:
        if not BUSYBOX.is_file() or b"busybox" not in BUSYBOX.read_bytes()[: 1 << 21]:
            pytest.skip("busybox-static is not installed")
        self._folder = folder
        request = kernels.Request(kernel=KERNEL)
        try:
            self.program = qemu.find()
            self.kernel = kernels.resolve(request)
        except CocoError as error:
            pytest.skip(error.message)
        self._number = 0
        self.archive = folder / "coco-guest.tar.gz"
        files = tarball.contents("v-test", parts.selftests())
        files |= tarball.built(self.kernel, "")
        self.archive.write_bytes(tarball.pack("coco-guest", files))
        self._base = image.initramfs(self.kernel, parts.selftests())

    def run(self, commands: Mapping[str, str], personality: str = "", append: str = "") -> Left:
        """Boot once and run the commands; without a personality in plain QEMU."""
        self._number += 1
        text = "\n".join(f"{command}\necho @rc {name} $?" for name, command in commands.items())
        guest = qemu.Guest(
            kernel=self.kernel.vmlinuz,
            initramfs=self._image(SCRIPT.format(commands=text)),
            machine=parts.machine() if personality else None,
            personality=personality or "none",
            cmdline=append,
        )
        order = boot.Order(
            self._folder / f"boot-{self._number}",
            guest,
            "limit 240\nselftest run_guest\nexit\n",
            replace(Budgets(), silence=240.0, case=300.0),
        )
        done = boot.boot(self.program, order, threading.Event(), lambda _text: None)
        return _left([record.text for record in done.records if record.channel == "t"])

    def _image(self, script: str) -> Path:
        root = self._folder / f"root-{self._number}"
        (root / "bin").mkdir(parents=True)
        shutil.copyfile(BUSYBOX, root / "bin/busybox")
        (root / "bin/busybox").chmod(0o755)
        for applet in APPLETS:
            (root / "bin" / applet).symlink_to("busybox")
        (root / "coco/selftests").mkdir(parents=True)
        subprocess.run(["tar", "-xzf", self.archive, "-C", root / "coco"], check=True)
        (root / "coco/coco-guest").rename(root / "coco/guest")
        (root / "coco/selftests/run_guest").write_text(script, encoding="utf-8")
        (root / "coco/selftests/run_guest").chmod(0o755)
        image.pack(root, self._folder / "extra.cpio", self._folder)
        shutil.rmtree(root)
        target = self._folder / f"initramfs-{self._number}"
        with target.open("wb") as out:
            for part in (self._base, self._folder / "extra.cpio"):
                out.write(part.read_bytes())
        return target


def _left(lines: list[str]) -> Left:
    said, modules = [], []
    encoded: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        if line.startswith("@file "):
            name = line.split()[1].removeprefix("/results/")
            encoded[name] = []
        elif line == "@end":
            name = ""
        elif name:
            encoded[name].append(line)
        elif line.startswith("@modules"):
            modules = line.split()[1:]
        else:
            said.append(line)
    files = {key: base64.b64decode("".join(text)) for key, text in encoded.items()}
    return Left(said, files, modules)
