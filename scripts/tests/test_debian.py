# SPDX-License-Identifier: GPL-2.0
"""Shipped kernels: which package versions are chosen, with a mirror that is a table."""

import json
from pathlib import Path
from typing import Any

import fake_kernel
import pytest

from coco import apt, cache
from coco.errors import CocoError, InfrastructureError, UsageError
from coco.kernels import debian


pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture(autouse=True)
def bookworm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: {"VERSION_CODENAME": "bookworm"})


def package(name: str, version: str, suite: str = "bookworm", depends: str = "") -> apt.Package:
    return apt.Package(name, version, suite, f"pool/{name}.deb", 1 << 20, "0" * 64, depends)


def kernel(release: str, version: str, suite: str, kbuild: str = "") -> list[apt.Package]:
    """All packages of one kernel."""
    base = release.removesuffix("-cloud-amd64")
    kbuild = kbuild or f"linux-kbuild-{base}"
    needs = f"linux-headers-{base}-common (= {version}), {kbuild}, gcc-12"
    return [
        package(f"linux-image-{release}", version, suite, "kmod, linux-base"),
        package(f"linux-headers-{release}", version, suite, needs),
        package(f"linux-headers-{base}-common", version, suite),
        package(kbuild, version, suite, "libc6 (>= 2.14), libelf1, zlib1g"),
    ]


INDEX = [
    package("linux-image-cloud-amd64", "6.1.192-2"),
    package("linux-image-6.12-cloud-amd64", "6.12.117-1~deb12u1"),
    *kernel("6.1.0-56-cloud-amd64", "6.1.192-2", "bookworm-security", "linux-kbuild-6.1"),
    *kernel("6.1.0-55-cloud-amd64", "6.1.192-1", "bookworm-security", "linux-kbuild-6.1"),
    *kernel("6.12.95+deb12-cloud-amd64", "6.12.95-1~bpo12+1", "bookworm-backports"),
    *kernel("6.12.117+deb12-cloud-amd64", "6.12.117-1~deb12u1", "bookworm-security"),
    *kernel("6.12.120+deb13-cloud-amd64", "6.12.120-1", "trixie-security"),
    *kernel("7.2.12+deb13-cloud-amd64", "7.2.12-1~bpo13+1", "trixie-backports"),
]


class Mirror:
    """Stands for apt: serves INDEX, has lost some of it, and packs kernels out of nothing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.index = list(INDEX)
        self.lost: set[str] = set()
        self.asked: list[str] = []
        self.down = False
        monkeypatch.setattr(debian.apt, "Client", lambda say: self)
        monkeypatch.setattr(debian.unpacked, "unpack", self.unpack)
        monkeypatch.setattr(debian.unpacked, "finish", lambda folder: None)
        monkeypatch.setattr(debian, "deb", lambda package, folder: Path(package.name))

    def update(self) -> list[str]:
        if self.down:
            raise InfrastructureError("the Debian mirror cannot be reached")
        return []

    def packages(self, _pattern: str) -> list[apt.Package]:
        return self.index

    def download(self, packages: list[apt.Package], _folder: Path) -> list[apt.Package]:
        self.asked = [one.name for one in packages]
        return [one for one in packages if one.name in self.lost]

    def unpack(self, debs: list[Path], folder: Path) -> None:
        for path in debs:
            if path.name.startswith("linux-image-"):
                release = path.name.removeprefix("linux-image-")
                (folder / "boot").mkdir()
                (folder / "boot" / f"vmlinuz-{release}").write_bytes(fake_kernel.image(release))
                (folder / "boot" / f"config-{release}").write_text(fake_kernel.BOOTABLE)


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Mirror:
    return Mirror(monkeypatch)


@pytest.mark.parametrize(
    ("spec", "version"),
    [
        ("debian", "6.12.117-1~deb12u1"),
        ("debian:6.12", "6.12.117-1~deb12u1"),
        ("debian:6.12.95", "6.12.95-1~bpo12+1"),
        ("debian:6.12.120+deb13-cloud-amd64", "6.12.120-1"),
        ("debian:6.1", "6.1.192-2"),
        ("debian:6.1.192-1", "6.1.192-1"),
        ("debian:6", "6.12.117-1~deb12u1"),
        ("debian:7.x", "7.2.12-1~bpo13+1"),
    ],
)
def test_best_version_is_fetched_and_found_again(spec: str, version: str, mirror: Mirror) -> None:
    fetched = debian.fetch(spec)
    assert version in fetched.name
    assert debian.resolve(spec) == fetched


def test_all_packages_of_a_kernel_are_fetched(mirror: Mirror) -> None:
    debian.fetch("debian:6.1")
    assert mirror.asked == [
        "linux-image-6.1.0-56-cloud-amd64",
        "linux-headers-6.1.0-56-cloud-amd64",
        "linux-headers-6.1.0-56-common",
        "linux-kbuild-6.1",
    ]


def test_split_image_is_fetched_in_its_parts(mirror: Mirror) -> None:
    release, version = "7.3.4+deb13-cloud-amd64", "7.3.4-1"
    split = [f"linux-{part}-{release}" for part in ("base", "binary", "modules")]
    parts = ", ".join(f"{name} (= {version})" for name in split)
    mirror.index = [
        package(f"linux-image-{release}", version, depends=f"kmod, {parts}"),
        *(package(name, version) for name in split),
    ]
    with pytest.raises(InfrastructureError, match="holds no kernel image"):
        debian.fetch("debian:7.x")
    assert mirror.asked == split


def test_image_without_its_other_half_is_gone(mirror: Mirror) -> None:
    release, version = "7.3.4+deb13-cloud-amd64", "7.3.4-1"
    needs = f"linux-binary-{release} (= {version}), linux-modules-{release} (= {version})"
    mirror.index += [
        package(f"linux-image-{release}", version, depends=needs),
        package(f"linux-binary-{release}", version),
    ]
    said: list[str] = []
    assert "7.2.12" in debian.fetch("debian:7.x", said.append).name
    assert any(f"not its linux-modules-{release}" in text for text in said)


def test_lost_package_means_the_next_older_kernel(mirror: Mirror) -> None:
    said: list[str] = []
    mirror.lost = {"linux-headers-6.1.0-56-common"}
    assert "6.1.192-1" in debian.fetch("debian:6.1", said.append).name
    assert any("gone (404)" in text and "next older" in text for text in said)


def test_all_lost_is_an_error(mirror: Mirror, own_cache: Path) -> None:
    mirror.lost = {"linux-kbuild-6.1"}
    with pytest.raises(InfrastructureError, match="parts of it are gone"):
        debian.fetch("debian:6.1")
    assert list((own_cache / "debian").iterdir()) == []


def test_unknown_version_names_what_there_is(mirror: Mirror) -> None:
    with pytest.raises(UsageError, match="serves no kernel debian:4.19") as raised:
        debian.fetch("debian:4.19")
    assert raised.value.hint == "it serves debian:6.1, debian:6.12, debian:7.2"


def test_without_network_what_was_fetched_stays(mirror: Mirror) -> None:
    mirror.down = True
    with pytest.raises(InfrastructureError, match="cannot be reached"):
        debian.fetch("debian:6.12")
    mirror.down = False
    fetched = debian.fetch("debian:6.12")
    mirror.down = True
    assert debian.fetch("debian:6.12") == fetched


def test_check_says_how_to_fetch(own_cache: Path) -> None:
    with pytest.raises(InfrastructureError, match="debian:7.x is not in the cache") as raised:
        debian.resolve("debian:7.x")
    assert "coco fetch KERNEL=debian:7.x" in raised.value.hint
    assert not (own_cache / "debian").exists()


def test_newer_libc_is_fetched_along(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.confstr", lambda name: "glibc 2.36")
    parts = [package("linux-kbuild-7.3", "7.3", depends="pahole, libc6 (>= 2.38), libelf1t64")]
    libraries = [package("libc6", "2.36"), package("libc6", "2.41"), package("libelf1t64", "1")]
    found = debian._newer_libraries(parts, libraries)
    assert [(one.name, one.version) for one in found] == [("libc6", "2.41"), ("libelf1t64", "1")]
    monkeypatch.setattr("os.confstr", lambda name: "glibc 2.41")
    assert debian._newer_libraries(parts, libraries) == []


# ---- the real client, with commands that are tables ----


def test_machine_sources_are_told_from_foreign_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    uris = (
        "'http://mirror/debian/dists/bookworm/InRelease' x 0\n"
        "'http://mirror/debian/dists/bookworm-updates/InRelease' x 0\n"
        "'http://mirror/security/dists/bookworm-security/InRelease' x 0\n"
        "'https://foreign/apt/dists/nodistro/InRelease' x 0\n"
    )
    monkeypatch.setattr(apt.command, "output", lambda *args: uris)
    expected = (["http://mirror/debian"], ["http://mirror/security"])
    assert apt.Client()._mirrors() == expected


def test_no_debian_sources_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt.command, "output", lambda *args: "")
    with pytest.raises(InfrastructureError, match="name no Debian archive"):
        apt.Client()._mirrors()


def fail_with(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(argv: list[str], log: Path, *args: Any, **more: Any) -> None:
        log.write_text(text)
        raise apt.command.CommandFailed("apt-get failed")

    monkeypatch.setattr(apt.command, "run", run)


def test_missing_suites_are_skipped_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    served = [*apt.MAIN_SUITES[1:], *apt.SECURITY_SUITES]
    text = "".join(f"Get:1 http://mirror/debian {suite} InRelease [1 kB]\n" for suite in served)
    text += (
        f"E: The repository 'http://m {apt.MAIN_SUITES[0]} Release' does not have a Release file.\n"
    )
    fail_with(text, monkeypatch)
    notes = apt.Client()._update_suites()
    assert notes == [f"the mirror does not serve {apt.MAIN_SUITES[0]}: skipped"]


def test_no_network_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(
        "E: Failed to fetch http://m/InRelease  Temporary failure resolving 'm'\n", monkeypatch
    )
    with pytest.raises(InfrastructureError, match="cannot be reached, and nothing was ever") as it:
        apt.Client()._update_suites()
    assert "Temporary failure" in it.value.message


def test_download_tells_lost_from_unreachable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = [package("linux-image-6.12.1+deb12-cloud-amd64", "1"), package("other", "1")]
    fail_with(
        "E: Failed to fetch http://m/linux-image-6.12.1%2bdeb12-cloud-amd64_1_a.deb  404  Not\n",
        monkeypatch,
    )
    assert apt.Client().download(wanted, tmp_path) == wanted[:1]
    fail_with("E: Failed to fetch http://m/x.deb  Connection timed out\n", monkeypatch)
    with pytest.raises(InfrastructureError, match="timed out"):
        apt.Client().download(wanted, tmp_path)


def test_wrong_content_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt.command, "run", lambda *args, **more: None)
    (tmp_path / "other_1_amd64.deb").write_bytes(b"content")
    with pytest.raises(CocoError, match="the signed index says 0000"):
        apt.Client().download([package("other", "1")], tmp_path)


def test_dependencies_are_read() -> None:
    text = "pahole, libc6 (>= 2.38), linux-a (= 1.0-1) | linux-b, gcc-14:any"
    one = package("x", "1", depends=text)
    assert one.requirements == [
        ("pahole", ""),
        ("libc6", ""),
        ("linux-a", "1.0-1"),
        ("gcc-14", ""),
    ]


def test_entry_of_the_cache_says_what_it_is(mirror: Mirror, own_cache: Path) -> None:
    debian.fetch("debian:6.12")
    facts = json.loads(next((own_cache / "debian").glob("*/kernel.json")).read_text())
    assert facts["version"] == "6.12.117-1~deb12u1"
    assert cache.key(facts["release"]) in str(next((own_cache / "debian").iterdir()))
