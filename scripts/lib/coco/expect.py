# SPDX-License-Identifier: GPL-2.0
"""What a kernel is expected to have, and what is known to be wrong with it.

    backports/expect/suites/<suite>.yaml    every case, where it applies, what it needs
    backports/expect/baseline/<suite>.yaml  known findings, each with a reference and an expiry
"""

import datetime
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from coco import config, machine_words, parts, qemu, schema, splat
from coco.errors import UsageError, did_you_mean
from coco.model import KUNIT, PERSONALITIES, SELFTEST, base, covers

EXPECTATIONS = parts.REPOSITORY / "backports/expect"
SCHEMA = Path(__file__).with_name("expect.schema.json")
SMP = "smp"  # the run has two vCPUs or more
UP = "up"  # ... or one alone
FIRMWARE = "firmware"  # something can start the kernel as the firmware of a PC
UKI_STUB = "uki_stub"  # something can start a kernel out of a unified kernel image
# The words that needs: may use, besides these: those that stand for options of the kernel ...
FEATURES: Mapping[str, config.Requirement] = {
    **config.FEATURES,
    "dma_pool": config.Requirement(("DMA_COHERENT_POOL",), "a pool for drivers that cannot wait"),
    "five_levels": config.Requirement(("PGTABLE_LEVELS=5",), "page tables of five levels"),
    "kallsyms_all": config.Requirement(("KALLSYMS_ALL",), "variables are found by name"),
    "msr_device": config.Requirement(("X86_MSR",), "MSRs from user space"),
    "pm_sleep": config.Requirement(("PM_SLEEP",), "CPUs and devices suspend"),
    "ptp_kvm": config.Requirement(("PTP_1588_CLOCK_KVM",), "a clock pair in a shared page"),
    "virtio_blk": config.Requirement(("VIRTIO_BLK",), "a disk of the host's"),
    "virtio_net": config.Requirement(("VIRTIO_NET",), "network cards of the host's"),
    "packet_sockets": config.Requirement(("PACKET",), "frames as they are on the wire"),
    "hpet_mmap": config.Requirement(("HPET_MMAP",), "MMIO at user-space addresses"),
    "zone_dma": config.Requirement(("ZONE_DMA",), "devices that reach 16 MiB, and no more"),
}
# ... and those that stand for a function that the kernel exports
EXPORTS: Mapping[str, str] = {
    "cc_platform": "cc_platform_has",
    "sev_active": "sev_active",
}
# ... and those that stand for what one of its headers declares: (header, text in it)
DECLARED: Mapping[str, tuple[str, str]] = {
    "default_swiotlb_limit": ("include/linux/swiotlb.h", "default_swiotlb_limit("),
    # SEV-SNP's early code as it was while it stayed after boot, before it became __init
    "snp_early_code": ("arch/x86/include/asm/sev.h", "void __noreturn snp_abort(void);"),
    "dma_alloc_pages": ("include/linux/dma-mapping.h", "page *dma_alloc_pages("),
    "dma_need_sync": ("include/linux/dma-mapping.h", "bool dma_need_sync("),
    "dma_iommu": ("include/linux/device.h", "dma_iommu"),
    "ptp_kvm_arch": ("include/linux/ptp_kvm.h", "void kvm_arch_ptp_exit(void);"),
    "snp_kexec": ("arch/x86/include/asm/sev.h", "void snp_kexec_finish(void);"),
    "tdx_kexec": ("arch/x86/include/asm/x86_init.h", "enc_kexec_begin"),
    # The early #VC handler tells the host that it gives up; kernels up to 5.15 just halt
    "early_vc_terminates": ("arch/x86/include/asm/sev-common.h", "SEV_TERM_SET_GEN"),
    # The decompressor's 32-bit entry has a handler of #VC; it came with this header
    "entry32_vc": ("arch/x86/include/asm/sev-common.h", "GHCB_MSR_TERM_REQ"),
    # A stub that takes the initramfs by EFI_LOAD_FILE2_PROTOCOL; older ones just from a volume
    "efi_load_file2": ("include/linux/efi.h", "LINUX_EFI_INITRD_MEDIA_GUID"),
    "sysret_gap": ("arch/x86/include/asm/proto.h", "entry_SYSRETQ_unsafe_stack"),
    "svsm": ("arch/x86/include/asm/sev.h", "struct svsm_call {"),
    # The event log of measurements, as a file
    "acpi_ccel": ("include/acpi/actbl2.h", "ACPI_SIG_CCEL"),
    # A TD's kernel that asks the module for fewer #VE, and for the topology
    "td_ctls": ("arch/x86/include/asm/shared/tdx.h", "define TD_CTLS_REDUCE_VE"),
    # ... that tells the host of its fatal errors, and takes a debug TD with #VE on private memory
    "td_fatal_error": ("arch/x86/include/asm/shared/tdx.h", "define TDVMCALL_REPORT_FATAL_ERROR"),
    "min_align_mask": ("include/linux/dma-mapping.h", "dma_set_min_align_mask("),
    # In struct snp_guest_req; 6.13 has it in struct snp_msg_desc, for all requests
    "certs_a_request": ("arch/x86/include/asm/sev.h", "input;\n\tvoid *certs_data;"),
    "secure_tsc": ("arch/x86/include/asm/sev.h", "snp_secure_tsc_init("),
    "tree_tdx_selftest": ("tools/testing/selftests/tdx/tdx_guest_test.c", "TEST(verify_report)"),
    "swiotlb_align_mask": ("include/linux/swiotlb.h", "alloc_aligned_mask"),
    "swiotlb_areas": ("include/linux/swiotlb.h", "io_tlb_area"),
}
TIERS = SMOKE, FULL = ("smoke", "full")
BOOT = "boot"  # the suite whose cases are the boot itself
START = "start"  # a suite that boots another guest, which has to come up, or must not
NAME = re.compile(r"[a-z0-9_]+")
# Anything can warn, so that it takes the functions
_TOLERATED = re.compile(r"warning in [\w|]+|(?!warning)\w+(?: in [\w|]+)?")
KINDS = (BOOT, KUNIT, SELFTEST, START)  # in the order in which they run


@dataclass(frozen=True)
class Case:
    """One case as it is written down."""

    id: str  # without its suite's name
    tier: str = SMOKE
    personalities: tuple[str, ...] = PERSONALITIES
    needs: tuple[str, ...] = ()
    fatal: bool = False  # ends the guest: runs alone, last
    tolerates: tuple[str, ...] = ()  # splats that it causes on purpose (splat.is_allowed())
    fixes: tuple[str, ...] = ()  # 'sha12 ("subject")' that a kernel lacks if it fails
    ends: str = ""  # of a start: the machine's word and value for the only right end


@dataclass(frozen=True)
class Setting:
    """What a suite's guest is given besides what the run has; suites of one setting share boots.

    Devices may be there that a suite did not ask for (plan.shares).
    """

    machine: str = ""  # words for the machine's command line
    append: str = ""  # ... and for the kernel's
    ram: int = 0  # MiB; 0: as the run has it
    devices: tuple[str, ...] = ()  # of QEMU, names in qemu.DEVICES
    # What is started: uki, a unified kernel image with the kernel in it; firmware, one that
    # finds the kernel by itself
    image: str = ""
    warns: str = ""  # the function in which this boot makes the kernel warn, on purpose


@dataclass(frozen=True)
class Suite:
    """One suite as it is written down."""

    name: str
    kind: str
    description: str
    cases: tuple[Case, ...]
    modprobe: tuple[str, ...] = ()  # the kernel's own drivers that it tests
    timeout: float = 0.0  # seconds that its slowest case may take, if more than usual
    setting: Setting = Setting()
    set_in: tuple[str, ...] = PERSONALITIES  # where it asks for that setting
    model_only: str = ""  # why it must not run in a guest that is somebody's
    tier: str = SMOKE  # full: only where all is wanted, or it is named

    def setting_in(self, personality: str) -> Setting:
        """What its guest is given in that personality."""
        return self.setting if personality in self.set_in else Setting()

    def case(self, name: str) -> Case | None:
        """The case of that id; a parameter is its case's."""
        for case in self.cases:
            if case.id in (name, base(name)):
                return case
        return None


@dataclass(frozen=True)
class Known:
    """One known finding of the baseline."""

    case: str  # suite.case[.param]
    causes: tuple[str, ...]  # by which it fails; by any other it is a finding
    reference: str
    expires: datetime.date
    personalities: tuple[str, ...] = PERSONALITIES
    first: tuple[int, ...] = ()  # kernel versions, both included; (): open
    last: tuple[int, ...] = ()
    unless: str = ""  # an option of the kernel's configuration that hides it
    shows: str = ""  # a pattern that is to be found in what it then says

    def covers(self, case: str, personality: str, version: tuple[int, ...]) -> bool:
        """Is this entry about that case on that kernel?"""
        if not covers(self.case, case):
            return False
        if personality not in self.personalities:
            return False
        return self.first <= version and (not self.last or version[: len(self.last)] <= self.last)


@dataclass(frozen=True)
class Expectations:
    """Everything that is written down."""

    suites: Mapping[str, Suite]
    baseline: tuple[Known, ...] = field(default=())

    def of(self, config: Mapping[str, str]) -> "Expectations":
        """Without the findings that a kernel of that configuration hides."""
        shown = (one for one in self.baseline if config.get(one.unless) != "y")
        return replace(self, baseline=tuple(shown))

    def check_suites(self, names: Sequence[str]) -> None:
        """A suite that is asked for by a name that none has is an error."""
        for name in names:
            if name not in self.suites:
                raise UsageError(f"no suite {name!r}", did_you_mean(name, self.suites))

    def case(self, suite: str, name: str) -> Case | None:
        known = self.suites.get(suite)
        return known.case(name) if known else None


def load(folder: Path) -> Expectations:
    """All files, checked.  The boot comes first, then the kernel's suites, then user space's."""
    known = {}
    for path in (folder / "suites").glob("*.yaml"):
        if not NAME.fullmatch(path.stem):
            raise UsageError(f"{path}: a suite is named [a-z0-9_]+")
        known[path.stem] = _suite(path.stem, read(path, "suite"))
        _check(known[path.stem], path)
    if not known:
        raise UsageError(f"{folder}/suites: no suite is written down there")
    suites = dict(sorted(known.items(), key=lambda item: (KINDS.index(item[1].kind), item[0])))
    findings = []
    for path in sorted((folder / "baseline").glob("*.yaml")):
        for data in read(path, "baseline"):
            findings += _known(path, data, suites)
    return Expectations(suites, tuple(findings))


def read(path: Path, kind: str, schema_file: Path = SCHEMA) -> Any:
    """A YAML file that is as the definition `kind` of a schema wants it."""
    try:
        # Dates as texts, quoted or not
        data = json.loads(json.dumps(yaml.safe_load(path.read_text("utf-8")), default=str))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, ValueError) as error:  # a day that no calendar has is the latter
        raise UsageError(f"{path} is not YAML: {error}") from error
    if problem := schema.problem(data, schema_file, kind):
        raise UsageError(f"{path}: {problem}")
    return data


def _suite(name: str, data: Mapping[str, Any]) -> Suite:
    personalities = tuple(data.get("personalities", PERSONALITIES))
    needs = tuple(data.get("needs", ()))
    return Suite(
        name,
        data["kind"],
        data["description"],
        tuple(_case(case, personalities, needs) for case in data["cases"]),
        tuple(data.get("modprobe", ())),
        float(data.get("timeout", 0)),
        Setting(
            data.get("machine", ""),
            data.get("append", ""),
            data.get("ram", 0),
            tuple(data.get("devices", ())),
            data.get("image", ""),
            data.get("warns", ""),
        ),
        tuple(data.get("set_in", PERSONALITIES)),
        data.get("model_only", ""),
        data.get("tier", SMOKE),
    )


def _case(data: Mapping[str, Any], personalities: tuple[str, ...], needs: tuple[str, ...]) -> Case:
    """A case inherits where its suite applies and what that needs."""
    own = data.get("personalities", personalities)
    return Case(
        data["id"],
        data.get("tier", SMOKE),
        tuple(name for name in personalities if name in own),
        needs + tuple(data.get("needs", ())),
        data.get("fatal", False),
        tuple(data.get("tolerates", ())),
        tuple(data.get("fixes", ())),
        data.get("ends", ""),
    )


def _check(suite: Suite, path: Path) -> None:
    """What a schema cannot say."""
    try:
        machine_words.check(suite.setting.machine)
    except UsageError as error:
        raise UsageError(f"{path}: {suite.name}: {error.message}", error.hint) from error
    for device in suite.setting.devices:
        if device not in qemu.DEVICES:
            hint = did_you_mean(device, qemu.DEVICES)
            raise UsageError(f"{path}: {suite.name}: {device!r} is no device", hint)
    seen = set()
    for case in suite.cases:
        name = f"{suite.name}.{case.id}"
        if case.ends and suite.kind != START:
            raise UsageError(f"{path}: {name}: ends: is for suites of kind {START}")
        if case.id in seen:
            raise UsageError(f"{path}: {name} is listed twice")
        seen.add(case.id)
        known = {*FEATURES, *EXPORTS, *DECLARED, FIRMWARE, SMP, UKI_STUB, UP}
        for word in case.needs:
            if word not in known:
                hint = did_you_mean(word, known)
                raise UsageError(f"{path}: {name}: {word!r} is no feature", hint)
        for word in case.tolerates:
            kind = word.partition(splat.IN)[0]
            if kind not in splat.KINDS:
                hint = did_you_mean(kind, splat.KINDS)
                raise UsageError(f"{path}: {name}: {word!r} is no kind of splat", hint)
            if not _TOLERATED.fullmatch(word):
                hint = "warning in one_function|another"
                raise UsageError(f"{path}: {name}: tolerates: any {word!r}", hint)


def _known(path: Path, data: Mapping[str, Any], suites: Mapping[str, Suite]) -> list[Known]:
    """An entry of the baseline, one finding a case."""
    kernel = data.get("kernel", {})
    try:
        expires = datetime.date.fromisoformat(data["expires"])
    except ValueError as error:
        raise UsageError(f"{path}: {data['cases'][0]}: expires: {error}") from error
    try:
        re.compile(data.get("shows", ""))
    except re.error as error:
        raise UsageError(f"{path}: {data['cases'][0]}: shows: {error}") from error
    found = []
    for case in data["cases"]:
        name = f"{path.stem}.{case}"
        if path.stem not in suites or not suites[path.stem].case(case):
            raise UsageError(f"{path}: no case {name}", did_you_mean(name, _all_ids(suites)))
        found.append(
            Known(
                name,
                tuple(data["causes"]),
                data["reference"],
                expires,
                tuple(data.get("personalities", PERSONALITIES)),
                parse_version(kernel.get("from", "")),
                parse_version(kernel.get("to", "")),
                data.get("unless", ""),
                data.get("shows", ""),
            )
        )
    return found


def parse_version(text: str) -> tuple[int, ...]:
    """The first version number in a text: "Debian 5.10.262-1 cloud" is (5, 10, 262)."""
    match = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def kernel_version(name: str, release: str, banner: str) -> tuple[int, ...]:
    """The upstream version: Debian calls its 5.10.262 "5.10.0-46", and tells in the banner."""
    series = parse_version(release)
    texts = re.findall(r"\d+(?:\.\d+)+", f"{release} {name} {banner}")
    versions = [parse_version(text) for text in texts]
    return max((one for one in versions if one[:2] == series[:2]), default=series)


def _all_ids(suites: Mapping[str, Suite]) -> list[str]:
    return [f"{suite.name}.{case.id}" for suite in suites.values() for case in suite.cases]


def all_ids(expectations: Expectations) -> list[str]:
    """Every case id that is written down."""
    return _all_ids(expectations.suites)
