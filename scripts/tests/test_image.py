# SPDX-License-Identifier: GPL-2.0
"""The suites as modules, and the initramfs around them."""

import lzma
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import fake_kernel
import pytest

from coco import config, image, modules, parts
from coco.errors import InfrastructureError, Unavailable, UsageError
from coco.kernels import Kernel

pytestmark = pytest.mark.usefixtures("own_cache")

WRAPPER = Path(__file__).resolve().parents[1] / "kbuild-cc"


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(
        name="a kernel",
        source="local",
        release=fake_kernel.RELEASE,
        vmlinuz=tmp_path / "vmlinuz",
        sha256="0" * 64,
        config=config.parse(fake_kernel.BOOTABLE + fake_kernel.MODULES),
        technologies=("none",),
        headers=fake_kernel.headers(tmp_path / "headers"),
    )


# ---- suites ----


def test_suites_need_headers(kernel: Kernel) -> None:
    without = replace(kernel, headers=None, no_headers="none were given")
    with pytest.raises(Unavailable, match="none were given"):
        modules.build(without)


@pytest.mark.parametrize("option", ["MODULES", "MODULE_UNLOAD", "KALLSYMS", "KPROBES"])
def test_missing_option_is_named(option: str, kernel: Kernel) -> None:
    options = {name: value for name, value in kernel.config.items() if name != option}
    with pytest.raises(Unavailable, match=f"CONFIG_{option}: "):
        modules.build(replace(kernel, config=options))


def test_kernel_that_wants_signatures_is_told_from_one_that_does_not(kernel: Kernel) -> None:
    options = {**kernel.config, "MODULE_SIG_FORCE": "y"}
    with pytest.raises(Unavailable, match="signed modules only") as raised:
        modules.build(replace(kernel, config=options))
    assert "MODULES=" in raised.value.hint


def test_build_leaves_sources_and_headers_alone(
    kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "repository"
    for name in ("Kbuild", "kunit/coco_a.c", "kunit/coco_a.o", "machine/include/coco_abi.h"):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(name)
    monkeypatch.setattr(modules, "REPOSITORY", repository)
    monkeypatch.setenv("KBUILD_OUTPUT", "/not/for/us")
    headers = kernel.headers
    assert headers is not None
    (headers / "Makefile").write_text(
        "modules:\n\ttest -z '$(KBUILD_OUTPUT)' && ! test -e $(M)/kunit/coco_a.o\n"
        "\tcp /bin/true $(M)/kunit/coco_a.ko\n"
    )
    before = sorted(repository.rglob("*")), sorted(headers.rglob("*"))
    built = modules.build(kernel)
    assert built.names == ("coco_a",)
    assert (sorted(repository.rglob("*")), sorted(headers.rglob("*"))) == before
    (headers / "Makefile").write_text("modules:\n\tfalse\n")
    assert modules.build(kernel) == built
    (repository / "kunit/coco_a.c").write_text("changed")
    with pytest.raises(InfrastructureError, match="building the suites failed"):
        modules.build(kernel)


@pytest.mark.parametrize(
    ("config", "which", "own"),
    [
        ("", "", True),
        ("m", "", True),
        ("y", "", False),
        ("m", "kernel", False),
        ("y", "kernel", False),
        ("y", "own", True),
    ],
)
def test_kunit_that_is_a_module_is_not_relied_on(
    tmp_path: Path, config: str, which: str, own: bool
) -> None:
    header = tmp_path / "include/kunit/test.h"
    header.parent.mkdir(parents=True)
    header.write_text("#define kunit_skip\nsuite_init\nkunit_merge_suite_sets\n")
    text = f"include {parts.REPOSITORY}/kunit/Kbuild.probe\nall:\n\t@echo own=$(coco-own-kunit)\n"
    (tmp_path / "Makefile").write_text(text)
    words = [f"srctree={tmp_path}", f"CONFIG_KUNIT={config}", f"COCO_KUNIT={which}"]
    done = subprocess.run(["make", "-s", *words], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == f"own={'y' if own else ''}", done.stderr


def test_word_for_kbuild_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COCO_KUNIT", raising=False)
    assert modules._variables() == []
    monkeypatch.setenv("COCO_KUNIT", "kernel")
    assert modules._variables() == ["COCO_KUNIT=kernel"]


def test_suites_from_elsewhere(kernel: Kernel, tmp_path: Path) -> None:
    for name in ("coco", "coco_vc"):
        fake_kernel.module(tmp_path / "mods/deep" / f"{name}.ko")
    assert modules.prebuilt(tmp_path / "mods", kernel).names == ("coco", "coco_vc")


def test_suites_for_another_kernel_are_refused(kernel: Kernel, tmp_path: Path) -> None:
    fake_kernel.module(tmp_path / "mods/coco.ko", "6.98.0-other")
    with pytest.raises(UsageError, match="for kernel 6.98.0-other, the image is 6.99.1-test"):
        modules.prebuilt(tmp_path / "mods", kernel)
    with pytest.raises(UsageError, match="holds no coco.ko"):
        modules.prebuilt(tmp_path / "headers", kernel)


# ---- the compiler without the options that it lacks ----


def fake_compiler(folder: Path) -> Path:
    """Knows -O2, and prints what it was given."""
    path = folder / "cc"
    path.write_text(
        "#!/bin/sh\n"
        "for word; do case $word in -O2|-c|-x|c|*.c|/dev/null|-falign-functions=16) ;;\n"
        "*) echo \"cc1: error: unrecognized command-line option '$word'; did you mean 'x'?\" >&2\n"
        '   bad=1 ;; esac; done\ntest -z "$bad" || exit 1\necho "$@"\n'
    )
    path.chmod(0o755)
    return path


def wrapped(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(WRAPPER), *words],
        env={**os.environ, "COCO_CC": str(fake_compiler(folder))},
        capture_output=True,
        text=True,
        check=False,
    )


def test_unknown_options_are_left_out(tmp_path: Path) -> None:
    done = wrapped(tmp_path, "-O2", "-fnew", "-fmin-function-alignment=16", "-fnewer=a b", "a.c")
    assert (done.returncode, done.stdout) == (0, "-O2 -falign-functions=16 a.c\n")


def test_questions_to_the_compiler_get_the_truth(tmp_path: Path) -> None:
    assert wrapped(tmp_path, "-fnew", "-c", "-x", "c", "/dev/null").returncode == 1


def test_other_errors_are_kept(tmp_path: Path) -> None:
    fake_compiler(tmp_path).write_text("#!/bin/sh\necho 'a.c:1: error: no' >&2; exit 1\n")
    path = tmp_path / "cc"
    done = subprocess.run(
        [str(WRAPPER), "a.c"],
        env={**os.environ, "COCO_CC": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and "error: no" in done.stderr


# ---- the initramfs ----


def programs(folder: Path) -> Path:
    folder.mkdir()
    for name in ("init", "vc_user"):
        (folder / name).write_text(f"#!{name}")
        (folder / name).chmod(0o755)
    (folder / "notes").write_text("no program")
    return folder


def shipped(folder: Path) -> Path:
    """A module tree: sev-guest needs tsm by symbol, and gcm by name at run time."""
    place = folder / "lib/modules" / fake_kernel.RELEASE
    for name in ("virt/sev-guest.ko.xz", "virt/tsm.ko.xz", "fs/configfs.ko.xz", "crypto/gcm.ko.xz"):
        path = place / "kernel" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(lzma.compress(name.encode()))
    (place / "modules.dep").write_text(
        "kernel/virt/sev-guest.ko.xz: kernel/virt/tsm.ko.xz kernel/fs/configfs.ko.xz\n"
        "kernel/virt/tsm.ko.xz: kernel/fs/configfs.ko.xz\n"
        "kernel/fs/configfs.ko.xz:\n"
        "kernel/crypto/gcm.ko.xz:\n"
        "kernel/sound/noise.ko.xz:\n"
    )
    (place / "modules.builtin").write_text("kernel/drivers/char/virtio_console.ko\n")
    return folder


def unpack(archive: Path, folder: Path) -> Path:
    folder.mkdir()
    with open(archive, "rb") as file:
        subprocess.run(["cpio", "-id", "--quiet"], stdin=file, cwd=folder, check=True)
    return folder


def test_initramfs_holds_what_init_expects(kernel: Kernel, tmp_path: Path) -> None:
    kernel = replace(kernel, modules=shipped(tmp_path / "shipped"))
    suites = tmp_path / "suites"
    fake_kernel.module(suites / "coco.ko")
    made = image.initramfs(kernel, programs(tmp_path / "programs"), suites)
    root = unpack(made, tmp_path / "root")
    assert os.access(root / "init", os.X_OK) and os.access(root / "coco/selftests/vc_user", os.X_OK)
    assert not (root / "coco/selftests/notes").exists()
    assert (root / "coco/modules/coco.ko").exists()
    assert "CONFIG_KPROBES=y\n" in (root / "coco/config").read_text()
    place = root / "lib/modules" / kernel.release
    assert (place / "kernel/virt/sev-guest.ko").read_bytes() == b"virt/sev-guest.ko.xz"
    assert not (place / "kernel/sound").exists()
    table = dict(line.split(":", 1) for line in (place / "modules.dep").read_text().splitlines())
    assert table["kernel/virt/sev-guest.ko"].split() == [
        "kernel/virt/tsm.ko",
        "kernel/fs/configfs.ko",
        "kernel/crypto/gcm.ko",
    ]
    assert (place / "modules.builtin").exists()
    assert image.drivers(kernel) == ("sev-guest", "tsm", "configfs")


def test_equal_input_gives_an_equal_image(
    kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = programs(tmp_path / "programs")
    first = image.initramfs(kernel, folder).read_bytes()
    monkeypatch.setenv("COCO_CACHE", str(tmp_path / "other"))
    os.utime(folder / "init", (1e9, 1e9))
    assert image.initramfs(kernel, folder).read_bytes() == first


def test_changed_input_gives_another_image(kernel: Kernel, tmp_path: Path) -> None:
    folder = programs(tmp_path / "programs")
    first = image.initramfs(kernel, folder)
    (folder / "vc_user").write_text("#!changed")
    assert image.initramfs(kernel, folder) != first


@pytest.mark.parametrize(
    ("name", "needed"),
    [("kernel/fs/configfs.ko.xz", True), ("modules.builtin", True), ("kernel/other.ko", False)],
)
def test_driver_that_was_built_anew_gives_another_image(
    kernel: Kernel, tmp_path: Path, name: str, needed: bool
) -> None:
    kernel = replace(kernel, modules=shipped(tmp_path / "shipped"))
    folder = programs(tmp_path / "programs")
    first = image.initramfs(kernel, folder)
    changed = tmp_path / "shipped/lib/modules" / fake_kernel.RELEASE / name
    changed.write_bytes(lzma.compress(b"anew"))
    assert (image.initramfs(kernel, folder) != first) == needed


def test_kernel_without_modules_gets_an_image_too(kernel: Kernel, tmp_path: Path) -> None:
    root = unpack(image.initramfs(kernel, programs(tmp_path / "programs")), tmp_path / "root")
    assert (root / "init").exists() and not (root / "lib").exists()
    assert image.drivers(kernel) == ()


def test_missing_init_is_said(kernel: Kernel, tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="user space of the guest is not built"):
        image.initramfs(kernel, tmp_path)


# ---- configurations ----


def test_configuration_is_parsed() -> None:
    text = '# comment\nCONFIG_A=y\nCONFIG_B="a \\"b"\nCONFIG_C=0x10\n# CONFIG_D is not set\n'
    assert config.parse(text) == {"A": "y", "B": 'a \\"b', "C": "0x10"}


def test_requirement_is_met_by_any_of_its_options() -> None:
    need = config.Requirement(("A", "B"), "why")
    assert need.met({"B": "m"}) and not need.met({"A": "n", "C": "y"})
    valued = config.Requirement(("PANIC_TIMEOUT=-1",), "")
    assert valued.met({"PANIC_TIMEOUT": "-1"}) and not valued.met({"PANIC_TIMEOUT": "0"})
    assert str(need) == "CONFIG_A or CONFIG_B: why"


def test_personality_without_its_options_is_noted() -> None:
    options = {"AMD_MEM_ENCRYPT": "y", "INTEL_TDX_GUEST": "y"}
    (note,) = config.shortcomings(options, ("none", "sev", "sev-es", "tdx"))
    assert note.startswith("sev, sev-es: CONFIG_MTRR: ")
    assert config.shortcomings({**options, "MTRR": "y"}, ("none", "sev", "tdx")) == ()
