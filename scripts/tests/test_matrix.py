# SPDX-License-Identifier: GPL-2.0
"""The matrix: what is in it, that it goes on where it was, and the page in a real browser."""

import argparse
import html.parser
import json
import shutil
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest
from documents import case, document, run

from coco import audit, check, cli, errors, files, kernels, matrix, matrix_page, parts, plot
from coco import qemu, results
from coco.errors import UsageError
from coco.screen import Screen

EVERY = ("none", "sev", "sev-es", "sev-snp", "tdx")
CONFIG = {
    option: "y"
    for option in "AMD_MEM_ENCRYPT INTEL_TDX_GUEST SWIOTLB MTRR UNACCEPTED_MEMORY SEV_GUEST".split()
}


def kernel(folder: Path, version: str) -> kernels.Kernel:
    file = folder / f"vmlinuz-{version}"
    file.write_bytes(bytes(0x20E) + bytes(0x4000))
    return kernels.Kernel(
        name=f"Fake {version} <b>",
        source="local",
        release=f"{version}-fake",
        vmlinuz=file,
        sha256=version.replace(".", "").ljust(64, "0"),
        config=CONFIG,
        technologies=EVERY,
    )


def result(one: kernels.Kernel, *runs: dict[str, Any]) -> dict[str, Any]:
    made = document(*runs, sources=parts.suite_sources())
    made["kernel"] |= {"name": one.name, "release": one.release, "sha256": one.sha256}
    return made


FIRST = (
    run("none", case("boot.reaches_init")),
    run("sev-snp", case("boot.reaches_init"), case("vc.a"), boot_seconds=4.0),
    run("tdx", case("boot.reaches_init", "fail", "finding", message="<panic> & more")),
)
SECOND = (
    run("none", case("boot.reaches_init")),
    run("sev-snp", case("boot.reaches_init"), case("vc.a", "fail", "known", reference="no fix")),
    run("tdx", case("boot.reaches_init"), boot_seconds=6.5),
)


class World:
    """Two kernels whose checks are fakes that count."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "matrix"
        self.kernels = {"fake:6.9": kernel(folder, "6.9.1"), "fake:6.12": kernel(folder, "6.12.1")}
        self.runs: dict[str, tuple[Any, ...]] = {"fake:6.9": FIRST, "fake:6.12": SECOND}
        self.checked: list[str] = []
        self.exit = errors.OK
        self.words: tuple[str, ...] = ()  # besides KERNELS=
        self.machine = folder / "machine.elf"
        self.machine.touch()
        self.qemu = "7.2.0"
        monkeypatch.setattr(parts, "machine", lambda _say: self.machine)
        monkeypatch.setattr(qemu, "find", lambda _words: qemu.Qemu(("qemu",), self.qemu))
        monkeypatch.setattr(kernels, "resolve", self.resolve)
        monkeypatch.setattr(check, "check", self.check)

    def resolve(self, options: argparse.Namespace, _say: object) -> kernels.Kernel:
        if options.kernel not in self.kernels:
            raise UsageError(f"{options.kernel} is not fetched", "coco fetch")
        return self.kernels[options.kernel]

    def check(self, options: argparse.Namespace, words: list[str], _screen: Screen) -> int:
        assert words[0] == f"KERNEL={options.kernel}"
        self.checked.append(options.kernel)
        folder = Path(options.results)
        folder.mkdir(parents=True)
        made = result(self.kernels[options.kernel], *self.runs[options.kernel])
        made["verdict"]["exit"] = self.exit
        made |= {"words": words, "tier": options.tier}
        made["machine"]["sha256"] = files.sha256(self.machine)
        made["qemu"]["version"] = self.qemu
        results.write(folder, made)
        return 0

    def matrix(self, *words: str) -> int:
        with (self.folder.parent / "screen").open("w") as out:
            options = argparse.Namespace(
                kernels=" ".join(words), results=str(self.folder), jobs=None, tier=None, qemu=None
            )
            for name, _, text in (word.partition("=") for word in self.words):
                setattr(options, name.lower(), text)
            return matrix.run(options, [f"KERNELS={' '.join(words)}", *self.words], Screen(out))

    @property
    def document(self) -> dict[str, Any]:
        made: dict[str, Any] = json.loads((self.folder / "matrix.json").read_text())
        return made

    @property
    def page(self) -> str:
        return (self.folder / "index.html").read_text(encoding="utf-8")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


@pytest.fixture
def both(world: World) -> World:
    world.matrix("fake:6.12", "fake:6.9")
    return world


def test_kernels_are_in_order_of_version(both: World) -> None:
    assert [one["word"] for one in both.document["kernels"]] == ["fake:6.9", "fake:6.12"]
    assert both.document["kernels"][0]["boots"] == {"none": 1.5, "sev-snp": 4.0, "tdx": 1.5}


def test_first_and_changes_follow_from_the_order(both: World) -> None:
    found = both.document
    assert found["first"]["sev-snp boot"] == "fake:6.9"
    assert found["first"]["tdx boot"] == "fake:6.12"
    assert "sev boot" not in found["first"]
    (change,) = found["changes"]
    assert (change["old"], change["new"]) == ("fake:6.9", "fake:6.12")
    assert ["tdx boot", "broken", "supported"] in change["features"]
    assert ["sev-snp exceptions", "supported", "broken"] in change["features"]
    assert change["cases"] == {"better": 1, "worse": 1}


def test_what_is_there_is_not_checked_again(both: World) -> None:
    assert both.checked == ["fake:6.12", "fake:6.9"]
    both.matrix("fake:6.9")
    assert both.checked == ["fake:6.12", "fake:6.9"]
    # The earlier kernels stay, also when none is named
    assert len(both.document["kernels"]) == 2
    both.matrix()
    assert len(both.document["kernels"]) == 2 and len(both.checked) == 2


@pytest.mark.parametrize("spoilt", ["image", "suites", "incomplete"])
def test_what_no_longer_holds_is_checked_again_and_kept(both: World, spoilt: str) -> None:
    path = both.folder / "fake_6.9"
    old = results.read(path)
    if spoilt == "image":
        old["kernel"]["sha256"] = "f" * 64
    elif spoilt == "suites":
        old["sources"] = {"vc": "0"}
    else:
        old["complete"] = False
    results.write(path, old)
    both.matrix("fake:6.9")
    assert both.checked[2:] == ["fake:6.9"]
    assert results.read(both.folder / "fake_6.9.old1") == old


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("SUITE=vc",), "other words"),
        (("TIER=smoke",), "other tier"),
        (("JOBS=1", "PATIENCE=2"), ""),
        (("machine",), "other machine"),
        (("QEMU",), "other QEMU"),
    ],
)
def test_results_by_other_means_are_not_taken_over(
    world: World, words: tuple[str, ...], why: str
) -> None:
    world.matrix("fake:6.12")
    if words == ("machine",):
        world.machine.write_bytes(b"other")
    elif words == ("QEMU",):
        world.qemu = "9.0.0"
    else:
        world.words = words
    world.matrix()
    assert (len(world.checked) == 2) == bool(why)
    assert why in (world.folder.parent / "screen").read_text()


def test_interrupted_matrix_keeps_what_it_has(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = world.check

    def interrupted(options: argparse.Namespace, words: list[str], screen: Screen) -> int:
        return real(options, words, screen) if options.kernel == "fake:6.9" else errors.INTERRUPTED

    monkeypatch.setattr(check, "check", interrupted)
    with pytest.raises(KeyboardInterrupt):
        world.matrix("fake:6.9", "fake:6.12")
    assert [one["word"] for one in world.document["kernels"]] == ["fake:6.9"]
    assert world.document["asked"] == ["fake:6.9", "fake:6.12"]


def test_kernel_that_cannot_be_had_is_named_and_comes_last(world: World) -> None:
    assert world.matrix("fake:nonesuch", "fake:6.12") == errors.INFRASTRUCTURE
    last = world.document["kernels"][-1]
    assert last["word"] == "fake:nonesuch"
    assert last["reason"] == "fake:nonesuch is not fetched; coco fetch"
    assert "could not run: fake:nonesuch is not fetched; coco fetch" in world.page


def test_kernel_that_never_was_had_is_tried_again_only_when_it_is_asked_for(world: World) -> None:
    world.matrix("fake:nonesuch", "fake:6.12")
    world.matrix("fake:nonesuch")
    assert world.document["asked"] == ["fake:6.12", "fake:nonesuch"]
    assert world.matrix() == errors.FINDING  # that of fake:6.12
    assert world.document["asked"] == ["fake:6.12"]
    # One that was had stays, even if it cannot be had any more
    del world.kernels["fake:6.12"]
    assert world.matrix() == world.matrix() == errors.INFRASTRUCTURE


def test_exit_code_tells_a_broken_kernel(world: World) -> None:
    assert world.matrix("fake:6.9") == errors.FINDING
    world.runs["fake:6.12"] = (run("none", case("boot.reaches_init")),)
    shutil.rmtree(world.folder)
    assert world.matrix("fake:6.12") == errors.OK


def test_kernel_of_which_cases_could_not_be_judged_is_tried_again(world: World) -> None:
    world.runs["fake:6.12"] = (run("none", case("boot.reaches_init"), case("vc.a", "error")),)
    world.exit = errors.INFRASTRUCTURE
    assert world.matrix("fake:6.12") == errors.INFRASTRUCTURE
    assert world.document["kernels"][0]["reason"]
    world.exit = errors.OK
    assert world.matrix("fake:6.12") == errors.OK
    assert world.checked == ["fake:6.12"] * 2


def test_boots_with_more_vcpus_are_on_the_page_and_in_the_text(world: World) -> None:
    world.runs["fake:6.12"] = (run("tdx-2cpu", case("boot.reaches_init"), boot_seconds=6.5),)
    world.matrix("fake:6.12")
    table = world.page.partition("The same in figures")[2]
    assert '<th scope="col">tdx-2cpu</th>' in table and "<td>6.5 s</td>" in table
    assert 'class="bar tdx"' in world.page
    assert "  tdx-2cpu      " in (world.folder / "matrix.txt").read_text(encoding="utf-8")


def test_page_of_a_kernel_tells_how_to_check_it_again(world: World) -> None:
    for words, tier in (("PERSONALITY=tdx",), "full"), (("TIER=smoke", "VCPUS=2"), "smoke"):
        shutil.rmtree(world.folder, ignore_errors=True)
        world.words = words
        world.matrix("fake:6.12")
        evidence = (world.folder / "fake_6.12/index.html").read_text(encoding="utf-8")
        rest = [word for word in words if not word.startswith("TIER=")]
        again = " ".join(["scripts/coco check KERNEL=fake:6.12", *rest, f"TIER={tier}"])
        assert f"<code>{again}</code>" in evidence


def test_matrix_of_nothing_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["matrix", "RESULTS=/nonexistent"]) == errors.USAGE
    assert "matrix needs kernels" in capsys.readouterr().err


def test_text_says_the_same(both: World) -> None:
    text = (both.folder / "matrix.txt").read_text(encoding="utf-8")
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.strip()}
    assert rows["exceptions"][:2] == ["yes", "NO"]
    assert rows["tdx"] == ["1.5", "6.5"]  # of the boots, which come last


# ---- the page ----
class Checker(html.parser.HTMLParser):
    """Links, anchors, and whether tags are closed in order."""

    VOID = ("meta", "input", "br", "link", "img")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        words = dict(attrs)
        self.links += [words["href"] or ""] if "href" in words else []
        self.ids += [words["id"] or ""] if "id" in words else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """<line/> closes itself."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_link_of_the_page_leads_somewhere(both: World) -> None:
    page = Checker(both.page)
    assert len(set(page.ids)) == len(page.ids)
    assert len(page.links) > 40
    for link in page.links:
        path, _, anchor = link.partition("#")
        target = both.folder / path
        assert target.is_file(), link
        if anchor:
            assert anchor in Checker(target.read_text(encoding="utf-8")).ids, link


def test_page_asks_nothing_of_elsewhere_and_escapes(both: World) -> None:
    evidence = (both.folder / "fake_6.9/index.html").read_text(encoding="utf-8")
    for text in (both.page, evidence):
        assert "http://" not in text.replace("http://www.w3.org", "") and "https://" not in text
        assert "<b>" not in text and "<panic>" not in text
    assert "&lt;panic&gt; &amp; more" in evidence


def test_bars_are_to_scale() -> None:
    kinds = {"none": "none", "tdx-3cpu": "tdx"}
    svg = plot.bars({"k <1>": {"none": 2.0, "tdx-3cpu": 4.0}}, kinds, "s", "title")
    widths = [float(part.split('"')[0]) for part in svg.split(' width="')[1:]]
    assert widths[1] == pytest.approx(2 * widths[0], abs=0.2)
    assert "k &lt;1&gt;" in svg and 'class="bar tdx"' in svg
    assert plot.bars({}, {}, "s", "title") == ""
    for value in (0.03, 1.0, 7.3, 420.0):
        ticks = plot.bars({"k": {"none": value}}, kinds, "s", "t").count('class="tick"')
        assert 2 <= ticks <= 2 * plot.TICKS


# ---- in a browser ----
def browse(folder: Path, url: str, *words: str) -> str:
    """What headless Chromium makes of a page: its DOM, after scripts ran."""
    if not shutil.which("chromium"):
        pytest.skip("chromium is not installed")
    argv = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    argv += [f"--user-data-dir={folder / 'profile'}", "--window-size=1100,1800", *words, url]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows_of(dom: str) -> dict[str, int]:
    """Rows of the tables that are there, and that are hidden."""
    rows = [part.split(">")[0] for part in dom.split("<tr ")[1:]]
    rows = [row for row in rows if "data-row" in row]
    return {"all": len(rows), "hidden": sum("hidden" in row for row in rows)}


# With scripts off altogether Chromium has no way to say what the page became
NO_SCRIPT = """<meta http-equiv="Content-Security-Policy" content="script-src 'none'">"""


def test_browser_filters_by_technology_and_by_difference(both: World, tmp_path: Path) -> None:
    url = f"file://{both.folder}/index.html"
    dom = browse(tmp_path, f"{url}#technology=tdx&differs", "--dump-dom")
    found = rows_of(dom)
    assert 0 < found["all"] - found["hidden"] < 5
    assert '<form id="filter">' in dom
    assert f"{found['all'] - found['hidden']} of {found['all']} rows" in dom
    assert rows_of(browse(tmp_path, f"{url}#text=nonesuch", "--dump-dom"))["hidden"] == found["all"]


def test_browser_without_javascript_shows_all(both: World, tmp_path: Path) -> None:
    without = both.page.replace("<head>", f"<head>{NO_SCRIPT}", 1)
    (both.folder / "without.html").write_text(without, encoding="utf-8")
    dom = browse(tmp_path, f"file://{both.folder}/without.html#technology=tdx", "--dump-dom")
    assert rows_of(dom)["hidden"] == 0
    assert '<form id="filter" hidden="">' in dom and "data-row" in dom


def pixels(path: Path) -> tuple[int, int, bytes]:
    """Width, height and the unpacked lines of a PNG, filters and all: enough to compare."""
    data = path.read_bytes()
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    packed, place = b"", 8
    while place < len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        if data[place + 4 : place + 8] == b"IDAT":
            packed += data[place + 8 : place + 8 + length]
        place += length + 12
    return width, height, zlib.decompress(packed)


def test_browser_paints_it_light_and_dark(both: World, tmp_path: Path) -> None:
    url = f"file://{both.folder}/index.html"
    first_pixels = {}
    for name, number in (("dark", 0), ("light", 1)):
        shot = tmp_path / f"{name}.png"
        scheme = f"--blink-settings=preferredColorScheme={number}"
        browse(tmp_path, url, f"--screenshot={shot}", "--hide-scrollbars", scheme)
        width, height, raw = pixels(shot)
        assert (width, height) == (1100, 1800)
        assert len(set(raw)) > 100  # not one colour
        first_pixels[name] = raw[1:4]  # the corner, which no filter of the first line changes
    assert first_pixels == {"dark": b"\x15\x18\x1c", "light": b"\xff\xff\xff"}


def test_mark_of_each_state_is_a_word_too(both: World) -> None:
    document = both.document
    document["fixes"] = {"a-fix": {"title": "fix it", "cves": []}}
    for one, verdict in zip(document["kernels"], (audit.NOT_FIXED, audit.FIXED)):
        one["fixes"] = {"a-fix": [verdict, "why"]}
    page = matrix_page.page(document)
    for state, mark in matrix_page.MARKS.items():
        assert f'class="mark">{mark}</span>{state}' in page
    assert ">supported</a>" in page and ">unknown</a>" in page
