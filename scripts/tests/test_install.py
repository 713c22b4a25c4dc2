# SPDX-License-Identifier: GPL-2.0
"""An installed copy runs without the checkout, and its manual page is well-formed."""

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from coco import cache, cli, errors, man, parts, variables


@pytest.fixture
def installed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    root = tmp_path / "root"
    assert cli.main(["install", f"DESTDIR={root}", "PREFIX=/usr"]) == errors.OK
    capsys.readouterr()
    return root


def run(installed: Path, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    argv = [str(installed / "usr/bin/coco"), *words]
    environment = {"PATH": os.environ["PATH"], "COCO_CACHE": str(cwd / "cache")}
    return subprocess.run(
        argv, capture_output=True, text=True, check=False, cwd=cwd, env=environment
    )


def test_installed_program_knows_its_version_and_its_suites(
    installed: Path, tmp_path: Path
) -> None:
    library = installed / "usr/lib/coco-guest-tests"
    assert (library / "VERSION").read_text().strip() == parts.version()
    done = run(installed, "catalogue", cwd=tmp_path)
    assert done.returncode == errors.OK, done.stdout + done.stderr
    assert "unknown" not in (library / "backports/date").read_text()


def test_installed_program_builds_what_it_runs(installed: Path, tmp_path: Path) -> None:
    for part in ("machine", "selftests"):
        done = run(installed, part, cwd=tmp_path)
        assert done.returncode == errors.OK, done.stdout + done.stderr
    assert not [path for path in installed.rglob("*.o")]
    image = next((tmp_path / "cache").rglob("machine.elf")).read_bytes()
    assert parts.version().encode() in image


def test_installed_program_writes_where_it_is_run(installed: Path, tmp_path: Path) -> None:
    done = run(installed, "tarball", cwd=tmp_path)
    assert done.returncode == errors.OK, done.stdout + done.stderr
    assert list((tmp_path / "build").glob("coco-guest-*.tar.gz"))
    for words, said in (
        (["test"], "run them in a checkout"),
        (["new-test", "NAME=my_path"], "written in a checkout"),
    ):
        done = run(installed, *words, cwd=tmp_path)
        assert done.returncode == errors.USAGE and said in done.stderr


def test_installed_program_is_called_by_its_name_in_hints(installed: Path, tmp_path: Path) -> None:
    for words in (["--help"], ["compare", "a.json", "b.json"], ["report", "a.json"], ["--nothing"]):
        done = run(installed, *words, cwd=tmp_path)
        assert "scripts/coco" not in done.stdout + done.stderr
    page = gzip.decompress((installed / "usr/share/man/man1/coco.1.gz").read_bytes())
    assert b"scripts/coco" not in page


def test_installed_program_removes_only_what_it_made(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is run beside the user's own trees, of which one may be called build or results."""
    for name in ("build/coco-guest-1.tar.gz", "build/vmlinux", "results/mine", "cache/local/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    done = run(installed, "clean", "ALL=1", cwd=tmp_path)
    assert done.returncode == errors.USAGE and cache.TAG in done.stdout + done.stderr
    assert (tmp_path / "cache/local/x").exists()
    shutil.rmtree(tmp_path / "cache")
    monkeypatch.setenv("COCO_CACHE", str(tmp_path / "cache"))
    cache.folder("local")
    done = run(installed, "clean", "ALL=1", cwd=tmp_path)
    assert done.returncode == errors.OK, done.stdout + done.stderr
    assert (tmp_path / "build/vmlinux").exists() and (tmp_path / "results/mine").exists()
    assert not (tmp_path / "build/coco-guest-1.tar.gz").exists()
    assert not (tmp_path / "cache/local").exists()


def test_nothing_in_it_names_the_place_where_it_was_made(installed: Path) -> None:
    places = (str(installed).encode(), str(parts.REPOSITORY).encode())
    for path in installed.rglob("*"):
        if path.is_symlink():
            assert not os.path.isabs(os.readlink(path))
        elif path.is_file():
            content = path.read_bytes()
            assert not any(place in content for place in places), path
            assert path.stat().st_mode & 0o7777 in (0o644, 0o755), path


def test_install_again_leaves_nothing_of_the_old_one(installed: Path) -> None:
    stale = installed / "usr/lib/coco-guest-tests/kunit/coco_gone.c"
    stale.touch()
    assert cli.main(["install", f"DESTDIR={installed}", "PREFIX=/usr"]) == errors.OK
    assert not stale.exists()


def test_install_leaves_what_is_not_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = tmp_path / "usr/lib/coco-guest-tests/precious"
    theirs.parent.mkdir(parents=True)
    theirs.touch()
    assert cli.main(["install", f"DESTDIR={tmp_path}", "PREFIX=/usr"]) == errors.USAGE
    assert theirs.exists() and "none of ours" in capsys.readouterr().err
    assert cli.main(["install", f"DESTDIR={tmp_path}", "PREFIX=usr"]) == errors.USAGE


def test_makefile_has_every_command() -> None:
    text = (parts.REPOSITORY / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    verbs = text.partition("\nVERBS := ")[2].partition("\n")[0].split()
    assert sorted(verbs) == sorted(verb.name for verb in cli.VERBS)


# ---- the manual page ----
def test_manual_page_has_every_command_and_variable(installed: Path) -> None:
    packed = (installed / "usr/share/man/man1/coco.1.gz").read_bytes()
    text = gzip.decompress(packed).decode()
    for verb in cli.VERBS:
        assert f".B {verb.name.replace('-', chr(92) + '-')}\n" in text
    for name in variables.VARIABLES:
        assert f".BI {name}= " in text


def test_every_exit_code_is_in_the_help_and_in_the_manual_page() -> None:
    page = "\n".join(man.page()).partition(".SH EXIT STATUS")[2]
    codes = (errors.OK, errors.FINDING, errors.USAGE, errors.INFRASTRUCTURE)
    ends = (errors.NOTHING_APPLICABLE, errors.INTERRUPTED)
    for code in (*codes, *ends, errors.BISECT_SKIP, errors.BISECT_ABORT):
        assert f"\n  {code:<5}" in cli.EXIT_CODES and f"\n.B {code}\n" in page


def test_what_a_variable_means_to_one_command_is_in_its_help_and_in_the_manual_page() -> None:
    page = "\n".join(man.page())
    taken = {verb.name: verb.variables for verb in cli.VERBS}
    assert "results/latest" in variables.of_verb("RESULTS")["report"]
    for name in variables.VARIABLES:
        for verb, text in variables.of_verb(name).items():
            assert name in taken[verb]
            assert text in " ".join(variables.describe([name], verb).split())
            assert text in page.replace("\\-", "-")


def test_manual_page_is_well_formed(tmp_path: Path) -> None:
    if not shutil.which("groff"):
        pytest.skip("groff is not installed")
    (tmp_path / "coco.1").write_text("\n".join(man.page()) + "\n", encoding="utf-8")
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-P-cbou", str(tmp_path / "coco.1")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and done.stderr == ""
    assert "KERNELS=" in done.stdout and "EXIT STATUS" in done.stdout
