# SPDX-License-Identifier: GPL-2.0
"""Kernels from files, trees and builds: what is taken, and what is refused with which words."""

import argparse
import bz2
import gzip
import lzma
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import fake_kernel
import pytest

from coco import kernels
from coco.errors import CocoError, UsageError
from coco.kernels import Request, bzimage, kbuild, tree, unpacked

pytestmark = pytest.mark.usefixtures("own_cache")


def refused(match: str, **request: object) -> CocoError:
    with pytest.raises(UsageError, match=match) as raised:
        kernels.resolve(argparse.Namespace(**request))
    return raised.value


# ---- which kernel is meant ----


@pytest.mark.parametrize(
    ("request_", "match"),
    [
        ({"kernel": "debian", "kdir": "/x"}, "name two kernels"),
        ({"kernel": "vmlinuz", "kbuild_output": "/x"}, "name two kernels"),
        ({"config": "/x"}, "CONFIG= says how to build a tree"),
        ({"kdir": "/x", "config": "/y", "kbuild_output": "/z"}, "CONFIG= has no effect"),
        ({"kdir": "/x", "headers": "/y"}, "a tree has its own headers"),
        ({"kernel": "debian:6.12", "headers": "/y"}, "comes with its own headers"),
        ({"kernel": "/no/such/file"}, "/no/such/file does not exist"),
        ({"kernel": "debian:six"}, "six is no kernel version"),
        ({"kdir": "/no/such/tree"}, "no such folder"),
        ({"kbuild_output": "/no/such/build"}, "no such folder"),
    ],
)
def test_contradictions_are_refused(request_: dict[str, str], match: str) -> None:
    refused(match, **request_)


def test_nothing_to_download_for_local_kernels(tmp_path: Path) -> None:
    assert kernels.fetch(Request(kdir=tmp_path)) is None


# ---- a vmlinuz ----


def vmlinuz(folder: Path, data: bytes | None = None) -> Path:
    path = folder / "boot" / f"vmlinuz-{fake_kernel.RELEASE}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(fake_kernel.image() if data is None else data)
    return path


def test_image_with_headers(tmp_path: Path) -> None:
    headers = fake_kernel.headers(tmp_path / "headers")
    kernel = kernels.resolve(Request(kernel=str(vmlinuz(tmp_path)), headers=headers))
    assert kernel.release == fake_kernel.RELEASE
    assert kernel.headers == headers
    assert kernel.modules is None and "lib/modules" in kernel.no_modules
    assert kernel.vmlinuz.read_bytes() == fake_kernel.image()


def test_image_without_headers_says_so(tmp_path: Path) -> None:
    image = vmlinuz(tmp_path)
    image.with_name(f"config-{fake_kernel.RELEASE}").write_text(fake_kernel.BOOTABLE)
    kernel = kernels.resolve(Request(kernel=str(image)))
    assert kernel.headers is None and "HEADERS=" in kernel.no_headers


def test_headers_of_another_kernel_are_refused(tmp_path: Path) -> None:
    headers = fake_kernel.headers(tmp_path / "headers", "6.99.2-test")
    error = refused(
        "is for 6.99.2-test, the image is 6.99.1-test",
        kernel=str(vmlinuz(tmp_path)),
        headers=str(headers),
    )
    assert error.exit_code == 2


def test_folder_that_is_no_headers_is_refused(tmp_path: Path) -> None:
    refused("no folder to build modules", kernel=str(vmlinuz(tmp_path)), headers=str(tmp_path))


def test_image_without_configuration_is_refused(tmp_path: Path) -> None:
    refused("no configuration found", kernel=str(vmlinuz(tmp_path)))


def test_missing_boot_option_is_named(tmp_path: Path) -> None:
    config = fake_kernel.BOOTABLE.replace("CONFIG_BLK_DEV_INITRD=y\n", "")
    headers = fake_kernel.headers(tmp_path / "headers", config=config)
    refused("CONFIG_BLK_DEV_INITRD: init", kernel=str(vmlinuz(tmp_path)), headers=str(headers))


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"\x7fELF" + bytes(14) + b"\xb7\0" + bytes(600), "an ELF file for arm64"),
        (b"\x7fELF" + bytes(14) + b"\x3e\0" + bytes(600), "vmlinux"),
        (bytes(0x38) + b"ARMd" + bytes(600), "an arm64 kernel"),
        (b"text", "something else"),
        (b"", "something else"),
        (fake_kernel.image(is_64bit=False), "32-bit kernel"),
    ],
)
def test_other_files_are_told_apart(data: bytes, match: str, tmp_path: Path) -> None:
    refused(match, kernel=str(vmlinuz(tmp_path, data)))


def test_damaged_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "linux.deb").write_bytes(b"no package")
    refused("no Debian package, or damaged", kernel=str(tmp_path / "linux.deb"))


# ---- technologies ----


@pytest.mark.parametrize(
    ("code", "config", "expected"),
    [
        (b"", {}, ("none",)),
        (b"", {"AMD_MEM_ENCRYPT": "y"}, ("none", "sev")),
        (b" SEV-ES\0", {"AMD_MEM_ENCRYPT": "y"}, ("none", "sev", "sev-es")),
        (b" SEV-ES\0 SEV-SNP\0", {"AMD_MEM_ENCRYPT": "y"}, ("none", "sev", "sev-es", "sev-snp")),
        (b" SEV-ES\0 SEV-SNP\0", {}, ("none",)),
        (b"tdx: Guest detected", {"INTEL_TDX_GUEST": "y"}, ("none", "tdx")),
    ],
)
def test_technologies_are_read_from_the_code(
    code: bytes, config: dict[str, str], expected: tuple[str, ...], tmp_path: Path
) -> None:
    picture = bzimage.Image(vmlinuz(tmp_path, fake_kernel.image(code=code + b"filler")))
    assert bzimage.technologies(picture, config) == expected


def _tool(*argv: str) -> Callable[[bytes], bytes]:
    def compress(data: bytes) -> bytes:
        return subprocess.run(argv, input=data, capture_output=True, check=True).stdout

    return compress


@pytest.mark.parametrize(
    "compress",
    [gzip.compress, lzma.compress, bz2.compress, _tool("zstd", "-c"), _tool("lz4", "-lc")],
    ids=["gzip", "xz", "bzip2", "zstd", "lz4"],
)
def test_payload_is_decompressed(compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    plain = fake_kernel.image(code=b"the kernel")
    payload = compress(b"the kernel") + b"\x0a\0\0\0"
    data = bytearray(plain[:1024] + payload)
    data[0x24C:0x250] = len(payload).to_bytes(4, "little")
    assert bzimage.Image(vmlinuz(tmp_path, bytes(data))).payload() == b"the kernel"


def test_damaged_payload_is_said(tmp_path: Path) -> None:
    data = bytearray(fake_kernel.image())
    data[1040:] = bytes(len(data) - 1040)
    with pytest.raises(UsageError, match="damaged|unknown kernel compression"):
        bzimage.Image(vmlinuz(tmp_path, bytes(data))).payload()


# ---- trees ----


def test_tree_is_accepted(tmp_path: Path) -> None:
    folder = fake_kernel.tree(tmp_path / "linux")
    assert tree.check_tree(folder) == folder


@pytest.mark.parametrize("name", [".config", "include/config", "arch/x86/include/generated"])
def test_tree_built_in_place_is_refused(name: str, tmp_path: Path) -> None:
    folder = fake_kernel.tree(tmp_path / "linux")
    (folder / name).mkdir(parents=True)
    error = refused("was built in place", kdir=str(folder))
    assert "mrproper" in error.hint and "KBUILD_OUTPUT=" in error.hint


def test_other_trees_are_refused(tmp_path: Path) -> None:
    refused(
        "has no arch/x86 .it has arm64", kdir=str(fake_kernel.tree(tmp_path / "a", arch="arm64"))
    )
    refused("is Linux 4.19", kdir=str(fake_kernel.tree(tmp_path / "b", "4.19")))
    refused("is no kernel tree", kdir=str(tmp_path))
    refused("blanks or colons", kdir=str(fake_kernel.tree(tmp_path / "a b")))


def test_headers_and_builds_are_told_from_trees(tmp_path: Path) -> None:
    headers = fake_kernel.headers(tmp_path / "headers")
    assert "HEADERS=" in refused("but the headers of one", kdir=str(headers)).hint
    build = fake_kernel.build(tmp_path / "build")
    assert "KBUILD_OUTPUT=" in refused("but the output folder", kdir=str(build)).hint


@pytest.mark.parametrize(
    ("text", "match"),
    [("", "sets no CONFIG_ option"), ("CONFIG_ARM64=y\n", "is for arm64, the machine is x86")],
)
def test_configuration_of_something_else_is_refused(text: str, match: str, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(text)
    refused(match, kdir=str(fake_kernel.tree(tmp_path / "a")), config=str(tmp_path / "config"))


def test_refused_options_are_told_from_unknown_ones(tmp_path: Path) -> None:
    folder = fake_kernel.tree(tmp_path / "linux")
    (folder / "Kconfig").write_text('config REFUSED\n\tbool "x"\nmenuconfig TAKEN\n')
    wanted = 'CONFIG_REFUSED=y\nCONFIG_TAKEN="y"\nCONFIG_NEWER=m\n# CONFIG_OFF is not set\n'
    unknown, refused_ = kbuild._differences(folder, wanted, {"TAKEN": "y", "OFF": "y"})
    assert unknown == ["NEWER"]
    assert refused_ == ["CONFIG_REFUSED=y was refused, it is not set"]


def test_fragments_have_no_duplicate_and_no_contradiction() -> None:
    seen: dict[str, str] = {}
    for name in kbuild.DEFAULT_FRAGMENTS:
        for line in (kbuild.FRAGMENTS / f"{name}.config").read_text().splitlines():
            match = kbuild._SETTING.fullmatch(line)
            if match:
                option = match[1] or match[3]
                assert seen.get(option, line) == line, f"{option} in {name}.config"
                seen[option] = line
            else:
                assert not line or line.startswith("# "), f"{name}.config: {line}"


def test_products_of_a_killed_build_are_forgotten(tmp_path: Path) -> None:
    for name, age in (("old.o", 3600), ("new.o", 0), ("new.o.d", 0)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (2e9 - age, 2e9 - age))
    kbuild._forget_last_minute(tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["new.o.d", "old.o"]


# ---- finished builds ----


def test_finished_build_is_copied(tmp_path: Path, own_cache: Path) -> None:
    output = fake_kernel.build(tmp_path / "build")
    (output / "modules.order").write_text("kernel/drivers/a.ko\nfs/b.o\n")
    for name in ("drivers/a.ko", "fs/b.ko"):
        fake_kernel.module(output / name)
    if not shutil.which("depmod", path="/sbin:/usr/sbin:/bin:/usr/bin"):
        pytest.skip("no depmod")
    before = sorted(output.rglob("*"))
    kernel = kernels.resolve(Request(kbuild_output=output))
    assert kernel.vmlinuz.is_relative_to(own_cache)
    assert kernel.modules is not None and kernel.headers == output
    placed = kernel.modules / "lib/modules" / kernel.release / "kernel"
    assert (placed / "drivers/a.ko").exists() and (placed / "fs/b.ko").exists()
    assert sorted(output.rglob("*")) == before


def test_unfinished_build_is_refused(tmp_path: Path) -> None:
    output = fake_kernel.headers(tmp_path / "build")
    assert "make -C" in refused("not finished", kbuild_output=str(output)).hint
    refused("has no .config", kbuild_output=str(tmp_path))


def test_build_for_another_architecture_is_refused(tmp_path: Path) -> None:
    output = fake_kernel.build(tmp_path / "build", config="CONFIG_ARM64=y\n")
    refused("is for arm64, not 64-bit x86", kbuild_output=str(output))


def test_image_of_an_older_configuration_is_refused(tmp_path: Path) -> None:
    output = fake_kernel.build(tmp_path / "build")
    (output / "arch/x86/boot/bzImage").write_bytes(fake_kernel.image("6.98.0-old"))
    refused("the image is 6.98.0-old, the headers are 6.99.1-test", kbuild_output=str(output))


# ---- unpacked packages ----


def test_headers_work_where_they_are(tmp_path: Path) -> None:
    source = tmp_path / "usr/src"
    common, own = source / "linux-headers-1-common", source / "linux-headers-1-cloud"
    common.mkdir(parents=True)
    own.mkdir()
    (common / "Makefile").write_text("all:\n\t@echo $(KBUILD_OUTPUT)\n")
    (own / "Makefile").write_text(
        "KBUILD_OUTPUT=/usr/src/linux-headers-1-cloud\n"
        "include /usr/src/linux-headers-1-common/Makefile\n"
    )
    assert unpacked.relocate(own / "Makefile", own / "Makefile")
    moved = tmp_path / "elsewhere"
    source.rename(moved)
    argv = ["make", "-s", "-C", str(moved / own.name)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(moved / own.name)


def test_makefile_without_absolute_paths_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("# /usr/src/linux\nall:\n")
    assert not unpacked.relocate(tmp_path / "Makefile", tmp_path / "Makefile")
    assert (tmp_path / "Makefile").read_text() == "# /usr/src/linux\nall:\n"


def package(name: str, folder: Path) -> Path:
    """A package whose root is folder/name."""
    control = folder / name / "DEBIAN/control"
    control.parent.mkdir()
    control.write_text(
        f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: none\nDescription: none\n"
    )
    target = folder / f"{name}.deb"
    subprocess.run(["dpkg-deb", "-b", folder / name, target], check=True, capture_output=True)
    return target


def bootable(folder: Path) -> Path:
    """An image with its configuration, where packages put both."""
    image = vmlinuz(folder)
    configuration = fake_kernel.BOOTABLE + fake_kernel.MODULES
    image.with_name(f"config-{fake_kernel.RELEASE}").write_text(configuration)
    return image


def document(folder: Path, name: str, text: str) -> Path:
    """A package's changelog."""
    path = folder / f"usr/share/doc/linux-{name}/changelog.Debian.gz"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_largest_changelog_of_split_packages_is_kept(tmp_path: Path) -> None:
    """Debian 7.x: the documentation of linux-modules-* is a link to that of linux-base-*."""
    docs = {name: tmp_path / name / "usr/share/doc" for name in ("base", "modules", "kbuild")}
    document(tmp_path / "base", "base-7", "the kernel's own")
    document(tmp_path / "kbuild", "kbuild-7", "short")
    docs["modules"].mkdir(parents=True)
    (docs["modules"] / "linux-modules-7").symlink_to("linux-base-7")
    (docs["modules"] / "linux-other-7").symlink_to("linux-absent-7")
    unpacked.unpack([package(name, tmp_path) for name in docs], tmp_path / "kernel")
    log = unpacked.find_changelog(tmp_path / "kernel")
    assert log and log.read_text() == "the kernel's own"
    assert not (tmp_path / "kernel/usr/share/doc").exists()


def test_changelog_outside_the_package_stays_where_it_is(tmp_path: Path) -> None:
    outside = tmp_path / "linux-host/changelog.gz"
    outside.parent.mkdir()
    outside.write_text("not ours")
    doc = tmp_path / "one/usr/share/doc"
    doc.mkdir(parents=True)
    (doc / "linux-one").symlink_to(outside.parent)
    unpacked.unpack([package("one", tmp_path)], tmp_path / "kernel")
    assert outside.is_file() and unpacked.find_changelog(tmp_path / "kernel") is None


def test_files_of_packages_come_with_their_changelog(tmp_path: Path) -> None:
    bootable(tmp_path / "image")
    document(tmp_path / "image", "image-6", "the kernel's own")
    document(tmp_path / "kbuild", "kbuild-6", "short")
    debs = [package(name, tmp_path) for name in ("image", "kbuild")]
    kernel = kernels.resolve(Request(kernel=",".join(map(str, debs))))
    assert kernel.changelog and kernel.changelog.read_text() == "the kernel's own"


def test_installed_image_comes_with_its_changelog(tmp_path: Path) -> None:
    image = bootable(tmp_path)
    document(tmp_path, "image-6.0-other", "another one's")
    assert kernels.resolve(Request(kernel=str(image))).changelog is None
    log = document(tmp_path, f"image-{fake_kernel.RELEASE}", "its own")
    assert kernels.resolve(Request(kernel=str(image))).changelog == log


@pytest.mark.parametrize("given", [("image",), ("image", "own"), ("image", "own", "kbuild")])
def test_headers_that_are_not_whole_name_the_packages_to_add(
    tmp_path: Path, given: tuple[str, ...]
) -> None:
    """Debian's headers are three packages: those of the flavour lean on the other two."""
    bootable(tmp_path / "image")
    for folder in (
        "own/usr/src",
        "common/usr/src/linux-headers-6-common",
        "kbuild/usr/lib/linux-kbuild-6/scripts",
    ):
        (tmp_path / folder).mkdir(parents=True)
    own = fake_kernel.headers(tmp_path / "own/usr/src/linux-headers-6-cloud")
    (own / "Makefile").write_text("include /usr/src/linux-headers-6-common/Makefile\n")
    (own / "scripts").symlink_to("../../lib/linux-kbuild-6/scripts")

    debs = [package(name, tmp_path) for name in ("image", "own", "common", "kbuild")]
    whole = kernels.resolve(Request(kernel=",".join(map(str, debs))))
    assert whole.headers and whole.name == f"{fake_kernel.RELEASE} from image.deb and 3 more"
    some = [deb for deb in debs if deb.stem in given]
    kernel = kernels.resolve(Request(kernel=",".join(map(str, some))))
    assert kernel.headers is None
    for name, of in (("linux-headers-6-common", "common"), ("linux-kbuild-6", "kbuild")):
        assert (name in kernel.no_headers) == ("own" in given and of not in given)
