# SPDX-License-Identifier: GPL-2.0
"""Plans: what runs, in which guest, and why the rest does not."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import expectations, suite

from coco import errors, expect, parts, plan, prepare
from coco.expect import START, Setting
from coco.kernels import uki
from coco.model import SELFTEST, Item

ALPHA = suite("alpha", ["one", "two"])


AVAILABLE = plan.Available(kunit=frozenset({"alpha"}), selftests=frozenset({"beta"}))
EVERYTHING = plan.Selection(tier="full")


def made(
    *suites: expect.Suite,
    selection: plan.Selection = EVERYTHING,
    features: dict[str, bool | None] | None = None,
    available: plan.Available = AVAILABLE,
) -> plan.Plan:
    return plan.make(expectations(*suites), selection, "sev", features or {}, available)


def lines(work: plan.Plan, *suites: expect.Suite) -> list[str]:
    return plan.run_file(work.items, expectations(*suites), work.drivers).splitlines()[1:-1]


def test_whole_suite_is_one_line() -> None:
    assert lines(made(ALPHA), ALPHA) == ["kunit alpha"]


def number_in(file: str, pattern: str) -> int:
    text = (parts.REPOSITORY / "selftests" / file).read_text(encoding="utf-8")
    (found,) = re.findall(pattern, text)
    return int(found)


def test_every_selftest_is_selected_by_lines_that_the_guest_reads() -> None:
    globs = number_in("lib/coco_harness_run.h", r"define COCO_MAX_GLOBS\s+(\d+)")
    words = number_in("init/init.c", r"define MAX_WORDS\s+(\d+)")
    size = number_in("init/init.c", r"char line\[(\d+)\]")
    assert plan.MOST_GLOBS <= globs and 2 + 2 * plan.MOST_GLOBS <= words
    written = expect.load(expect.EXPECTATIONS)
    for one in written.suites.values():
        ids = tuple(sorted((case.id for case in one.cases), key=len)[-plan.MOST_GLOBS :])
        work = plan.run_file([Item(one.name, SELFTEST, ids, whole=False)], written)
        assert max(map(len, work.splitlines())) < size, one.name


def test_chosen_cases_are_named() -> None:
    selection = plan.Selection(cases=("alpha.two", "beta.*"))
    beta = suite("beta", ["a", "b"], kind=SELFTEST)
    work = made(ALPHA, beta, selection=selection)
    assert lines(work, ALPHA, beta) == ["kunit alpha filter=alpha.two", "selftest beta"]


def test_parameter_chooses_its_case() -> None:
    work = made(ALPHA, selection=plan.Selection(cases=("alpha.two.byte",)))
    assert lines(work, ALPHA) == ["kunit alpha filter=alpha.two"]


def test_tier_full_is_left_out_of_smoke() -> None:
    slow = replace(ALPHA, cases=(*ALPHA.cases, expect.Case("slow", tier="full")))
    assert len(lines(made(slow, selection=plan.Selection()), slow)) == 2
    assert lines(made(slow), slow) == ["kunit alpha"]


def test_suite_of_tier_full_runs_if_it_is_named() -> None:
    slow = replace(ALPHA, tier="full")
    assert lines(made(slow, selection=plan.Selection()), slow) == []
    assert lines(made(slow, selection=plan.Selection(suites=("alpha",))), slow) == ["kunit alpha"]
    assert lines(made(slow), slow) == ["kunit alpha"]


def test_many_cases_of_a_selftest_are_few_lines() -> None:
    beta = suite("beta", [f"case{n}" for n in range(40)], kind=SELFTEST, fatal=("case0",))
    work = made(beta)
    assert [len(item.cases) for item in work.items] == [16, 16, 7]
    assert [item.cases for item in work.fatal] == [("case0",)]


def test_other_personalitys_suite_is_not_run() -> None:
    assert made(suite("alpha", ["one"], personalities=("tdx",))).items == []


def test_suite_that_was_not_built_says_why() -> None:
    work = made(ALPHA, available=plan.Available(no_kunit="no headers"))
    assert (work.items, work.not_built) == ([], {"alpha": "no headers"})


@pytest.mark.parametrize(
    ("features", "must", "why"),
    [
        ({"smp": True}, True, ""),
        ({"smp": False}, False, "needs two vCPUs (VCPUS=2)"),
        ({"smp": None}, False, "unknown whether the kernel has smp"),
        ({"up": False}, False, "needs one vCPU (VCPUS=1)"),
        ({"firmware": False}, False, "needs firmware (coco fetch, or FIRMWARE=<OVMF.fd>)"),
        ({"uki_stub": False}, False, f"needs the stub of a unified kernel image ({uki.STUB})"),
        ({"sev_active": False}, False, "needs sev_active()"),
        (
            {"min_align_mask": False},
            False,
            "needs min_align_mask (include/linux/dma-mapping.h)",
        ),
        ({"efi": False}, False, "needs efi (CONFIG_EFI)"),
    ],
)
def test_need_that_is_not_met_allows_a_skip(
    features: dict[str, bool | None], must: bool, why: str
) -> None:
    work = made(suite("alpha", ["one"], needs=tuple(features)), features=features)
    assert ("alpha.one" in work.must_run) is must
    assert work.not_applicable.get("alpha.one", "") == why


def test_driver_counts_where_its_module_is_at_hand() -> None:
    options = {"SEV_GUEST": "m", "EFI": "y"}
    with_it = plan.features_of(options, plan.Available(drivers=frozenset({"sev-guest"})), 1)
    without = plan.features_of(options, plan.Available(), 2)
    assert (with_it["sev_guest"], with_it["efi"], with_it["smp"]) == (True, True, False)
    assert (without["sev_guest"], without["efi"], without["smp"]) == (False, True, True)
    assert (with_it["up"], without["up"]) == (True, False)
    assert plan.features_of({}, plan.Available(), 1)["efi"] is None


def test_what_can_start_the_kernel_is_a_feature(tmp_path: Path) -> None:
    words = ("firmware", "uki_stub")
    features = plan.features_of({}, plan.Available(), 1)
    assert [features[word] for word in words] == [False, False]
    features = plan.features_of({}, plan.Available(firmware=tmp_path, uki_stub=tmp_path), 1)
    assert [features[word] for word in words] == [True, True]


def test_exported_function_is_a_feature(tmp_path: Path) -> None:
    (tmp_path / "Module.symvers").write_text("0x1\tsev_active\tvmlinux\tEXPORT_SYMBOL_GPL\t\n")
    available = plan.Available(exports=prepare.exports(tmp_path))
    features = plan.features_of({}, available, 1)
    assert (features["sev_active"], features["cc_platform"]) == (True, False)
    unknown = plan.features_of({}, plan.Available(exports=prepare.exports(None)), 1)
    assert unknown["sev_active"] is None


@pytest.mark.parametrize("include", ["{source}", "$(coco_src)/source"])
def test_what_a_header_declares_is_a_feature(tmp_path: Path, include: str) -> None:
    source, build = tmp_path / "source", tmp_path / "build"
    (source / "include/linux").mkdir(parents=True)
    build.mkdir()
    (build / "Makefile").write_text(f"include {include.format(source=source)}/Makefile\n")
    assert prepare.declared(build) == frozenset()
    header = source / "include/linux/dma-mapping.h"
    header.write_text("static inline void dma_set_min_align_mask(struct device *dev)\n")
    available = plan.Available(declared=prepare.declared(build))
    assert plan.features_of({}, available, 1)["min_align_mask"] is True
    unknown = plan.Available(declared=prepare.declared(None))
    assert plan.features_of({}, unknown, 1)["min_align_mask"] is None


def test_driver_is_loaded_once_and_only_if_it_is_there() -> None:
    drivers = replace(ALPHA, modprobe=("sev-guest", "tdx-guest"))
    other = replace(suite("gamma", ["x"]), modprobe=("sev-guest",))
    available = plan.Available(
        kunit=frozenset({"alpha", "gamma"}), drivers=frozenset({"sev-guest"})
    )
    work = made(drivers, other, available=available)
    assert lines(work, drivers, other) == ["modprobe sev-guest", "kunit alpha", "kunit gamma"]


# ---- guests ----
FAR = Setting(append="far")


def shares(work: plan.Plan, *suites: expect.Suite) -> list[tuple[Setting, list[str]]]:
    """(setting, what runs in that guest)"""
    return [
        (one.setting, [item.suite for item in (*one.items, *one.fatal, one.start) if item])
        for one in plan.shares(work, expectations(*suites))
    ]


def test_suite_of_another_guest_has_one_of_its_own_after_the_plain_one() -> None:
    far, near = replace(ALPHA, setting=FAR), suite("beta", ["a"], kind=SELFTEST)
    for asked in ((), ("alpha", "beta")):  # the boot among it, or not
        work = made(far, near, selection=plan.Selection(suites=asked))
        assert shares(work, far, near) == [(Setting(), ["beta"]), (FAR, ["alpha"])]


def test_plain_guest_without_work_boots_only_for_its_boot() -> None:
    far = replace(ALPHA, setting=FAR)
    alone = made(far, selection=plan.Selection(suites=("alpha",)))
    assert shares(alone, far) == [(FAR, ["alpha"])]
    assert shares(replace(alone, boot_asked=True), far) == [(Setting(), []), (FAR, ["alpha"])]
    assert shares(plan.Plan()) == [(Setting(), [])]


def test_fatal_case_is_in_the_guest_of_its_suite() -> None:
    far = replace(suite("beta", ["a"], kind=SELFTEST, fatal=("a",)), setting=FAR)
    assert shares(made(ALPHA, far), ALPHA, far) == [(Setting(), ["alpha"]), (FAR, ["beta"])]


def test_start_is_a_guest_of_its_own_and_comes_last() -> None:
    start = replace(suite("gamma", ["up"], kind=START), setting=FAR)
    assert shares(made(start, ALPHA), start, ALPHA) == [(Setting(), ["alpha"]), (FAR, ["gamma"])]


def test_image_is_wanted_where_a_case_that_was_asked_for_starts_by_it() -> None:
    written = expectations(replace(ALPHA, setting=Setting(image="firmware")))
    assert plan.wants(written, EVERYTHING, "firmware")
    assert not plan.wants(written, EVERYTHING, "uki")
    assert not plan.wants(written, plan.Selection(suites=("beta",)), "firmware")


# ---- names ----
@pytest.mark.parametrize(
    ("selection", "hint"),
    [
        (plan.Selection(suites=("alhpa",)), "did you mean alpha?"),
        (plan.Selection(cases=("alpha.onne",)), "did you mean alpha.one?"),
        (plan.Selection(cases=("alhpa.one",)), "did you mean alpha?"),
    ],
)
def test_name_that_selects_nothing_is_refused(selection: plan.Selection, hint: str) -> None:
    with pytest.raises(errors.UsageError) as error:
        plan.check_selection(selection, expectations(ALPHA))
    assert error.value.hint == hint


def test_name_that_selects_something_is_taken() -> None:
    selection = plan.Selection(suites=("alpha",), cases=("*.t*", "alpha.two.byte"))
    plan.check_selection(selection, expectations(ALPHA))
