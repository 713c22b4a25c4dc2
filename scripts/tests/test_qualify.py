# SPDX-License-Identifier: GPL-2.0
"""What is stated of a kernel, and that nothing is stated without evidence."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from documents import case, document, problem, run

from coco import check, errors, features, kernels, package, qualify, results
from coco.errors import UsageError
from coco.features import Catalogue, Feature, Profile, Wanted
from coco.screen import Screen

FEATURES = (
    Feature("boot", "boots", ("none", "sev-snp", "tdx"), ("boot.*",)),
    Feature("exceptions", "#VC", ("sev-snp",), ("vc.*",), ("AMD_MEM_ENCRYPT",)),
    Feature(
        "attestation",
        "reports",
        ("sev-snp",),
        ("guest.*",),
        ("SEV_GUEST",),
        "sev-guest",
        "platform:sev-guest",
    ),
)
CATALOGUE = Catalogue(
    FEATURES,
    (Wanted("MTRR", ("sev-snp",), "it stops without"), Wanted("X", ("tdx",), "tdx needs it")),
    (("AMD_MEM_ENCRYPT", "sme_me_mask"),),
)
ON = {"AMD_MEM_ENCRYPT": "y", "SEV_GUEST": "m", "MTRR": "y"}
PACKAGED = "kernel/drivers/virt/coco/sev-guest/sev-guest.ko.xz: kernel/tsm.ko.xz\n"
ALIAS = "alias platform:sev-guest sev_guest\n"


def kernel(
    folder: Path,
    config: Mapping[str, str] = ON,
    dep: str = PACKAGED,
    alias: str = ALIAS,
    symbols: str = "sme_me_mask",
) -> kernels.Kernel:
    """A kernel with code for sev-snp, whose package holds these lists."""
    lists = folder / "lib/modules/6.12.1-fake"
    lists.mkdir(parents=True, exist_ok=True)
    (lists / "modules.dep").write_text(dep)
    (lists / "modules.alias").write_text(f"# a remark\nalias symbol:x crc32\n{alias}")
    filler = "".join(f"ffffffff81{n:06x} T filler_{n}\n" for n in range(1000))
    (folder / "System.map").write_text(f"{filler}ffffffff82000000 D {symbols}\n")
    (folder / "vmlinuz").touch()
    return kernels.Kernel(
        name="Fake 6.12.1",
        source="local",
        release="6.12.1-fake",
        vmlinuz=folder / "vmlinuz",
        sha256="5" * 64,
        config=config,
        technologies=("none", "sev-snp"),
        modules=folder,
    )


GOOD = document(
    run("none", case("boot.reaches_init")),
    run("sev-snp", case("boot.reaches_init"), case("vc.a"), case("vc.b"), case("guest.report")),
)


def judged(
    folder: Path,
    found: dict[str, Any] = GOOD,
    profile: Profile = Profile(),
    **more: Any,
) -> tuple[dict[str, str], qualify.Qualification]:
    """{"sev-snp boot": state} and all of it."""
    result = qualify.judge(kernel(folder, **more), found, CATALOGUE, profile)
    return {f"{one.technology} {one.feature}": one.state for one in result.features}, result


def snp(*cases: dict[str, Any], **more: Any) -> dict[str, Any]:
    return document(run("sev-snp", case("boot.reaches_init"), *cases, **more))


def test_all_that_passed_is_supported_and_the_rest_absent(tmp_path: Path) -> None:
    states, found = judged(tmp_path)
    assert states == {
        "none boot": "supported",
        "sev-snp boot": "supported",
        "sev-snp exceptions": "supported",
        "sev-snp attestation": "supported",
        "tdx boot": "absent by design",
    }
    assert found.technologies["sev-snp"] == "supported"
    assert found.technologies["tdx"] == "absent by design"
    assert found.findings == [] and found.flaws == []


FAILED = case("vc.b", "fail", "finding", message="b is broken")
KNOWN = case("vc.b", "fail", "known", reference="no fix known")


@pytest.mark.parametrize(
    ("cases", "state", "evidence"),
    [
        ((), "unknown", "no case that ran exercises it"),
        ((case("vc.a", "skip", message="needs the machine"),), "unknown", "needs the machine"),
        ((case("vc.a", "error", "error", message="0x999"),), "unknown", "not be judged: 0x999"),
        ((case("vc.a"), KNOWN), "partial", "vc.b: no fix known"),
        ((case("vc.a"), case("vc.b", "error", "error")), "partial", "1 could not be judged"),
        ((case("vc.a"), case("vc.b", "skip", "finding", note="has it")), "partial", "b: has it"),
        ((case("vc.a"), case("vc.b", "skip")), "supported", "1 passed, 0 failed"),
        ((case("vc.a"), FAILED), "partial", "vc.b: b is broken"),
        ((FAILED,), "broken", "0 passed, 1 failed"),
        ((case("vc.a", "miss", "finding", message="not seen"),), "broken", "vc.a: not seen"),
    ],
)
def test_state_is_what_the_cases_showed(
    tmp_path: Path, cases: tuple[Any, ...], state: str, evidence: str
) -> None:
    states, found = judged(tmp_path, snp(*cases))
    assert states["sev-snp exceptions"] == state
    stated = next(one for one in found.features if one.feature == "exceptions")
    assert evidence in "\n".join(stated.evidence)


def test_suite_that_was_not_built_leaves_it_unknown_and_says_why(tmp_path: Path) -> None:
    states, found = judged(tmp_path, snp(not_built={"vc": "no headers"}))
    assert states["sev-snp exceptions"] == "unknown"
    assert found.features[2].evidence == ["no headers"]


def test_kernel_that_does_not_boot_there_is_broken(tmp_path: Path) -> None:
    bad = document(run("sev-snp", case("boot.reaches_init", "fail", "finding", message="panic")))
    _, found = judged(tmp_path, bad)
    assert found.technologies["sev-snp"] == "broken"
    assert "sev-snp: boot is broken (0 passed, 1 failed)" in found.findings


# ---- the package ----
def kinds(found: qualify.Qualification) -> list[str]:
    return [flaw.kind for flaw in found.flaws]


def test_driver_that_is_built_and_not_packaged_is_broken(tmp_path: Path) -> None:
    states, found = judged(tmp_path, dep="kernel/other.ko:\n")
    assert states["sev-snp attestation"] == "broken"
    assert kinds(found) == [package.NOT_PACKAGED]
    assert any("sev-guest.ko is not there: CONFIG_SEV_GUEST=m" in one for one in found.findings)


def test_driver_that_its_device_does_not_load_is_partial(tmp_path: Path) -> None:
    states, found = judged(tmp_path, alias="alias platform:sev-guest2 sev_guest2\n")
    assert states["sev-snp attestation"] == "partial"
    assert kinds(found) == [package.NOT_AUTOLOADED]


def test_driver_that_is_built_in_needs_no_package(tmp_path: Path) -> None:
    states, found = judged(tmp_path, config={**ON, "SEV_GUEST": "y"}, dep="", alias="")
    assert states["sev-snp attestation"] == "supported" and kinds(found) == []


def test_option_that_is_off_is_told_with_its_reason(tmp_path: Path) -> None:
    config = {"AMD_MEM_ENCRYPT": "y"}
    states, found = judged(tmp_path, config=config, dep="")
    assert states["sev-snp attestation"] == "absent by design"
    assert [flaw.text for flaw in found.flaws] == ["CONFIG_MTRR is off: it stops without"]
    assert found.findings == []


def test_configuration_of_another_image_is_a_contradiction(tmp_path: Path) -> None:
    _, found = judged(tmp_path, symbols="something_else")
    assert kinds(found) == [package.NO_SYMBOL]
    assert any("this is not its configuration" in one for one in found.findings)


# ---- profiles ----
def profile(technology: str = "supported", **declared: str) -> Profile:
    return Profile(
        "an image",
        {"sev-snp": technology},
        {("sev-snp", name): state for name, state in declared.items()},
    )


@pytest.mark.parametrize(
    ("declared", "cases", "config", "finding"),
    [
        ("supported", (case("vc.a"),), ON, ""),
        ("partial", (case("vc.a"), KNOWN), ON, ""),
        ("supported", (case("vc.a"), KNOWN), ON, "is declared supported, and is partial"),
        ("supported", (), ON, "is declared supported, and is unknown"),
        ("supported", (), {"MTRR": "y"}, "is declared supported, and is broken (CONFIG_AMD"),
        ("absent", (FAILED,), ON, ""),
    ],
)
def test_profile_is_held_against_what_was_shown(
    tmp_path: Path,
    declared: str,
    cases: tuple[Any, ...],
    config: Mapping[str, str],
    finding: str,
) -> None:
    asked = profile(exceptions=declared)
    _, found = judged(tmp_path, snp(*cases, case("guest.report")), asked, config=config)
    text = "\n".join(one for one in found.findings if "exceptions is declared" in one)
    assert (finding in text) if finding else not text


def test_technology_that_is_declared_and_not_there_is_a_finding(tmp_path: Path) -> None:
    declared = Profile("an image", {"tdx": "supported"})
    states, found = judged(tmp_path, GOOD, declared)
    assert states["tdx boot"] == "broken"
    assert any(one.startswith("tdx: boot is declared supported") for one in found.findings)


def test_what_a_profile_does_not_mention_is_named_and_no_failure(tmp_path: Path) -> None:
    _, found = judged(tmp_path, GOOD, profile(exceptions="absent"))
    assert "sev-snp: exceptions is declared absent, and is supported" in found.notes
    assert any("attestation is supported, and the profile does not" in one for one in found.notes)
    assert found.findings == []


# ---- the files ----
def test_our_features_and_profiles_are_well_formed() -> None:
    catalogue = features.load()
    assert {"boot", "detection"} <= {one.name for one in catalogue.features}
    for path in features.PROFILES.glob("*.yaml"):
        assert features.load_profile(path.stem, catalogue).name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("technologies: {}", "required"),
        ("version: 1\nname: x\ntechnologies: {snp: {state: supported}}", "snp"),
        (
            "version: 1\nname: x\ntechnologies: {tdx: {state: supported, features: {bot: absent}}}",
            "no feature bot",
        ),
        (
            "version: 1\nname: x\n"
            "technologies: {tdx: {state: supported, features: {exceptions: absent}}}",
            "no feature of tdx",
        ),
    ],
)
def test_profile_with_a_mistake_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(UsageError, match=message):
        features.load_profile(str(tmp_path / "p.yaml"), CATALOGUE)


def test_profile_that_is_not_there_names_ours() -> None:
    with pytest.raises(UsageError) as error:
        features.load_profile("nonesuch", CATALOGUE)
    assert "debian-cloud" in error.value.hint


# ---- the command ----
@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    made = kernel(tmp_path / "kernel")
    monkeypatch.setattr(kernels, "resolve", lambda _options, _say: made)
    monkeypatch.setattr(features, "load", lambda: CATALOGUE)
    words = dict.fromkeys(("kdir", "kbuild_output", "profile", "tier"))
    return argparse.Namespace(results=str(tmp_path / "results"), kernel="fake", **words)


def checked(found: dict[str, Any]) -> Any:
    def fake(options: argparse.Namespace, _words: list[str], _screen: Screen) -> int:
        Path(options.results).mkdir(exist_ok=True)
        results.write(Path(options.results), found)
        return errors.OK

    return fake


def test_command_checks_then_judges_and_keeps_the_evidence(
    command: argparse.Namespace, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(check, "check", checked(GOOD))
    assert qualify.run(command, [], Screen()) == errors.OK
    assert "sev-snp: supported" in capsys.readouterr().out
    assert (Path(command.results) / "qualify.json").is_file()
    # ... and a second time without a check
    monkeypatch.setattr(check, "check", None)
    assert qualify.run(command, [], Screen()) == errors.OK


@pytest.mark.parametrize(("asked", "tier"), [(None, "full"), ("smoke", "smoke")])
def test_command_checks_all_that_applies_unless_told_otherwise(
    command: argparse.Namespace, monkeypatch: pytest.MonkeyPatch, asked: str | None, tier: str
) -> None:
    monkeypatch.setattr(check, "check", checked(GOOD))
    command.tier = asked
    qualify.run(command, [], Screen())
    assert command.tier == tier


def test_command_exit_codes(
    command: argparse.Namespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(check, "check", checked(snp(FAILED)))
    assert qualify.run(command, [], Screen()) == errors.FINDING
    command.results = str(tmp_path / "second")
    broken = document(run("sev-snp", state="broken", reason="no disk"))
    monkeypatch.setattr(check, "check", checked(broken))
    assert qualify.run(command, [], Screen()) == errors.INFRASTRUCTURE
    command.results = str(tmp_path / "third")
    unjudged = snp(problems=[problem("vc", "not-built", "no headers", verdict="error")])
    unjudged["verdict"]["exit"] = errors.INFRASTRUCTURE
    monkeypatch.setattr(check, "check", checked(unjudged))
    assert qualify.run(command, [], Screen()) == errors.INFRASTRUCTURE


def test_results_alone_name_their_kernel(
    command: argparse.Namespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = kernel(tmp_path / "tree")
    monkeypatch.setattr(kernels, "resolve", lambda _options, _say: made)
    Path(command.results).mkdir()
    words = ["KDIR=tree", "DEBUG=1", "PERSONALITY=tdx"]
    results.write(Path(command.results), {**GOOD, "words": words})
    command.kernel = None
    assert qualify.run(command, [], Screen()) == errors.OK
    assert (command.kdir, command.debug) == ("tree", True)


def test_results_alone_have_to_be_there(command: argparse.Namespace) -> None:
    command.kernel = None
    with pytest.raises(UsageError, match="holds no results") as error:
        qualify.run(command, [], Screen())
    assert "KERNEL=<kernel>" in error.value.hint
    assert not Path(command.results).exists()


def test_results_of_another_kernel_are_refused(command: argparse.Namespace, tmp_path: Path) -> None:
    other = {**GOOD, "kernel": {**GOOD["kernel"], "sha256": "6" * 64}}
    Path(command.results).mkdir()
    results.write(Path(command.results), other)
    with pytest.raises(UsageError, match="not of Fake"):
        qualify.run(command, [], Screen())
