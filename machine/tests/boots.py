# SPDX-License-Identifier: GPL-2.0
"""What to boot: a payload, a personality, and how the run has to end."""

from dataclasses import dataclass

PERSONALITIES = ("none", "sev", "sev-es", "sev-snp", "tdx")
ALL = PERSONALITIES
AMD = ("sev", "sev-es", "sev-snp")
ES = ("sev-es", "sev-snp")
TWO_STATES = ("sev-snp", "tdx")

GOOD_END = (r"^m\|end exit code=0 ",)


@dataclass(frozen=True)
class Boot:
    payload: str
    personality: str
    case: str = "all"
    options: tuple[str, ...] = ()
    vcpus: int = 1
    ram: int = 64
    high: int = 0
    cbit: int = 0
    initramfs: bool = False  # the payload once more
    firmware: bool = False  # lib/firmware.S first, which starts the payload as its kernel
    plan: bool = True  # the payload lists its checks
    stream: tuple[str, ...] = GOOD_END  # each matches a line
    absent: tuple[str, ...] = (r"^m\|breach ",)  # none does
    ends: str = "ends_well"  # the name of the check on the end

    @property
    def name(self) -> str:
        parts = [self.payload, self.personality.replace("-", "_")]
        if self.case != "all":
            parts.insert(1, self.case)
        if self.cbit:
            parts.append(f"cbit{self.cbit}")
        return ".".join(parts)


def each(payload: str, personalities: tuple[str, ...]) -> list[Boot]:
    return [Boot(payload, personality) for personality in personalities]


def end(case: str, personality: str, word: str, value: str = "", expected: str = "") -> Boot:
    """A run that ends with this word (and value), expected by the payload or not."""
    stream: tuple[str, ...] = (rf"^m\|end {word} " + (rf"value={value} " if value else ""),)
    absent: tuple[str, ...] = (r"^m\|breach ",)
    if expected:
        stream += (rf"^m\|expected {expected}$",)
    else:
        absent += (r"^m\|expected ",)
    return Boot("ends", personality, case, (), plan=False, stream=stream, absent=absent)


BOOTS = [
    *each("control", ALL),
    *each("hostview", ("none", *AMD)),
    Boot("hostview", "tdx", options=("pv=steal",)),
    *(Boot("high", p, high=64, options=("efi",)) for p in ALL),
    *(
        Boot("high", p, "unaccepted", high=64, options=("unaccepted=4102-4150",))
        for p in TWO_STATES
    ),
    *each("vc", ES),
    *each("ghcb_msr", ES),
    Boot(
        "ghcb_msr",
        "sev-es",
        "ruled",
        options=(
            "rule=msrproto,reply,code=0x2,skip=1,count=1,r0=0x1234567",
            "rule=msrproto,reply,code=4,info1=0x4000000000000000/0xffffffff00000000,r0=0x89",
        ),
    ),
    Boot(
        "ghcb_msr",
        "sev-es",
        "bad_rule",
        options=("rule=msrproto,reply,cod=0x2",),
        plan=False,
        stream=(r"^m\|end internal .*unknown part 'cod=0x2'",),
    ),
    *each("ghcb", ES),
    *each("snp", ("sev-snp",)),
    *each("guest_request", ("sev-snp",)),
    *each("snp_report", ("sev-snp",)),
    Boot("snp_report", "sev-snp", "secure_tsc", options=("sev_status=0x800",)),
    *each("ve", ("tdx",)),
    *each("tdcall", ("tdx",)),
    *each("tdvmcall", ("tdx",)),
    *each("td_quote", ("tdx",)),
    *each("tdx_cpu", ("tdx",)),
    Boot("sept", "tdx", options=("tdx=sept-ve",)),
    *(Boot("efi", personality, options=("efi",)) for personality in ALL),
    Boot("efi", "none", "table", options=("efi", "cc_blob=table", "max_extended=0x80000008")),
    Boot("efi", "none", "params", options=("efi", "cc_blob=params")),
    *(Boot("efi", p, "unaccepted", options=("unaccepted=48-60",)) for p in TWO_STATES),
    Boot(
        "efi",
        "sev-snp",
        "pieces",
        options=("unaccepted=48-60", "unit=64", "table_at=4064", "pieces=8"),
    ),
    Boot(
        "efi",
        "tdx",
        "touch",
        options=("unaccepted=48-60",),
        plan=False,
        stream=(r"^m\|end shutdown value=0x3000000 ",),
    ),
    *(
        Boot(
            "efi_stub",
            personality,
            options=("efi=stub",),
            initramfs=True,
            stream=(*GOOD_END, r"^k\|a line of the console$"),
        )
        for personality in ALL
    ),
    Boot("flash", "none", options=("flash",), firmware=True, initramfs=True),
    Boot("flash", "none", "high", high=64, options=("flash",), firmware=True, initramfs=True),
    *(
        Boot(
            "flash",
            personality,
            options=("flash",),
            firmware=True,
            plan=False,
            stream=(rf"^m\|end internal .*none for {personality}: it has no list {name}",),
        )
        for personality, name in (("sev-snp", "ASEV"), ("tdx", "TDVF"))
    ),
    Boot(
        "flash",
        "none",
        "no_firmware",
        options=("flash",),
        plan=False,
        stream=(r"^m\|end internal .* bytes are no firmware",),
    ),
    *(Boot("efi_programs", personality, options=("efi=stub",)) for personality in ALL),
    Boot("efi_stub", "none", "no_initramfs", options=("efi=stub",)),
    *(
        Boot("efi_stub", "none", case, ("efi=stub",), plan=False, stream=(rf"^m\|end {line}",))
        for case, line in (
            ("late", "unmodelled .*EFI boot service 2, after ExitBootServices"),
            ("late_exit", "unmodelled .*EFI boot service 24, after ExitBootServices"),
            ("ends", "exit .*value=0x8000000000000003 .*the EFI program ended itself"),
            ("other", "unmodelled .*EFI boot service 28 "),
        )
    ),
    *each("views", AMD + ("tdx",)),
    *each("cpu", ALL),
    *(Boot("cpu", p, "la57", ("la57",)) for p in ("none", *AMD)),
    *each("inject", ALL),
    *(Boot("smp", personality, vcpus=2) for personality in ALL),
    *(Boot("smp", p, "halt", ("halt_ends",), vcpus=2) for p in ("none", "sev")),
    *(Boot("smp", p, "init", vcpus=2) for p in ("none", "sev")),
    Boot("smp", "sev-snp", "features", ("sev_status=0x800000",), vcpus=2),
    Boot("vmsa", "sev-snp", vcpus=2),
    Boot(
        "vmsa",
        "sev-snp",
        "bad_cr0",
        vcpus=2,
        plan=False,
        stream=(r"^m\|end shutdown .*VMRUN refuses the state that vCPU 1 starts from",),
    ),
    Boot(
        "vmsa",
        "sev-snp",
        "in_use",
        vcpus=2,
        plan=False,
        stream=(r"^m\|breach kind=page ", r"^m\|end shutdown .*the VMSA of a vCPU in guest mode"),
        absent=(),
    ),
    Boot("svsm", "sev-snp", options=("svsm=2",), vcpus=2),
    Boot(
        "svsm",
        "sev-snp",
        "own_page",
        options=("svsm=2",),
        plan=False,
        stream=(r"^m\|breach kind=page ", r"^m\|end shutdown .*, which is the SVSM's"),
        absent=(),
    ),
    *(
        Boot(
            "snapshot",
            personality,
            options=("snapshot",),
            vcpus=2,
            stream=(*GOOD_END, r"^m\|snapshot$", r"^m\|resumed$"),
        )
        for personality in ALL
    ),
    # The other position of the bit that selects the view
    *(Boot("views", personality, cbit=47) for personality in AMD + ("tdx",)),
    # A host that lies about it
    *(Boot("views", personality, "told", ("told_cbit=47",)) for personality in ("sev", "sev-es")),
    Boot(
        "views",
        "sev-snp",
        "told",
        ("told_cbit=47",),
        plan=False,
        stream=(r"^m\|end internal .*option told_cbit: 47, of sev and sev-es",),
    ),
    *(end("exit", p, "exit code=7", "0x7") for p in ALL),
    *(end("exit_expected", p, "exit code=115", "0x73", expected="exit value=0x73") for p in ALL),
    *(end("poweroff", p, "poweroff") for p in ALL),
    *(end("reset_keyboard", p, "reset") for p in ALL),
    *(end("reset_cf9", p, "reset") for p in ALL),
    *(end("triple_fault", p, "shutdown") for p in ALL),
    *(end("terminate", p, "terminate", "0x104") for p in ES),
    *(end("terminate_of_another_reason", p, "terminate", "0x104") for p in ES),
    *(
        end("terminate_expected", p, "terminate", "0x104", expected="terminate value=0x104")
        for p in ES
    ),
    end("fatal", "tdx", "fatal", "0x55"),
    end("fatal_expected", "tdx", "fatal", "0x55", expected="fatal value=0x55"),
    end("unmodelled", "none", "unmodelled"),
    *(Boot("ends", p, "unmodelled_call", plan=False, stream=(r"^m\|end unmodelled ",)) for p in ES),
    *(end("terminate_by_ghcb", p, "terminate", "0x104") for p in ES),
    end("unaccepted_page", "tdx", "shutdown", "0x2008000"),
    end("page_taken_away", "tdx", "shutdown", "0x2008000"),
    end("report_into_an_unaccepted_page", "tdx", "shutdown", "0x2008000"),
    end("report_into_a_page_taken_away", "tdx", "shutdown", "0x2008000"),
    end("extend_from_a_shared_page", "tdx", "shutdown", "0x2008000"),
    end("page_taken_away", "sev-snp", "unmodelled"),
    Boot("ends", "sev-snp", "private_ghcb"),
    *(
        Boot(
            "ends",
            "sev-snp",
            f"{what}_of_no_ram",
            plan=False,
            stream=(r"^m\|breach kind=page ", r"^m\|end shutdown value=0xfec00000 "),
            absent=(),
        )
        for what in ("pvalidate", "rmpadjust")
    ),
    *(end("tables_in_no_ram", p, "shutdown", "0xfec00000") for p in ES),
    *(
        Boot("ends", p, "halt", ("halt_ends",), plan=False, stream=(r"^m\|end halt ",))
        for p in ("none", "sev", "sev-es", "tdx")
    ),
    Boot("ghcb", "sev-es", "version_1", options=("ghcb=1",)),
    Boot("ghcb", "sev-es", "many_codes", stream=(*GOOD_END, r"^m\|count ghcb any \d+$")),
    *(
        Boot("ends", p, "breach", stream=(*GOOD_END, r"^m\|breach kind=reserved "), absent=())
        for p in ES + ("tdx",)
    ),
]
