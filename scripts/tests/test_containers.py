# SPDX-License-Identifier: GPL-2.0
"""Kernels in RPM packages and in unified kernel images."""

import bz2
import gzip
import lzma
import shutil
import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import fake_kernel
import pytest
from fixes import FIX

from coco import claims, kernels
from coco.errors import UsageError
from coco.kernels import Request, rpm, uki

pytestmark = pytest.mark.usefixtures("own_cache")

STUB = Path("/usr/lib/systemd/boot/efi/linuxx64.efi.stub")


def refused(kernel: Path) -> str:
    with pytest.raises(UsageError) as error:
        kernels.resolve(Request(kernel=str(kernel)))
    return error.value.message


# ---- RPM ----
SPEC = """
Name: kernel-core
Version: 1
Release: 1
Summary: x
License: x
BuildArch: noarch
%define _build_id_links none
%description
x
%install
cp -a {root}/. %{{buildroot}}/
%files
/lib
/usr
%changelog
* Thu Dec 05 2024 A Packager <a@example.org> [{version}]
- x86/tdx: Do it right (Somebody) {{CVE-2024-1234}}
- mm: something else

* Mon Dec 02 2024 A Packager <a@example.org> [6.12.0-1.el10]
- first
"""
VERSION = "6.12.0-2.el10"


def files(root: Path) -> Path:
    """What a kernel-core and its kernel-devel hold."""
    place = root / "lib/modules" / fake_kernel.RELEASE
    (place / "kernel").mkdir(parents=True)
    (place / "vmlinuz").write_bytes(fake_kernel.image())
    (place / "config").write_text(fake_kernel.BOOTABLE + fake_kernel.MODULES)
    fake_kernel.headers(root / "usr/src/kernels" / fake_kernel.RELEASE)
    (root / "usr/src/kernels" / fake_kernel.RELEASE / "scripts").mkdir()
    return root


def by_rpmbuild(folder: Path) -> Path:
    if not shutil.which("rpmbuild"):
        pytest.skip("rpmbuild is not installed")
    root = files(folder / "files")
    (folder / "kernel.spec").write_text(SPEC.format(root=root, version=VERSION))
    argv = ["rpmbuild", "-bb", "--quiet", f"--define=_topdir {folder}", str(folder / "kernel.spec")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next((folder / "RPMS").rglob("*.rpm"))


def by_hand(folder: Path, compress: Callable[[bytes], bytes], root: Path | None = None) -> Path:
    """Lead, an odd-sized signature that is padded, a header, and the archive."""
    root = root or files(folder / "files")
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    argv = ["cpio", "-o", "-H", "newc", "--quiet"]
    made = subprocess.run(argv, input=names.encode(), cwd=root, capture_output=True, check=True)

    def header(data: bytes) -> bytes:
        return b"\x8e\xad\xe8\1" + bytes(4) + struct.pack(">II", 1, len(data)) + bytes(16) + data

    signature = header(b"abcde")
    lead = b"\xed\xab\xee\xdb" + bytes(92)
    padded = signature + bytes(-(len(lead) + len(signature)) % 8)
    path = folder / "kernel.rpm"
    path.write_bytes(lead + padded + header(b"xyz") + compress(made.stdout))
    return path


def test_package_cannot_write_outside(tmp_path: Path) -> None:
    """cpio follows a link of the same archive."""
    (tmp_path / "outside").mkdir()
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "a/evil").touch()
    package = by_hand(tmp_path, lambda data: link_first(data, tmp_path / "outside"), root)
    with pytest.raises(UsageError, match="/a/evil leads out of the package"):
        rpm.unpack(package, tmp_path / "unpacked")
    assert not list((tmp_path / "outside").iterdir())


def link_first(archive: bytes, target: Path) -> bytes:
    """The archive with "a", a link to target, before all else."""
    text = str(target).encode()
    fields = [1, 0o120777, 0, 0, 1, 0, len(text), 0, 0, 0, 0, len("a") + 1, 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields)
    return head + b"a\0" + text + bytes(-len(text) % 4) + archive


def zstd(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-q"], input=data, capture_output=True, check=True).stdout


def test_package_of_rpmbuild(tmp_path: Path) -> None:
    kernel = kernels.resolve(Request(kernel=str(by_rpmbuild(tmp_path))))
    assert kernel.release == fake_kernel.RELEASE
    assert kernel.headers and kernel.headers.parent.name == "kernels"
    assert kernel.modules is not None


def test_package_of_rpmbuild_comes_with_its_changelog(tmp_path: Path) -> None:
    kernel = kernels.resolve(Request(kernel=str(by_rpmbuild(tmp_path))))
    assert kernel.changelog is not None
    text = gzip.decompress(kernel.changelog.read_bytes()).decode()
    printed = subprocess.run(
        ["rpm", "-qp", "--changelog", next((tmp_path / "RPMS").rglob("*.rpm"))],
        capture_output=True,
        text=True,
        check=True,
        env={"LC_ALL": "C", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    assert text.strip() == printed.stdout.strip()
    log = claims.of_changelog(kernel.changelog)
    assert log.claim(replace(FIX, cves=("CVE-2024-1234",))) == f"{VERSION} of changelog.gz"


def test_package_without_a_changelog_has_none(tmp_path: Path) -> None:
    assert kernels.resolve(Request(kernel=str(by_hand(tmp_path, bytes)))).changelog is None


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, bz2.compress, zstd, bytes])
def test_package_of_each_compression(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    kernel = kernels.resolve(Request(kernel=str(by_hand(tmp_path, compress))))
    assert kernel.vmlinuz.read_bytes() == fake_kernel.image()


def test_packages_of_two_kinds_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.rpm").touch()
    (tmp_path / "b.deb").touch()
    assert "all be .deb or all .rpm packages" in refused(Path(f"{tmp_path}/a.rpm,{tmp_path}/b.deb"))


def test_damaged_packages_are_refused(tmp_path: Path) -> None:
    whole = by_hand(tmp_path, gzip.compress).read_bytes()
    for name, data, text in (
        ("no", b"something", "is no RPM package"),
        ("short", whole[:100], "damaged: no header"),
        ("header", whole[:130], "damaged: the header at byte 96 is cut off"),
        ("cut", whole[:-2000], "damaged|does not unpack"),
        ("odd", whole[: len(whole) // 8] + b"?" * 99, "damaged|unknown compression|not unpack"),
    ):
        (tmp_path / f"{name}.rpm").write_bytes(data)
        with pytest.raises(UsageError, match=text):
            rpm.unpack(tmp_path / f"{name}.rpm", tmp_path / f"{name}.out")


# ---- UKI ----
def unified(folder: Path, config: bool = True) -> Path:
    """The stub of systemd with a kernel, a command line and an initrd in it."""
    if not STUB.is_file():
        pytest.skip("systemd-boot-efi is not installed")
    argv = ["objcopy"]
    for name, content, place in (
        (".cmdline", b"quiet", 0x30000),
        (".linux", fake_kernel.image(), 0x2000000),
        (".initrd", b"initrd", 0x3000000),
    ):
        (folder / name).write_bytes(content)
        argv += ["--add-section", f"{name}={folder / name}", "--change-section-vma"]
        argv.append(f"{name}={place:#x}")
    path = folder / "linux.efi"
    subprocess.run([*argv, str(STUB), str(path)], check=True, capture_output=True)
    if config:
        path.with_name(f"config-{fake_kernel.RELEASE}").write_text(fake_kernel.BOOTABLE)
    return path


def test_uki_gives_its_kernel(tmp_path: Path) -> None:
    kernel = kernels.resolve(Request(kernel=str(unified(tmp_path))))
    assert kernel.release == fake_kernel.RELEASE
    assert kernel.vmlinuz.read_bytes() == fake_kernel.image()


def test_uki_is_packed_around_another_kernel(tmp_path: Path) -> None:
    """Three parts are replaced; the stub, and what else its maker put into it, stays."""
    shipped, made = unified(tmp_path), tmp_path / "made.efi"
    parts = {}
    for name, content in ((".linux", b"MZ other"), (".initrd", b"ours"), (".cmdline", b"words")):
        parts[name] = tmp_path / f"ours{name}"
        parts[name].write_bytes(content * 5000)
    uki.pack(shipped, parts, made)
    assert uki.kernel_in(made.read_bytes()) == b"MZ other" * 5000
    before, after = (uki._sections(path.read_bytes()) for path in (shipped, made))
    assert after[".text"] == before[".text"]
    assert after[".initrd"].content == b"ours" * 5000
    assert after[".cmdline"].address > before[".initrd"].address


def test_uki_without_configuration_says_where_it_may_be(tmp_path: Path) -> None:
    assert "no configuration found" in refused(unified(tmp_path, config=False))


def test_configuration_in_the_image_is_found(tmp_path: Path) -> None:
    inside = b"IKCFG_ST" + gzip.compress(fake_kernel.BOOTABLE.encode()) + b"IKCFG_ED"
    (tmp_path / "vmlinuz").write_bytes(fake_kernel.image(code=b"code" + inside))
    kernel = kernels.resolve(Request(kernel=str(tmp_path / "vmlinuz")))
    assert kernel.config["PRINTK"] == "y"


@pytest.mark.parametrize(
    "data", [b"", b"MZ", b"MZ" + bytes(100), fake_kernel.image(), b"MZ" + b"\xff" * 5000]
)
def test_what_is_no_uki_has_no_kernel_in_it(data: bytes) -> None:
    assert uki.kernel_in(data) is None
