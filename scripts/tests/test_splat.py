# SPDX-License-Identifier: GPL-2.0
"""What kernels say when something went wrong, in their words, and what only looks like it."""

import pytest

from coco import splat

# As 5.4 to 7.x print them; those of one kind differ by kernel or by what died
LINES = {
    "panic": [
        "Kernel panic - not syncing: Fatal exception",
        "traps: PANIC: double fault, error_code: 0x0",
        "PANIC: double fault, error_code: 0x0",
    ],
    "oops": [
        "Oops: 0002 [#1] SMP NOPTI",
        "Oops: general protection fault, probably for non-canonical address 0x10: 0000 [#1] SMP",
        "BUG: unable to handle page fault for address: ffffc90000000000",
        "BUG: kernel NULL pointer dereference, address: 0000000000000008",
        "unable to handle kernel paging request at ffff888000000000",
        "kernel tried to execute NX-protected page - exploit attempt? (uid: 0)",
        "kernel BUG at mm/slub.c:4000!",
        "general protection fault: 0000 [#1] PREEMPT SMP",
        "general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP",
        "invalid opcode: 0000 [#1] SMP",
        "divide error: 0000 [#1] SMP",
        "stack segment: 0000 [#1] SMP",
        "int3: 0000 [#1] SMP",
        "double fault: 0000 [#1] SMP",
        "VE fault: 0000 [#1] PREEMPT SMP",
        "unexpected #NM exception: 0000 [#2] SMP",
        "stack guard page: 0000 [#1] SMP",
        "Bad pagetable: 000d [#1] SMP",
        "control protection fault: 0003 [#1] SMP",
    ],
    "lockup": [
        "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [swapper/0:1]",
        "BUG: soft lockup - CPU#0 stuck for 22s! [swapper/0:1]",
        "BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 40s!",
        "watchdog: Watchdog detected hard LOCKUP on cpu 1",
        "NMI watchdog: Watchdog detected hard LOCKUP on cpu 1",
        "INFO: task modprobe:77 blocked for more than 120 seconds.",
    ],
    "rcu": [
        "rcu: INFO: rcu_preempt self-detected stall on CPU",
        "INFO: rcu_tasks detected stalls on tasks:",
        "WARNING: suspicious RCU usage",
    ],
    "lockdep": [
        "WARNING: possible circular locking dependency detected",
        "WARNING: inconsistent lock state",
        "WARNING: bad unlock balance detected!",
        "WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected",
        "BUG: Invalid wait context",
        "[ BUG: Invalid wait context ]",
        "INFO: trying to register non-static key.",
    ],
    "sanitizer": [
        "BUG: KASAN: slab-out-of-bounds in fake+0x1/0x2",
        "BUG: KFENCE: use-after-free read in fake+0x1/0x2",
        "UBSAN: shift-out-of-bounds in fake.c:1:2",
        "DMA-API: virtio_blk virtio0: device driver frees DMA memory with different size",
    ],
    "msr": ["unchecked MSR access error: RDMSR from 0x123 at rIP: 0xffffffff81000000"],
    "atomic": [
        "BUG: sleeping function called from invalid context at mm/slab.h:1",
        "BUG: scheduling while atomic: modprobe/77/0x00000002",
    ],
    "warning": [
        "WARNING: CPU: 0 PID: 1 at kernel/fake.c:1 fake+0x0/0x10",
        "WARNING: kernel/fake.c:1 at fake+0x0/0x10, CPU#0: modprobe/77",
    ],
    "bug": ["BUG: Bad page state in process modprobe  pfn:01000"],
}
NO_SPLATS = [
    "    # writes: BUG: this is a test's own word",
    "modprobe[77]: segfault at 0 ip 0000000000401000 sp 00007ffc00000000 error 4",
    "traps: vc_user[77] general protection fault ip:401000 sp:7ffc00000000 error:0",
    "traps: vc_user[77] trap invalid opcode ip:401000 sp:7ffc00000000 error:0",
    "rcu: Hierarchical RCU implementation.",
    "NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.",
    "NMI watchdog: Perf NMI watchdog permanently disabled",
    "x86/split lock detection: #DB: warning on user-space bus_locks",
    "DMA-API: preallocated 65536 debug entries",
    "DMA-API: debugging enabled by kernel config",
    "------------[ cut here ]------------",
    "Modules linked in: coco [#1]",
    "ok 1 kernel_BUG_at",
    "",
]


@pytest.mark.parametrize("prefix", ["", "[    1.000000] ", "<4>[    1.000000][    T1] "])
@pytest.mark.parametrize(
    ("kind", "line"), [(kind, line) for kind, lines in LINES.items() for line in lines]
)
def test_each_kind_is_known_by_its_first_line(kind: str, line: str, prefix: str) -> None:
    assert splat.match(prefix + line) == (kind, line)


def test_every_kind_has_its_lines() -> None:
    assert set(LINES) == set(splat.KINDS)


@pytest.mark.parametrize("line", NO_SPLATS)
def test_other_lines_are_no_splats(line: str) -> None:
    assert splat.match(line) is None


def test_all_splats_are_found_where_they_are() -> None:
    found = splat.scan([(3, "x"), (5, LINES["oops"][0]), (8, LINES["panic"][0])])
    assert [(hit.kind, hit.index) for hit in found] == [("oops", 5), ("panic", 8)]


@pytest.mark.parametrize(
    ("kinds", "cause", "told"),
    [
        (["warning", "panic", "oops"], "oops", 2),  # it explains the panic after it
        (["lockup", "panic"], "panic", 1),
        (["warning", "lockup"], "hang", 1),
        (["rcu", "warning"], "splat", 0),
        (["oops", "oops"], "oops", 0),
        ([], "", -1),
    ],
)
def test_one_incident_is_told_by_what_explains_it(kinds: list[str], cause: str, told: int) -> None:
    every = [splat.Splat(kind, f"{kind} {n}", n) for n, kind in enumerate(kinds)]
    text = every[told].text if told >= 0 else ""
    assert splat.cause(every) == (cause, text)


@pytest.mark.parametrize(
    ("allowed", "is_allowed"),
    [
        ((), False),
        (("warning",), True),
        (("warning in fake",), True),
        (("warning in other|fake",), True),
        (("oops", "warning in fake"), True),
        (("warning in ake",), False),
        (("warning in fak",), False),
        (("oops in fake", "warn"), False),
    ],
)
def test_splat_is_allowed_by_its_kind_or_in_the_functions_named(
    allowed: tuple[str, ...], is_allowed: bool
) -> None:
    for line in LINES["warning"]:
        assert splat.is_allowed("warning", line, allowed) == is_allowed
        part = line.replace("fake+", "fake.constprop.0+")
        assert splat.is_allowed("warning", part, allowed) == is_allowed
