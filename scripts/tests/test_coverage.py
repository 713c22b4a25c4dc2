# SPDX-License-Identifier: GPL-2.0
"""coco coverage: from QEMU's log and a small build to lines and branches."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from coco import cli
from coco.coverage import debuginfo, explained, joined, report, trace, units
from coco.coverage.debuginfo import Code, Jump, Range
from coco.coverage.units import Section, View
from coco.errors import InfrastructureError, UsageError
from coco.model import AREAS, MEMORY

SEV = "arch/x86/kernel/sev.c"
SOURCE = """\
int host(int);

static int pick(int code)
{
\tif (code == 7)
\t\treturn host(1);
\treturn host(2) + 1;
}

int handle(int code)
{
\treturn pick(code) ? 5 : 6;
}
"""
LOG = """\
vmrun! 0000000040834000
Trace 0: 0x7f00 [0000000000000000/0000000000001000/0030c2b0/ff000200]
Trace 1: 0x7f00 [00000000/0000000000001000/0040c0b0/00000000] pick
Trace 0: 0x7f80 [00000000/000000000000100a/0040c0b0/00000000]
Trace 1: 0x7fc0 [00000000/0000000000001005/0040c0b0/00000000]
"""
# cmp; je 0x100a; nop; call; nop; ret at 0x1009; ret at 0x100a
FLOW: debuginfo.Flow = {
    **{0x1000: 0x1003, 0x1003: None, 0x1005: 0x1006, 0x1006: None},
    **{0x1008: 0x1009, 0x1009: None, 0x100A: None},
}


def test_log_gives_blocks_and_steps_of_each_vcpu() -> None:
    log = trace.Log()
    trace.parse(LOG.splitlines(), log)
    assert log.starts == {0x1000, 0x1005, 0x100A}
    assert log.steps == {(0x1000, 0x100A), (0x1000, 0x1005)}


def test_block_goes_on_to_the_next_jump_or_call() -> None:
    log = trace.Log({0x1000, 0x1005}, {(0x1000, 0x1005)})
    executed = trace.follow(log, FLOW)
    assert executed.instructions == {0x1000, 0x1003, 0x1005, 0x1006}
    assert executed.ways == {(0x1003, 0x1005)}


def test_block_that_was_cut_ends_where_the_next_begins() -> None:
    cut = trace.follow(trace.Log({0x1000, 0x1003}, {(0x1000, 0x1003)}), FLOW)
    assert (cut.instructions, cut.ways) == ({0x1000, 0x1003}, set())


def test_addresses_move_to_the_link_and_others_are_dropped() -> None:
    log = trace.Log({0x1000, 0x5000, 0x9000}, {(0x1000, 0x5000), (0x1000, 0x9000)})
    views = [View(0x1000, 0x2000, 0x1000), View(0x5000, 0x6000, 0x4000)]
    moved = trace.at_link(log, views)
    assert (moved.starts, moved.steps) == ({0, 0x1000}, {(0, 0x1000)})


def test_filter_names_start_and_length() -> None:
    assert trace.ranges([View(0x10, 0x30, 0), View(0x50, 0x51, 0)]) == "0x10+0x20,0x50+0x1"


def test_section_is_where_most_of_its_symbols_are() -> None:
    sizes = {".text": 64, ".init.text": 16, ".exit.text": 8}
    inside = {".text": {"a": 0, "b": 16, "twin": 32}, ".init.text": {"setup": 4}}
    image = {"a": (0x100,), "b": (0x110,), "twin": (0x500, 0x120), "__pi_setup": (0x904,)}
    placed = units.place(sizes, inside, image)
    assert placed == [Section(".text", 0x100, 64), Section(".init.text", 0x900, 16)]


DISASSEMBLY = """
0000000000000010 <pick>:
      10:\tcmp    $0x7,%edi
      13:\tje     19 <pick+0x9>
      15:\tbnd jmp 1a <pick+0xa>
      19:\tret

0000000000000030 <other>:
      30:\tjne    10 <pick>
      32:\tret"""


def test_disassembly_gives_flow_and_conditional_jumps_of_known_lines() -> None:
    code = Code(ranges=[Range(0x10, 0x20, (SEV, 3))])
    debuginfo.parse_instructions(DISASSEMBLY.splitlines(), code)
    assert code.jumps == [Jump(0x13, (0x15, 0x19), (SEV, 3))]
    assert code.flow == {0x10: 0x13, 0x13: None, 0x15: None, 0x19: None, 0x30: None, 0x32: None}


def make_build(folder: Path, source: str = SOURCE) -> tuple[Path, Path]:
    """A tree of one file, and what a build leaves of it."""
    tree, build = folder / "tree", folder / "build"
    (tree / SEV).parent.mkdir(parents=True)
    (tree / SEV).write_text(source)
    place = build / "arch/x86/kernel"
    place.mkdir(parents=True)
    words = ["gcc", "-O2", "-fno-pic", "-c", "-o", "arch/x86/kernel/sev.o", str(tree / SEV)]
    subprocess.run(words, cwd=build, check=True)
    kept = f"savedcmd_arch/x86/kernel/sev.o := {' '.join(words)} ; ./objtool sev.o\n"
    (place / ".sev.o.cmd").write_text(kept)
    (build / units.DECOMPRESSOR).parent.mkdir(parents=True)
    for image, text in ((units.KERNEL, "0x10000"), (units.DECOMPRESSOR, "0x20000")):
        link = ["ld", "-e", "0", "-Ttext", text, "--defsym", "host=0x10800"]
        subprocess.run([*link, "-o", image, "arch/x86/kernel/sev.o"], cwd=build, check=True)
    return tree, build


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("arch/x86/kernel/sev-shared.c", True),
        ("arch/x86/coco/sev/core.c", True),
        ("arch/x86/coco/core.c", False),
        ("arch/x86/include/asm/sev.h", False),
        ("arch/x86/mm/mem_encrypt_amd.c", True),
        ("arch/x86/mm/pat/set_memory.c", True),
        ("arch/x86/mm/init_64.c", False),
        ("kernel/dma/swiotlb.c", True),
        ("include/linux/swiotlb.h", False),
        ("drivers/virt/coco/tsm.c", True),
        ("drivers/virt/coco/sev-guest/sev-guest.c", True),
        ("drivers/virt/vboxguest/vboxguest_core.c", False),
    ],
)
def test_just_the_sources_of_the_areas_count(name: str, expected: bool) -> None:
    assert debuginfo.counts(name) == expected


def test_lines_of_a_build_without_debug_information(tmp_path: Path) -> None:
    tree, build = make_build(tmp_path)
    (tmp_path / "again").mkdir()
    found = units.find(build, tmp_path / "again")
    assert [(unit.name, unit.sections[0].start) for unit in found] == [
        ("arch/x86/kernel/sev", 0x10000)
    ]
    code = debuginfo.read(found, tree)
    assert code.functions == {SEV: {3: "pick", 10: "handle"}}
    assert {one.line for one in code.ranges} >= {(SEV, 5), (SEV, 6), (SEV, 7), (SEV, 12)}
    assert code.jumps and all(jump.line[0] == SEV for jump in code.jumps)


def test_each_section_is_linked_where_the_image_has_it(tmp_path: Path) -> None:
    cold = "__attribute__((cold)) int give_up(int code)\n{\n\treturn host(code);\n}\n"
    _, build = make_build(tmp_path, SOURCE + cold)
    script = "host = 0x10800; SECTIONS { .text.unlikely 0x30000 : { *(.text.unlikely) } }"
    (tmp_path / "image.ld").write_text(script)
    words = ["ld", "-e", "0", "-Ttext", "0x10000", "-T", str(tmp_path / "image.ld")]
    image = [*words, "-o", units.KERNEL, "arch/x86/kernel/sev.o"]
    subprocess.run(image, cwd=build, check=True)
    (tmp_path / "again").mkdir()
    (unit,) = units.find(build, tmp_path / "again")
    places = [
        {words[2]: words[0] for words in map(str.split, text.splitlines())}
        for text in (
            subprocess.run(["nm", str(path)], capture_output=True, text=True, check=True).stdout
            for path in (build / units.KERNEL, unit.linked)
        )
    ]
    assert {name: places[0][name] for name in ("handle", "give_up")} == {
        name: places[1][name] for name in ("handle", "give_up")
    }


def test_source_that_changed_since_is_no_basis(tmp_path: Path) -> None:
    tree, build = make_build(tmp_path)
    (tmp_path / "again").mkdir()
    (tree / SEV).write_text(SOURCE.replace("== 7", "== 8"))
    with pytest.raises(InfrastructureError, match="other code"):
        units.find(build, tmp_path / "again")


def test_build_without_handlers_says_what_is_needed(tmp_path: Path) -> None:
    _, build = make_build(tmp_path)
    (build / "arch/x86/kernel/sev.o").unlink()
    with pytest.raises(InfrastructureError, match="no object"):
        units.find(build, tmp_path)


def test_an_area_is_its_own_objects(tmp_path: Path) -> None:
    _, build = make_build(tmp_path)
    assert set(units.OBJECTS) == set(AREAS)
    with pytest.raises(InfrastructureError, match="area memory"):
        units.find(build, tmp_path, MEMORY)


def test_what_assembly_became_is_no_unit(tmp_path: Path) -> None:
    (tmp_path / ".a.o.cmd").write_text("savedcmd_a.o := gcc -c -o a.o a.S\n")
    assert not units.compile_command(tmp_path / "a.o")
    assert not units.compile_command(tmp_path / "none.o")


CODE = Code(
    ranges=[Range(0, 4, (SEV, 5)), Range(4, 8, (SEV, 6)), Range(8, 12, (SEV, 7))],
    functions={SEV: {3: "pick"}},
    jumps=[Jump(2, (4, 8), (SEV, 5))],
)


def figures(reasons: list[explained.Reason], tree: Path) -> report.Document:
    (tree / SEV).parent.mkdir(parents=True, exist_ok=True)
    (tree / SEV).write_text(SOURCE)
    return report.figures(CODE, trace.Executed({0, 2, 4}, {(2, 4)}), tree, reasons)


def test_figures_name_what_was_missed(tmp_path: Path) -> None:
    document = figures([], tmp_path)
    pick = document["files"][SEV]["functions"][0]
    assert (pick["name"], pick["lines"], pick["reached"]) == ("pick", 3, 2)
    assert (pick["ways"], pick["ways_reached"], pick["ways_missed"]) == (2, 1, ["0x2-0x8"])
    assert pick["missed"] == [{"line": 7, "text": "return host(2) + 1;", "reason": ""}]
    assert any("7   not reached" in line for line in report.screen_lines(document))


def test_explained_lines_are_counted_apart(tmp_path: Path) -> None:
    document = figures([explained.Reason("no host does it", text=r"host\(2\)")], tmp_path)
    assert (document["lines"], document["reached"], document["explained"]) == (3, 2, 1)
    text = report.screen_lines(document)
    assert any("1 explained: 100% of the rest" in line for line in text)
    assert any("7   no host does it" in line for line in text)


def leave(folder: Path, executed: trace.Executed, kernel: str = "0" * 64) -> Path:
    """What a run of coverage leaves in its folder."""
    document = report.figures(CODE, executed, folder, [])
    document["kernel"] = {"name": "a tree", "sha256": kernel}
    folder.mkdir(exist_ok=True)
    (folder / joined.FILE).write_text(json.dumps(document))
    return folder


def test_runs_together_reached_what_either_did(tmp_path: Path) -> None:
    one = leave(tmp_path / "one", trace.Executed({0, 2, 4}, {(2, 4)}))
    two = leave(tmp_path / "two", trace.Executed({0, 2, 8}, {(2, 8)}))
    document = joined.join(joined.read([str(one), str(two / joined.FILE)]), [])
    (pick,) = document["files"][SEV]["functions"]
    assert (pick["reached"], pick["missed"]) == (3, [])
    assert (pick["ways_reached"], pick["ways_missed"]) == (2, [])
    assert (document["lines"], document["reached"], document["ways_reached"]) == (3, 3, 2)
    assert document["kernel"]["name"] == "a tree"


def test_what_no_run_reached_has_the_reason_of_today(tmp_path: Path) -> None:
    one = leave(tmp_path / "one", trace.Executed({0}, set()))
    two = leave(tmp_path / "two", trace.Executed({0, 4}, {(2, 4)}))
    reason = explained.Reason("no host does it", function="pick")
    document = joined.join(joined.read([str(one), str(two)]), [reason])
    (pick,) = document["files"][SEV]["functions"]
    assert [(each["line"], each["reason"]) for each in pick["missed"]] == [(7, "no host does it")]
    assert (pick["reached"], pick["explained"], document["explained"]) == (2, 1, 1)
    assert (pick["ways_reached"], pick["ways_missed"]) == (1, ["0x2-0x8"])


def test_branches_are_those_of_the_runs_that_followed_them(tmp_path: Path) -> None:
    one = leave(tmp_path / "one", trace.Executed({0, 2, 4}, {(2, 4)}))
    (tmp_path / "two").mkdir()
    lines = report.figures(Code(CODE.ranges, CODE.functions), trace.Executed({8}), tmp_path, [])
    lines["kernel"] = {"name": "a tree", "sha256": "0" * 64}
    (tmp_path / "two" / joined.FILE).write_text(json.dumps(lines))
    for names in ([one, tmp_path / "two"], [tmp_path / "two", one]):
        document = joined.join(joined.read(map(str, names)), [])
        (pick,) = document["files"][SEV]["functions"]
        assert (pick["reached"], pick["ways"], pick["ways_reached"]) == (3, 2, 1)
        assert pick["ways_missed"] == ["0x2-0x8"]


def test_join_writes_a_report_and_runs_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = leave(tmp_path / "one", trace.Executed({0, 2, 4}, {(2, 4)}))
    two = leave(tmp_path / "two", trace.Executed({0, 2, 8}, {(2, 8)}))
    both = tmp_path / "both"
    assert cli.main(["coverage", f"JOIN={one},{two}", f"RESULTS={both}"]) == 0
    assert "all   lines 3/3 100%   branches 2/2 100%" in capsys.readouterr().out
    assert json.loads((both / joined.FILE).read_text())["reached"] == 3
    assert cli.main(["coverage", f"JOIN={one},{both}", f"RESULTS={tmp_path / 'again'}"]) == 0


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda two: leave(two, trace.Executed(), "1" * 64), "another kernel"),
        (lambda two: (two / joined.FILE).unlink(), "No such file"),
        (lambda two: (two / joined.FILE).write_text("{"), "no coverage file"),
        (lambda two: (two / joined.FILE).write_text("{}"), "can be joined"),
        (
            lambda two: (two / joined.FILE).write_text(
                (two / joined.FILE).read_text().replace("pick", "other")
            ),
            "another AREA",
        ),
    ],
)
def test_what_does_not_belong_together_is_not_joined(
    tmp_path: Path, spoil: Callable[[Path], object], message: str
) -> None:
    one = leave(tmp_path / "one", trace.Executed())
    spoil(two := leave(tmp_path / "two", trace.Executed()))
    with pytest.raises(UsageError, match=message):
        joined.read([str(one), str(two)])


def test_join_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="names no results"):
        joined.read([])


@pytest.mark.parametrize(
    ("file", "function", "covers"),
    [
        ("a/x.c", "one", True),
        ("b/y.c", "two", True),
        ("b/x.c", "two", False),
        ("a/x.c", "three", False),
    ],
)
def test_reason_is_for_some_files_and_functions(file: str, function: str, covers: bool) -> None:
    reason = explained.Reason("no host does it", file="a/*.c b/y.c", function="one tw*")
    assert reason.covers(file, function, "anything") == covers


def test_spans() -> None:
    assert report.spans([3, 1, 2, 7]) == "1-3, 7"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("explained: {}", "no list"),
        ("a: [", "no YAML"),
        ("explained: [{function: a}]", "gives no reason"),
        ("explained: [{file: a, reason: b}]", "whole files"),
        ("explained: [{function: a, reason: b, line: c}]", "unknown line"),
        ("explained: [{text: '(', reason: b}]", "no regular expression"),
        ("explained: [x]", "no mapping"),
    ],
)
def test_bad_list_of_reasons_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "coverage.yaml").write_text(text)
    with pytest.raises(UsageError, match=message):
        explained.load(tmp_path / "coverage.yaml")
