# SPDX-License-Identifier: GPL-2.0
"""Firmware for guests: which one is taken, and what is none."""

import argparse
import shutil
import subprocess
from pathlib import Path

import pytest

from coco import apt, cli, errors
from coco.apt import Package
from coco.errors import InfrastructureError, UsageError
from coco.kernels import firmware

pytestmark = pytest.mark.usefixtures("own_cache")


def _options(path: object = None) -> argparse.Namespace:
    return argparse.Namespace(firmware=path)


def test_own_file_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "OVMF.fd"
    path.write_bytes(bytes(8192))
    assert firmware.find(_options(str(path)), wanted=False) == path


@pytest.mark.parametrize("size", [0, 100, (16 << 20) + 4096])
def test_other_sizes_are_no_firmware(tmp_path: Path, size: int) -> None:
    path = tmp_path / "OVMF.fd"
    path.write_bytes(bytes(size))
    with pytest.raises(UsageError, match=f"{size} bytes"):
        firmware.find(_options(str(path)), wanted=True)


def test_no_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no file"):
        firmware.find(_options(str(tmp_path / "OVMF.fd")), wanted=True)


def test_where_no_suite_wants_it_there_is_none(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apt, "Client", Mirror)
    firmware.fetch()
    assert firmware.find(_options(), wanted=False) is None


CONTROL = """\
Package: {0.name}
Version: {0.version}
Architecture: all
Maintainer: nobody
Description: fake
"""


class Mirror:
    """Stands for apt: serves two versions, the newer one first, in packages of its own making."""

    def __init__(self, _say: object) -> None:
        pass

    def update(self) -> None:
        pass

    def packages(self, name: str) -> list[Package]:
        versions = ("2025.02-8", "2022.11-6")
        return [Package(name, version, "trixie", "", 1, "", "") for version in versions]

    def download(self, packages: list[Package], folder: Path) -> list[Package]:
        (package,) = packages
        room = folder / "room"
        path = room / firmware.FILE
        path.parent.mkdir(parents=True)
        path.write_text(package.version)
        (room / "DEBIAN").mkdir()
        (room / "DEBIAN/control").write_text(CONTROL.format(package))
        target = folder / f"{package.name}_{package.version}_all.deb"
        subprocess.run(["dpkg-deb", "-b", room, target], check=True, capture_output=True)
        shutil.rmtree(room)
        return []


def test_newest_of_the_mirror_is_fetched_and_found_again(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apt, "Client", Mirror)
    found = firmware.fetch()
    assert found == own_cache / firmware.KIND / "2025.02-8" / firmware.FILE
    assert found.read_text() == "2025.02-8"
    assert list(found.parents[3].iterdir()) == [found.parents[2]]  # the package itself is gone
    monkeypatch.setattr(apt, "Client", None)
    assert firmware.find(_options(), wanted=True) == found


def test_newest_of_the_cache_needs_no_network(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apt, "Client", None)
    for version in ("2022.11-6", "2025.02-8", "2024.02-2"):
        path = own_cache / firmware.KIND / version / firmware.FILE
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(4096))
    half = own_cache / firmware.KIND / ".new-2025.02-9" / firmware.FILE  # a killed run's
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    found = firmware.find(_options(), wanted=True)
    assert found and found.is_relative_to(own_cache / firmware.KIND / "2025.02-8")


def test_machine_s_own_is_taken_where_none_was_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apt, "Client", None)
    monkeypatch.setattr(firmware, "FILE", str(tmp_path / "OVMF.fd")[1:])
    assert firmware.find(_options(), True) is None
    (tmp_path / "OVMF.fd").write_bytes(bytes(4096))
    assert firmware.find(_options(), True) == tmp_path / "OVMF.fd"


# ---- coco fetch ----
def test_for_a_tree_firmware_alone_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(apt, "Client", Mirror)
    assert cli.main(["fetch", f"KDIR={tmp_path}"]) == errors.OK
    found = firmware.find(_options(), wanted=True)
    assert found and f"ready: firmware {found}" in capsys.readouterr().out


def test_without_network_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Nowhere:
        def __init__(self, say: object) -> None:
            raise InfrastructureError("the Debian mirror cannot be reached\ndetails")

    monkeypatch.setattr(apt, "Client", Nowhere)
    assert cli.main(["fetch", f"KDIR={tmp_path}"]) == errors.OK
    said = capsys.readouterr().out
    assert "no firmware was fetched: the Debian mirror cannot be reached\n" in said
