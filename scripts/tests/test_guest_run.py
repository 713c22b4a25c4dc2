# SPDX-License-Identifier: GPL-2.0
"""The tarball in guests: in the software machine, and in plain QEMU, on a shipped kernel."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from guest_boot import Guests, Left

from coco import cli, results

RUN = "run-guest --results /results"

# Says that this is a real SEV-SNP guest, where it is none: what is loaded then skips
PRETEND = """cat >selftests/guest_facts <<'EOF'
#!/bin/sh
echo technology=sev-snp
echo told_by=pretence
echo machine=no
echo hypervisor=yes
EOF
true"""


# Of the guest-request interfaces, by hand as well as by run-guest
ATTESTATION = (
    "sev_guest_user sev_guest_hostile sev_guest_keys secure_tsc_user "
    "tdx_guest_user tdx_quote tdx_measurements tsm_report_user"
).split()
SKIPPED = re.compile(r"ok \d+ \S+ # SKIP \S.*")


@pytest.fixture(scope="module")
def guests(tmp_path_factory: pytest.TempPathFactory) -> Guests:
    return Guests(tmp_path_factory.mktemp("guests"))


def document(left: Left, name: str) -> dict[str, Any]:
    """A result.json of the guest, valid by the schema of any other."""
    found: dict[str, Any] = json.loads(left.files[f"{name}/result.json"])
    assert results.invalid(found) == ""
    return found


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    return {case["id"]: case["status"] for case in found["runs"][0]["cases"]}


def wrong(found: dict[str, Any]) -> list[str]:
    """What was not as expected, in words."""
    run = found["runs"][0]
    cases = [
        f"{case['id']}: {case['note'] or case['message']} {case['expected']} {case['got']}".rstrip()
        for case in run["cases"]
        if case["verdict"] not in ("ok", "known")
    ]
    return [*cases, *(problem["text"] for problem in run["problems"])]


def reasons(found: dict[str, Any], suite: str) -> set[str]:
    cases = found["runs"][0]["cases"]
    assert all(case["status"] == "skip" for case in cases if case["id"].startswith(f"{suite}."))
    return {case["message"] for case in cases if case["id"].startswith(f"{suite}.")}


def test_plain_guest_has_nothing_to_run_and_says_so(guests: Guests) -> None:
    left = guests.run({"plain": f"./{RUN}/plain", "expect": f"./{RUN}/expect --expect sev-snp"})
    assert left.status("plain") == 77, left.said
    found = document(left, "plain")
    assert set(verdicts(found).values()) == {"skip"}
    assert {case["message"] for case in found["runs"][0]["cases"]} == {"no SEV or TDX here"}
    assert found["verdict"]["word"] == "NOTHING APPLICABLE"
    assert left.status("expect") == 1
    (problem,) = document(left, "expect")["runs"][0]["problems"]
    assert problem["text"] == "expected sev-snp, this is none"
    assert left.modules == []


def test_programs_of_attestation_skip_with_a_reason_in_a_plain_guest(guests: Guests) -> None:
    commands = {name: f"./selftests/{name} >/results/said/{name} 2>&1" for name in ATTESTATION}
    left = guests.run({"folder": "mkdir -p /results/said", **commands})
    for name in ATTESTATION:
        lines = left.files[f"said/{name}"].decode().splitlines()
        points = [line for line in lines if re.match(r"(not )?ok \d+ ", line)]
        assert points, (name, lines)
        assert [line for line in points if not SKIPPED.fullmatch(line)] == [], name


def test_programs_do_no_harm_without_the_machine(guests: Guests) -> None:
    """By hand, in a guest that has a disk, and no INT 0x80."""
    commands = {
        "disk": "mkdir -p /results/said; head -c 1048576 /dev/zero >/dev/vda",
        "written": "./selftests/virtio_blk -t host_finds_what_the_guest_wrote",
        "kept": "head -c 1048576 /dev/zero | sha256sum >/tmp/a; sha256sum </dev/vda >/tmp/b; "
        'test "$(cat /tmp/a)" = "$(cat /tmp/b)"',
        "item": "./selftests/tsm_report_user -t 'item_outlives*' >/results/said/item",
        "open": "./selftests/tsm_report_user -t 'open_report_outlives*' >/results/said/open",
        "int80": "./selftests/int80_user",
    }
    left = guests.run(commands, append="ia32_emulation=off")
    assert left.status("written") == left.status("int80") == 4, left.said
    assert left.status("kept") == 0
    for name in ("item", "open"):
        assert "SKIP needs the software machine" in left.files[f"said/{name}"].decode()


def test_driver_that_was_there_before_stays(guests: Guests) -> None:
    commands = {
        "load": "mkdir -p /results/said; modprobe sev-guest",
        "bind": "./selftests/sev_guest_bind >/results/said/bind",
    }
    left = guests.run(commands, "sev-snp")
    assert left.status("load") == 0 and left.status("bind") == 4, left.said
    assert "sev_guest" in left.modules


@pytest.mark.parametrize("personality", ["sev-snp", "tdx"])
def test_guest_of_the_machine_runs_what_a_check_runs(guests: Guests, personality: str) -> None:
    left = guests.run({"all": f"./{RUN}/all --expect {personality}"}, personality)
    assert wrong(document(left, "all")) == []
    assert left.status("all") == 0, left.said
    found = document(left, "all")
    assert found["guest"]["technology"] == personality
    assert found["guest"]["machine"] == "yes"
    counts = found["runs"][0]["summary"]
    assert counts["pass"] > 90 and counts["finding"] == 0
    assert verdicts(found)["technology.processor_agrees_with_itself"] == "pass"
    user = {"sev-snp": "sev_guest_user", "tdx": "ve_user"}[personality]
    assert any(status == "pass" for name, status in verdicts(found).items() if user in name)
    assert left.modules == []


def test_modules_that_inject_faults_are_refused_in_a_real_guest(guests: Guests) -> None:
    left = guests.run({"pretend": PRETEND, "real": f"./{RUN}/real"})
    found = document(left, "real")
    log = left.files["real/stream.log"].decode()
    assert "i|begin vc_ioio" in log and "i|begin vc_hostile" not in log
    assert "injects faults" in log or "each of its cases ends the guest" in log
    # The kernel is in no SEV-SNP guest, and its suites say so
    assert reasons(found, "vc_ioio") == {"needs sev-es or sev-snp, this is none"}
    assert left.modules == []


def test_every_module_is_held_against_its_mark(guests: Guests) -> None:
    mark = "printf 'coco=injects-faults' >>modules/$(uname -r)/coco_vc_ioio.ko"
    left = guests.run({"pretend": PRETEND, "mark": mark, "real": f"./{RUN}/real --suite vc_ioio"})
    assert reasons(document(left, "real"), "vc_ioio") == {
        "injects faults: never loaded into a real guest"
    }
    assert left.status("real") == 77


def test_lockdown_skips_modules_that_are_not_signed(guests: Guests) -> None:
    # In the machine: plain QEMU hands over the results by I/O ports, which lockdown forbids
    left = guests.run({"all": f"./{RUN}/all --suite vc"}, "sev-snp", append="lockdown=integrity")
    found = document(left, "all")
    assert found["guest"]["lockdown"] == "integrity"
    assert reasons(found, "vc") == {"lockdown is integrity and the test modules are not signed"}
    assert left.status("all") == 77


def test_without_root_the_modules_skip_and_the_programs_run(guests: Guests) -> None:
    commands = {
        "pretend": PRETEND,
        "open": "mkdir -m 777 /results/user; chmod 755 selftests/*; chmod 777 /tmp; true",
        "user": f"su nobody -c '/coco/guest/{RUN}/user'",
    }
    left = guests.run(commands)
    found = document(left, "user")
    assert found["guest"]["root"] == "no"
    assert reasons(found, "vc") == {"modules are loaded by root alone"}
    ran = [name for name in verdicts(found) if name.startswith("technology_user.")]
    assert ran and "i|end technology_user rc=" in left.files["user/stream.log"].decode()


def test_module_that_cannot_be_loaded_is_a_problem(guests: Guests) -> None:
    spoil = "printf broken >modules/$(uname -r)/coco_vc.ko"
    left = guests.run({"pretend": PRETEND, "spoil": spoil, "real": f"./{RUN}/real --suite vc"})
    assert left.status("real") == 1
    found = document(left, "real")["runs"][0]
    assert {case["status"] for case in found["cases"]} == {"miss"}
    assert "cannot be loaded" in found["problems"][0]["text"]


def test_core_that_cannot_be_loaded_keeps_no_program_from_running(guests: Guests) -> None:
    spoil = "printf broken >modules/$(uname -r)/coco.ko"
    left = guests.run({"pretend": PRETEND, "spoil": spoil, "real": f"./{RUN}/real"})
    assert left.status("real") == 1, left.said
    found = document(left, "real")
    assert any(text.startswith("coco.ko cannot be loaded") for text in reasons(found, "vc"))
    assert "coco" in {problem["suite"] for problem in found["runs"][0]["problems"]}
    assert "i|end technology_user rc=" in left.files["real/stream.log"].decode()


def test_log_that_lost_its_beginning_is_a_problem(guests: Guests) -> None:
    unmarked = "rm /dev/kmsg; ln -s null /dev/kmsg"
    commands = {"pretend": PRETEND, "unmarked": unmarked, "real": f"./{RUN}/real --suite vc"}
    found = document(guests.run(commands), "real")
    problems = {problem["text"] for problem in found["runs"][0]["problems"]}
    assert "the log lost the beginning of vc" in problems


def test_results_folder_of_a_guest_is_read_by_report(
    guests: Guests, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left = guests.run({"pretend": PRETEND, "real": f"./{RUN}/real --suite technology_user"})
    for name, content in left.files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    words = ["report", f"RESULTS={tmp_path / 'real'}"]
    assert cli.main(words) == left.status("real")
    assert document(left, "real")["verdict"]["word"] in capsys.readouterr().out
    assert cli.main([*words, "FORMAT=junit"]) == left.status("real")
    assert "technology_user" in capsys.readouterr().out
