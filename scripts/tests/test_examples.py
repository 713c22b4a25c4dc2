# SPDX-License-Identifier: GPL-2.0
"""The examples for CI systems run as they stand."""

import os
import shutil
import subprocess
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
    kept = {key: value for key, value in os.environ.items() if key != "COCO_KDIR"}
    done = subprocess.run(
        [*argv, str(package), "--", "null"],
        capture_output=True,
        text=True,
        check=False,
        # A tree that checkpatch comes from is no kernel to check
        env={**kept, "DEBIAN_FRONTEND": "noninteractive"},
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
