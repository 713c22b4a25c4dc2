# SPDX-License-Identifier: GPL-2.0
"""The examples for CI systems run as they stand."""

import os
import shutil
import struct
import subprocess
import tarfile
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from coco import cache, kernels, parts, results
from coco.errors import CocoError

EXAMPLE = parts.REPOSITORY / "examples/autopkgtest"
CHANGELOG = """example (1.0) unstable; urgency=low

  * Example.

 -- Nobody <nobody@example.org>  Sat, 28 Nov 2026 12:00:00 +0000
"""
CONTROL = """Source: example
Maintainer: Nobody <nobody@example.org>

Package: example
Architecture: all
Description: example
"""


def without_tree() -> dict[str, str]:
    """Our environment; a tree that checkpatch comes from is no kernel to check, or to build."""
    return {key: value for key, value in os.environ.items() if key != "COCO_KDIR"}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A source package of this checkout's files and the example's debian/tests."""
    if not shutil.which("autopkgtest"):
        pytest.skip("autopkgtest is not installed")
    tree = tmp_path / "example-1.0"
    listing = subprocess.run(
        ["git", "-C", str(parts.REPOSITORY), "ls-files", "-z", "--cached", "--others"]
        + ["--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listing.split("\0")):
        source = parts.REPOSITORY / name
        if source.is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, tree / name)
    shutil.copytree(EXAMPLE / "tests", tree / "debian/tests")
    (tree / "debian/changelog").write_text(CHANGELOG, encoding="utf-8")
    (tree / "debian/control").write_text(CONTROL, encoding="utf-8")
    return tree


def autopkgtest(package: Path, name: str, **words: str) -> tuple[int, str, Path]:
    out = package.parent / "out"
    environment = [f"--env={key}={value}" for key, value in words.items()]
    argv = ["autopkgtest", "-B", f"--test-name={name}", f"--output-dir={out}", *environment]
    done = subprocess.run(
        [*argv, str(package), "--", "null"],
        capture_output=True,
        text=True,
        check=False,
        env={**without_tree(), "DEBIAN_FRONTEND": "noninteractive"},
    )
    return done.returncode, done.stdout + done.stderr, out


def test_autopkgtest_of_a_shipped_kernel(package: Path) -> None:
    try:
        kernels.resolve(kernels.Request(kernel="debian:6.12"))
    except CocoError as error:
        pytest.skip(error.message)
    status, text, out = autopkgtest(
        package,
        "shipped-kernel",
        COCO_CACHE=str(cache.root()),
        COCO_KERNEL="debian:6.12",
        COCO_PERSONALITY="none",
        COCO_SUITE="technology",
        COCO_JOBS="1",
        COCO_PATIENCE="4",
    )
    assert status == 0, text
    document = results.read(out / "artifacts/coco")
    assert document["verdict"]["word"] == "OK"
    root = ET.parse(out / "artifacts/coco/junit.xml").getroot()
    assert root.find(".//testcase[@classname='none.technology']") is not None


def test_autopkgtest_of_a_testbed_without_technology_is_skipped(package: Path) -> None:
    facts = subprocess.run(
        parts.selftests() / "guest_facts", capture_output=True, text=True, check=True
    )
    if "technology=none" not in facts.stdout:
        pytest.skip("this is a confidential guest: it would run here, and load modules")
    status, text, _ = autopkgtest(package, "guest", COCO_CACHE=str(cache.root()))
    assert status in (2, 8), text  # a test was skipped, or no test ran
    assert "SKIP" in text


def test_autopkgtest_depends_on_what_the_programs_are_built_with() -> None:
    for stanza in (EXAMPLE / "tests/control").read_text(encoding="utf-8").split("\n\n"):
        depends = stanza.partition("Depends:")[2].partition("Restrictions:")[0]
        words = {word.strip() for word in depends.split(",")}
        assert {"gcc", "libbearssl-dev", "libc6-dev", "make"} <= words, stanza


# ---- packages with signed modules ----

PACKAGES = parts.REPOSITORY / "examples/packages"
SIGNED = b"~Module signature appended~\n"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked archive for a guest, with the example's files and a key in it."""
    folder = tmp_path_factory.mktemp("packages")
    file = folder / "coco-guest.tar.gz"
    subprocess.run(
        [parts.REPOSITORY / "scripts/coco", "tarball", f"FILE={file}"],
        check=True,
        capture_output=True,
        env=without_tree(),
    )
    with tarfile.open(file) as packed:
        packed.extractall(folder)
    place = folder / "coco-guest"
    shutil.copytree(PACKAGES / "debian", place / "debian")
    for name in ("build-modules", "coco-guest.spec"):
        shutil.copy2(PACKAGES / name, place / name)
    words = "req -new -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=example -keyout key -out cert"
    subprocess.run(["openssl", *words.split()], cwd=place, check=True, capture_output=True)
    return place


@pytest.fixture(scope="module")
def headers() -> kernels.Kernel:
    try:
        kernel = kernels.resolve(kernels.Request(kernel="debian:6.12"))
    except CocoError as error:
        pytest.skip(error.message)
    if kernel.headers is None:
        pytest.skip(kernel.no_headers)
    return kernel


def assert_signed(module: Path, cert: Path) -> None:
    """Its appended PKCS #7 message is that of the certificate over all that stands before it."""
    data = module.read_bytes()
    assert data.endswith(SIGNED)
    data = data.removesuffix(SIGNED)
    (size,) = struct.unpack(">I", data[-4:])  # the last of struct module_signature's 12 bytes
    signature, content = module.with_suffix(".sig"), module.with_suffix(".data")
    signature.write_bytes(data[-12 - size : -12])
    content.write_bytes(data[: -12 - size])
    words = f"cms -verify -binary -inform DER -in {signature} -content {content}"
    words += f" -certfile {cert} -noverify -out /dev/null"
    subprocess.run(["openssl", *words.split()], check=True, capture_output=True)


def assert_complete(place: Path, kernel: kernels.Kernel, cert: Path) -> None:
    modules = sorted((place / "modules" / kernel.release).glob("*.ko"))
    assert {"coco.ko", "coco_vc.ko"} <= {module.name for module in modules}
    for module in modules:
        assert_signed(module, cert)
    usage = subprocess.run([place / "run-guest", "--help"], capture_output=True, text=True)
    assert usage.returncode == 0 and "--expect" in usage.stdout


def test_deb_of_signed_modules(archive: Path, headers: kernels.Kernel, tmp_path: Path) -> None:
    if not shutil.which("dpkg-buildpackage"):
        pytest.skip("dpkg-buildpackage is not installed")
    words = {"RELEASE": headers.release, "HEADERS": str(headers.headers)}
    subprocess.run(
        ["dpkg-buildpackage", "-b", "-us", "-uc"],
        cwd=archive,
        env={**os.environ, **words, "KEY": "key", "CERT": "cert"},
        check=True,
        capture_output=True,
    )
    subprocess.run(
        ["dpkg-deb", "-x", archive.parent / "coco-guest_1_amd64.deb", tmp_path], check=True
    )
    assert_complete(tmp_path / "usr/lib/coco-guest", headers, archive / "cert")


def test_rpm_of_signed_modules(archive: Path, headers: kernels.Kernel, tmp_path: Path) -> None:
    if not shutil.which("rpmbuild"):
        pytest.skip("rpmbuild is not installed")
    defined = {
        "release_of_kernel": headers.release,
        "headers": str(headers.headers),
        "key": str(archive / "key"),
        "cert": str(archive / "cert"),
        "_topdir": str(tmp_path / "rpmbuild"),
    }
    words = [word for name, value in defined.items() for word in ("--define", f"{name} {value}")]
    subprocess.run(
        ["rpmbuild", "-bb", "--build-in-place", *words, "coco-guest.spec"],
        cwd=archive,
        check=True,
        capture_output=True,
    )
    (file,) = (tmp_path / "rpmbuild/RPMS").rglob("*.rpm")
    content = subprocess.run(["rpm2cpio", file], check=True, capture_output=True).stdout
    subprocess.run(["cpio", "-idm", "--quiet"], cwd=tmp_path, input=content, check=True)
    assert_complete(tmp_path / "usr/lib/coco-guest", headers, archive / "cert")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({}, "RELEASE= is not set"),
        ({"RELEASE": "6.12.0-none"}, "KEY= and CERT= are not set"),
        ({"RELEASE": "6.12.0-none", "KEY": "key", "CERT": "cert"}, "no headers in"),
    ],
)
def test_what_is_missing_is_said(words: dict[str, str], said: str, tmp_path: Path) -> None:
    kept = {key: value for key, value in os.environ.items() if key not in ("RELEASE", "KEY")}
    done = subprocess.run(
        [PACKAGES / "build-modules"],
        cwd=tmp_path,
        env={**kept, **words},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert said in done.stderr
