# SPDX-License-Identifier: GPL-2.0
"""The runner against fake guests that crash, hang, flood and lie."""

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import SHORT, Play, expectations, statuses, suite

from coco import errors, expect, plan, qemu, runner
from coco.model import SELFTEST

TWO = expectations(suite("alpha", ["one", "two", "three"]), suite("beta", ["four"]))
USER = expectations(suite("alpha", ["one", "two", "three"], kind=SELFTEST), suite("beta", ["four"]))


def test_good_guest_passes_in_one_boot(play: Play) -> None:
    run = play(TWO)
    assert set(statuses(run).values()) == {"pass"}
    assert [result.status for result in run.results if result.suite == "boot"] == ["pass"] * 3
    assert (len(run.boots), run.problems) == (1, [])
    assert run.boots[0].counts == {"vc 0x72": 3}


def test_selftests_pass_too(play: Play) -> None:
    run = play(USER)
    assert set(statuses(run).values()) == {"pass"}
    assert run.problems == []


@pytest.mark.parametrize(
    ("how", "result"),
    [
        ("panic", "fail panic"),
        ("silent panic", "fail panic"),
        ("hang", "fail hang"),
        ("busy hang", "fail hang"),
        ("chatter", "fail hang"),
        ("flood", "fail flood"),
        ("terminate", "fail terminate"),
        ("fatal", "fail fatal"),
        ("shutdown", "fail shutdown"),
        ("reset", "fail reset"),
        ("poweroff", "fail poweroff"),
        ("unmodelled", "error unmodelled"),
        ("internal", "error internal"),
        ("abort", "error qemu-abort"),
        ("cut", "error truncated"),
        ("expected terminate", "pass"),
        ("expected reset", "pass"),
    ],
)
def test_early_end_is_the_running_cases_and_the_rest_still_runs(
    play: Play, tmp_path: Path, how: str, result: str
) -> None:
    run = play(TWO, cases={"alpha.two": how})
    assert statuses(run) == {
        "alpha.one": "pass",
        "alpha.two": result,
        "alpha.three": "pass",
        "beta.four": "pass",
    }
    assert len(run.boots) == 2
    assert run.problems == []
    logs = [path for path in tmp_path.rglob("*.log") if path.is_file()]
    assert max(path.stat().st_size for path in logs) <= SHORT.flood


@pytest.mark.parametrize(
    ("how", "result"),
    [
        ("panic", "fail panic"),
        ("hang", "fail hang"),
        ("expected terminate", "pass"),
        ("expected terminate after breach", "fail breach"),
    ],
)
def test_so_it_is_with_a_selftest(play: Play, how: str, result: str) -> None:
    run = play(USER, cases={"alpha.two": how})
    assert list(statuses(run).values()) == ["pass", result, "pass", "pass"]
    assert (len(run.boots), run.problems) == (2, [])


@pytest.mark.parametrize(
    ("how", "cause"),
    [
        ("warning", "splat"),
        ("lockdep", "splat"),
        ("rcu", "splat"),
        ("msr", "splat"),
        ("oops", "oops"),
        ("gp", "oops"),
        ("breach", "breach"),
    ],
)
def test_splat_fails_the_case_that_was_running(play: Play, how: str, cause: str) -> None:
    run = play(TWO, cases={"alpha.two": how})
    assert statuses(run) == {
        "alpha.one": "pass",
        "alpha.two": f"fail {cause}",
        "alpha.three": "pass",
        "beta.four": "pass",
    }
    assert len(run.boots) == 1


def test_failed_expectation_keeps_expected_and_got(play: Play) -> None:
    run = play(TWO, cases={"alpha.two": "fail"})
    result = next(result for result in run.results if result.id == "alpha.two")
    assert (result.expected, result.got) == ("a == b", "a == 1 (0x1); b == 2 (0x2)")


def test_planned_case_that_is_not_in_the_log_is_missing(play: Play) -> None:
    run = play(TWO, cases={"alpha.two": "absent"})
    assert statuses(run)["alpha.two"] == "miss missing"
    assert {problem.kind for problem in run.problems} == {"missing", "number"}


def test_suite_that_is_not_in_the_image_skips(play: Play) -> None:
    run = play(TWO, suites={"beta": ["four"]})
    assert statuses(run)["alpha.one"] == "skip"


@pytest.mark.parametrize(
    ("scenario", "kinds"),
    [
        ({"plans": {"alpha": ""}}, {"missing-plan"}),
        ({"plans": {"alpha": "1..7"}}, {"missing"}),
        ({"plans": {"alpha": "1..2"}}, {"extra"}),
        ({"cases": {"alpha.one": "twice"}}, {"extra", "duplicate", "number"}),
        ({"rc": {"alpha": 1}}, {"exit-status"}),
        ({"exit": "shutdown"}, {"shutdown"}),
        ({"exit": "hang"}, {"hang"}),
    ],
)
def test_lie_is_a_problem_though_every_case_passes(
    play: Play, scenario: dict[str, object], kinds: set[str]
) -> None:
    run = play(TWO, **scenario)
    assert set(statuses(run).values()) == {"pass"}
    assert {problem.kind for problem in run.problems} == kinds


def test_garbage_in_the_stream_is_noted_and_harmless(play: Play) -> None:
    run = play(TWO, cases={"alpha.two": "garbage"})
    assert set(statuses(run).values()) == {"pass"}
    assert run.notes


def test_killed_program_is_the_running_cases(play: Play) -> None:
    run = play(USER, cases={"alpha.two": "absent", "alpha.three": "absent"}, rc={"alpha": 139})
    assert statuses(run)["alpha.two"] == "fail signal"
    assert run.boots[1].cases == 1, "the third case ran in a boot of its own"


@pytest.mark.parametrize(
    ("how", "status", "cause"),
    [
        ("hang", "fail", "hang"),
        ("panic", "fail", "panic"),
        ("terminate", "fail", "terminate"),
        ("unmodelled", "error", "unmodelled"),
        ("abort", "error", "qemu-abort"),
    ],
)
def test_kernel_that_does_not_boot_is_one_finding_and_no_case_is_lost(
    play: Play, how: str, status: str, cause: str
) -> None:
    run = play(TWO, boot=how, budgets=replace(SHORT, boot=1.0))
    first = run.results[0]
    assert (first.id, first.status, first.cause) == ("boot.reaches_init", status, cause)
    expected = "error not-run" if status == "error" else "miss not-run"
    assert set(statuses(run).values()) == {expected}
    assert len(run.boots) == 1


def test_splat_while_booting_fails_the_boot(play: Play) -> None:
    run = play(TWO, boot="warning")
    assert [result.status for result in run.results if result.suite == "boot"] == [
        *("pass", "fail", "pass")
    ]
    assert set(statuses(run).values()) == {"pass"}


def test_vcpu_that_stays_down_fails_the_boot(play: Play) -> None:
    run = play(TWO, cpus=4)
    assert [result.id for result in run.results if result.status == "fail"] == [
        "boot.brings_up_every_vcpu"
    ]
    assert run.results[2].message == "4 of 1 vCPUs came up"


def test_qemu_that_refuses_to_start_is_infrastructure(play: Play) -> None:
    run = play(TWO, boot="refuses")
    assert isinstance(run.error, errors.InfrastructureError) and not run.results
    assert "no such option" in run.error.message


FATAL = expectations(
    suite("alpha", ["one", "last", "panics"], fatal=("last", "panics")), suite("beta", ["four"])
)
FATAL_CASES = {"alpha.last": "expected terminate", "alpha.panics": "expected reset"}


def test_fatal_cases_run_last_each_from_the_snapshot(play: Play, tmp_path: Path) -> None:
    run = play(FATAL, cases=FATAL_CASES)
    assert list(statuses(run)) == ["alpha.one", "beta.four", "alpha.last", "alpha.panics"]
    assert set(statuses(run).values()) == {"pass"}
    assert [boot.start for boot in run.boots] == ["fresh", "snapshot", "snapshot"]
    assert run.problems == []
    assert not list(tmp_path.rglob("snapshot")), "it is large, and of no use later"


@pytest.mark.parametrize(
    ("scenario", "starts"),
    [
        ({"save": "fails"}, ["fresh", "fresh", "fresh"]),
        ({"save": "hides"}, ["fresh", "fresh", "fresh"]),
        ({"restore": "fails"}, ["fresh", "snapshot", "fresh", "fresh"]),
    ],
)
def test_without_a_snapshot_fatal_cases_boot_afresh_and_a_note_says_why(
    play: Play, scenario: dict[str, str], starts: list[str]
) -> None:
    run = play(FATAL, cases=FATAL_CASES, **scenario)
    assert set(statuses(run).values()) == {"pass"}
    assert [boot.start for boot in run.boots] == starts
    assert any("snapshot" in note for note in run.notes)


def test_snapshot_is_taken_although_qemu_is_slow_to_answer(play: Play) -> None:
    """As on a builder where QEMU waits for a CPU for long."""
    patient = replace(SHORT, silence=20.0, case=20.0)
    run = play(FATAL, cases=FATAL_CASES, budgets=patient, late=5.5)
    assert set(statuses(run).values()) == {"pass"}
    assert [boot.start for boot in run.boots] == ["fresh", "snapshot", "snapshot"]
    assert run.notes == []


def test_time_that_saving_takes_is_not_the_guests(play: Play) -> None:
    run = play(FATAL, cases={**FATAL_CASES, "alpha.one": "sleep 0.7"}, saving=1.5)
    assert set(statuses(run).values()) == {"pass"}
    assert [boot.start for boot in run.boots] == ["fresh", "snapshot", "snapshot"]


def test_guest_that_speaks_is_not_silent_because_nobody_listened(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where this process waits for a CPU for long, and QEMU does not."""
    sleep = time.sleep
    monkeypatch.setattr("coco.boot.time.sleep", lambda _: sleep(1.0))
    run = play(TWO, cases=dict.fromkeys(expect.all_ids(TWO), "sleep 0.7"))
    assert set(statuses(run).values()) == {"pass"}


def test_fatal_case_that_does_not_end_the_guest_says_so_itself(play: Play) -> None:
    run = play(FATAL, cases={**FATAL_CASES, "alpha.last": "fail"})
    assert statuses(run)["alpha.last"] == "fail assertion"


@pytest.mark.parametrize(
    ("scenario", "boots"),
    [({"boot": "panic"}, 1), ({"cases": {"alpha.one": "panic", "beta.four": "panic"}}, 2)],
)
def test_fatal_cases_are_given_up_once_when_no_boot_makes_sense(
    play: Play, monkeypatch: pytest.MonkeyPatch, scenario: dict[str, object], boots: int
) -> None:
    monkeypatch.setattr("coco.runner.MOST_CRASHES", 2)
    run = play(FATAL, **scenario)
    ids = [result.id for result in run.results]
    assert len(ids) == len(set(ids)) == 7
    assert statuses(run)["alpha.last"] == statuses(run)["alpha.panics"] == "miss not-run"
    assert len(run.boots) == boots


def test_splat_before_a_case_that_was_not_selected_is_not_lost(play: Play) -> None:
    """Here while the fatal case, which comes second, is passed over."""
    cases = {**FATAL_CASES, "alpha.one": "late warning"}
    assert statuses(play(FATAL, cases=cases))["alpha.one"] == "fail splat"


def test_suite_that_the_guest_does_not_live_to_begin_is_left_out(play: Play) -> None:
    """Its driver may be what ends the guest: the others still run."""
    alpha = replace(TWO.suites["alpha"], modprobe=("killer",))
    written = replace(TWO, suites={**TWO.suites, "alpha": alpha})
    run = play(written, verbs={"modprobe killer": "unmodelled"})
    assert set(statuses(run).values()) == {"error not-run", "pass"}
    assert statuses(run)["beta.four"] == "pass"
    assert [(one.suite, one.kind) for one in run.problems] == [("alpha", "unmodelled")]


def test_what_a_boot_after_the_first_shows_is_not_lost(play: Play) -> None:
    """A driver that is loaded for a fatal case, in a guest that goes on from a snapshot."""
    alpha = replace(FATAL.suites["alpha"], modprobe=("killer",))
    written = replace(FATAL, suites={**FATAL.suites, "alpha": alpha})
    run = play(written, cases=FATAL_CASES, verbs={"modprobe killer": "warning"})
    assert {one.suite for one in run.problems} == {"alpha"}
    assert [one.kind for one in run.problems] == ["splat"] * 3


@pytest.mark.parametrize(("first", "told"), [("", [("alpha", "oops")]), ("oops", [])])
def test_later_boot_is_held_to_the_first(
    play: Play, first: str, told: list[tuple[str, str]]
) -> None:
    run = play(TWO, boots={"boot-1": first, "boot-2": "oops"}, cases={"alpha.one": "panic"})
    assert [(one.suite, one.kind) for one in run.problems] == told
    assert all(one.text.startswith("at boot 2: ") for one in run.problems)
    assert len(run.boots) == 2


def test_run_gives_up_on_a_guest_that_always_crashes(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coco.runner.MOST_CRASHES", 2)
    cases = {f"alpha.{name}": "panic" for name in ("one", "two", "three")}
    run = play(TWO, cases=cases)
    assert list(statuses(run).values()).count("fail panic") == 2
    assert list(statuses(run).values()).count("miss not-run") == 2


BIG = expect.Setting("efi", "accept_memory=eager", 1024, ("virtio_rng",))


def with_setting(
    written: expect.Expectations, name: str, setting: expect.Setting = BIG, **more: Any
) -> expect.Expectations:
    changed = replace(written.suites[name], setting=setting, **more)
    return replace(written, suites={**written.suites, name: changed})


def test_suite_that_wants_another_guest_has_its_own_boot_and_snapshot(
    play: Play, tmp_path: Path
) -> None:
    run = play(with_setting(FATAL, "alpha"), cases=FATAL_CASES)
    assert list(statuses(run)) == ["beta.four", "alpha.one", "alpha.last", "alpha.panics"]
    assert set(statuses(run).values()) == {"pass"}
    assert [boot.start for boot in run.boots] == ["fresh", "fresh", "snapshot", "snapshot"]
    plain, fresh, restored = ((tmp_path / f"run/boot-{n}/command").read_text() for n in (1, 2, 3))
    for word in ("ram=1024", "accept_memory=eager", "efi", "virtio-rng-pci"):
        assert word not in plain
        assert word in fresh
    assert "virtio-rng-pci" in restored
    assert f"size={2176 << 20}," in restored
    assert not list(tmp_path.rglob("snapshot"))


def test_suites_that_want_devices_share_a_guest_with_all_of_them(
    play: Play, tmp_path: Path
) -> None:
    written = with_setting(TWO, "alpha", expect.Setting(devices=("virtio_rng",)))
    run = play(with_setting(written, "beta", expect.Setting(devices=("edu",))))
    assert set(statuses(run).values()) == {"pass"}
    assert len(run.boots) == 2, "the plain guest's is one"
    command = (tmp_path / "run/boot-2/command").read_text()
    assert "virtio-rng-pci" in command
    assert "-device edu" in command


def test_suite_that_wants_devices_of_another_guest_has_its_own_boot(play: Play) -> None:
    written = with_setting(TWO, "alpha", expect.Setting(devices=("virtio_rng",)))
    run = play(with_setting(written, "beta", expect.Setting(ram=1024, devices=("edu",))))
    assert set(statuses(run).values()) == {"pass"}
    assert len(run.boots) == 3


def test_suite_may_want_its_guest_in_some_personalities_only(play: Play, tmp_path: Path) -> None:
    run = play(with_setting(TWO, "alpha", set_in=("tdx",)))  # this one is none
    assert set(statuses(run).values()) == {"pass"}
    assert len(run.boots) == 1
    assert "accept_memory" not in (tmp_path / "run/boot-1/command").read_text()


def test_plain_guest_is_not_booted_for_a_suite_that_wants_another(play: Play) -> None:
    written = expectations(suite("alpha", ["one"]))
    without_boot = {name: one for name, one in written.suites.items() if name != "boot"}
    run = play(with_setting(replace(written, suites=without_boot), "alpha"))
    assert statuses(run) == {"alpha.one": "pass"}
    assert len(run.boots) == 1


def test_splat_while_another_guest_boots_is_a_problem_of_its_suite(play: Play) -> None:
    run = play(with_setting(TWO, "beta"), boot="warning")
    assert [(problem.suite, problem.kind) for problem in run.problems] == [("beta", "splat")]
    assert set(statuses(run).values()) == {"pass"}


@pytest.mark.parametrize(
    ("function", "how", "kinds"),
    [("fake", "warning", []), ("fak", "warning", ["splat"]), ("fake", "oops", ["oops"])],
)
def test_boot_that_is_to_warn_may_warn_in_that_function_alone(
    play: Play, function: str, how: str, kinds: list[str]
) -> None:
    beta = replace(TWO.suites["beta"], setting=replace(BIG, warns=function))
    run = play(replace(TWO, suites={**TWO.suites, "beta": beta}), boot=how)
    assert [problem.kind for problem in run.problems if problem.suite == "beta"] == kinds


@pytest.mark.parametrize(
    ("how", "result", "kinds"),
    [
        ("panic", "fail panic", []),
        ("terminate", "fail terminate", []),
        ("expected terminate after breach", "fail terminate", ["breach"]),
        ("internal", "error internal", []),
    ],
)
def test_guest_of_another_setting_that_does_not_boot_fails_the_first_case_that_wanted_it(
    play: Play, how: str, result: str, kinds: list[str]
) -> None:
    run = play(with_setting(with_setting(TWO, "alpha"), "beta"), boot=how)
    rest = f"{'error' if 'error' in result else 'miss'} not-run"
    got = {name: status for name, status in statuses(run).items() if "boot." not in name}
    assert got == {
        "alpha.one": result,
        "alpha.two": rest,
        "alpha.three": rest,
        "beta.four": rest,
    }
    assert [(problem.suite, problem.kind) for problem in run.problems] == [
        ("alpha", kind) for kind in kinds
    ]


def test_guest_of_another_setting_that_does_not_boot_takes_no_other_case_with_it(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = with_setting(TWO, "alpha")
    monkeypatch.setattr("coco.runner.guest_for", lambda guest, setting: guest)
    run = play(written, boot="panic")
    assert statuses(run)["beta.four"] == "miss not-run"
    assert len(run.boots) == 2


@pytest.mark.parametrize(
    ("ends", "how", "result"),
    [
        ("", "", "pass"),
        ("", "panic", "fail panic"),
        ("", "warning", "pass"),
        ("terminate", "terminate", "pass"),
        ("terminate value=0x201", "terminate", "pass"),
        ("terminate value=0x101", "terminate", "fail terminate"),
        ("terminate", "", "fail assertion"),
        ("terminate", "fatal", "fail fatal"),
        ("fatal or terminate", "terminate", "pass"),
        ("fatal or terminate value=0x101", "terminate", "fail terminate"),
        ("terminate", "internal", "error internal"),
        ("terminate", "cut", "error truncated"),
    ],
)
def test_start_of_another_guest_is_the_whole_case(
    play: Play, ends: str, how: str, result: str
) -> None:
    cases = (expect.Case("is_right", ends=ends), expect.Case(runner.LEAVES_NO_SPLAT))
    run = play(expectations(expect.Suite("start", expect.START, "fake", cases)), boot=how)
    splat = "fail splat" if how == "warning" else "pass"
    assert statuses(run) == {"start.is_right": result, "start.leaves_no_splat": splat}
    assert len(run.boots) == 2  # the plain guest is the control


def test_no_guest_of_another_setting_boots_where_each_of_its_cases_would_skip() -> None:
    alpha = suite("alpha", ["one"], needs=("unaccepted_memory",))
    available = plan.Available(kunit=frozenset({"alpha", "beta"}))
    features = {"unaccepted_memory": False}
    for written, names in (
        (expectations(alpha, TWO.suites["beta"]), ["alpha", "beta"]),
        (with_setting(expectations(alpha, TWO.suites["beta"]), "alpha"), ["beta"]),
    ):
        work = plan.make(written, plan.Selection(), "none", features, available)
        assert [item.suite for item in work.items] == names
        assert list(work.not_applicable) == ["alpha.one"]


def test_the_users_words_outweigh_the_suites() -> None:
    guest = qemu.Guest(Path("k"), Path("i"), None, ram=512, cmdline="a=user", options="b=user")
    got = runner.guest_for(guest, expect.Setting(machine="b=suite", append="a=suite", ram=768))
    assert (got.cmdline, got.options) == ("a=suite a=user", "b=user b=suite")


@pytest.mark.parametrize("asked", [512, 2048])
def test_memory_is_the_suites_if_it_says_how_much(asked: int) -> None:
    guest = qemu.Guest(Path("k"), Path("i"), None, ram=asked)
    assert runner.guest_for(guest, expect.Setting(ram=768)).ram == 768
    assert runner.guest_for(guest, expect.Setting()).ram == asked


def test_cancelled_run_ends_soon_and_keeps_what_it_has(play: Play, tmp_path: Path) -> None:
    cancel = threading.Event()
    cancelled = [0.0]

    def cancel_when_it_hangs() -> None:
        stream = tmp_path / "run/boot-1" / qemu.STREAM
        while not (stream.is_file() and "begin alpha.two" in stream.read_text(encoding="utf-8")):
            time.sleep(0.05)
        time.sleep(0.2)
        cancelled[0] = time.monotonic()
        cancel.set()

    threading.Thread(target=cancel_when_it_hangs, daemon=True).start()
    run = play(TWO, cancel, replace(SHORT, silence=60.0, case=60.0), cases={"alpha.two": "hang"})
    assert time.monotonic() - cancelled[0] < 10
    assert run.interrupted
    assert statuses(run) == {"alpha.one": "pass", "alpha.two": "error interrupted"}


def test_nothing_is_left_running(play: Play, tmp_path: Path) -> None:
    play(TWO, cases={"alpha.two": "orphan"})
    assert not processes_with(str(tmp_path))


def test_full_disk_stops_the_run(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coco.boot.LAST_RESERVE", 1 << 60)
    run = play(TWO, boot="sleep 2")
    assert (run.results[0].status, run.results[0].cause) == ("error", "disk-full")


def test_boot_leaves_what_it_takes_to_repeat_it(play: Play, tmp_path: Path) -> None:
    play(TWO)
    folder = tmp_path / "run/boot-1"
    assert (folder / qemu.RUN_FILE).read_text() == "console\nkunit alpha\nkunit beta\nexit\n"
    command = (folder / qemu.COMMAND_FILE).read_text()
    assert "-kernel machine.elf" in command and "qmp" not in command


def processes_with(word: str) -> list[str]:
    """Command lines of this machine's processes that hold a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if word in text and "pytest" not in text:
            found.append(text)
    return found
