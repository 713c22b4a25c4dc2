# SPDX-License-Identifier: GPL-2.0
"""Kernel configurations: read them, and say which option is missing and why."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_SET = re.compile(r"CONFIG_([A-Za-z0-9_]+)=(.*)")
_COMPILER = re.compile(r"# Compiler: (.*)")  # before CC_VERSION_TEXT was an option


def parse(text: str) -> dict[str, str]:
    """Options that are set, without CONFIG_; strings lose their quotes."""
    options = {}
    for line in text.splitlines():
        match = _SET.fullmatch(line.strip())
        if match:
            value = match[2]
            if len(value) > 1 and value[0] == value[-1] == '"':
                value = value[1:-1]
            options[match[1]] = value
            continue
        match = _COMPILER.fullmatch(line.strip())
        if match:
            options.setdefault("CC_VERSION_TEXT", match[1])
    return options


def read(path: Path) -> dict[str, str]:
    """The configuration in a file."""
    return parse(path.read_text(encoding="utf-8", errors="replace"))


@dataclass(frozen=True)
class Requirement:
    """A kernel must have one of these options (or NAME=value), or none of them, or else what."""

    options: tuple[str, ...]
    why: str
    absent: bool = False

    def met(self, config: Mapping[str, str]) -> bool:
        there = any(self._is(option, config) for option in self.options)
        return there != self.absent

    @staticmethod
    def _is(option: str, config: Mapping[str, str]) -> bool:
        name, _, value = option.partition("=")
        return config.get(name, "n") in ((value,) if value else ("y", "m"))

    @property
    def names(self) -> str:
        names = " or ".join("CONFIG_" + option for option in self.options)
        return f"no {names}" if self.absent else names

    def __str__(self) -> str:
        return f"{self.names}: {self.why}"


def _need(options: str, why: str) -> Requirement:
    return Requirement(tuple(options.split()), why)


# To boot to init at all, and to hear of it.
BOOT = (
    _need("X86_64", "the machine is a 64-bit x86"),
    _need("BLK_DEV_INITRD", "init and the suites come in an initramfs"),
    _need("BINFMT_ELF", "init is an ELF program"),
    _need("PRINTK", "results are read from the kernel log"),
    _need("PROC_FS", "init reads /proc"),
    _need("SYSFS", "init reads /sys"),
    _need("TMPFS", "init mounts a tmpfs"),
    _need("TTY", "init needs a console"),
)

# To load the KUnit suites.
MODULES = (
    _need("MODULES", "the KUnit suites are modules"),
    _need("MODULE_UNLOAD", "one suite is unloaded before the next is loaded"),
    _need("KALLSYMS", "the suites look up kernel functions by name"),
    _need("KPROBES", "the suites find kallsyms_lookup_name() through a kprobe"),
)

# To be a guest of each personality.
PERSONALITY: dict[str, tuple[Requirement, ...]] = {
    "none": (),
    "sev": (
        _need("AMD_MEM_ENCRYPT", "SEV guests encrypt their memory"),
        _need("MTRR", "an SME or SEV-ES kernel without PAT stops in __sme_early_enc_dec()"),
    ),
    "sev-es": (
        _need("AMD_MEM_ENCRYPT", "SEV-ES guests handle #VC"),
        _need("MTRR", "an SME or SEV-ES kernel without PAT stops in __sme_early_enc_dec()"),
    ),
    "sev-snp": (
        _need("AMD_MEM_ENCRYPT", "SEV-SNP guests handle #VC and validate memory"),
        _need("MTRR", "an SME or SEV-ES kernel without PAT stops in __sme_early_enc_dec()"),
    ),
    "tdx": (_need("INTEL_TDX_GUEST", "TDX guests handle #VE"),),
}

# What a suite needs beyond the above is said in its own expectations
# (needs:); these are the words that stand for options there.
FEATURES: dict[str, Requirement] = {
    "ia32": _need("IA32_EMULATION", "32-bit system calls and programs"),
    "code_of_16_bits": _need("X86_16BIT", "code segments of 16 bits"),
    "sev_guest": _need("SEV_GUEST", "attestation of SEV-SNP guests"),
    "tdx_guest": _need("TDX_GUEST_DRIVER", "attestation of TDX guests"),
    "sev_guest_module": _need("SEV_GUEST=m", "a driver for SEV-SNP that comes and goes"),
    "tdx_guest_module": _need("TDX_GUEST_DRIVER=m", "a driver for TDX that comes and goes"),
    "tsm_provider_module": _need("SEV_GUEST=m TDX_GUEST_DRIVER=m", "reports without their maker"),
    "tsm_reports": _need("TSM_REPORTS", "attestation through configfs"),
    "tsm_measurements": _need("TSM_MEASUREMENTS", "measurement registers in sysfs"),
    "unaccepted_memory": _need("UNACCEPTED_MEMORY", "memory accepted when it is first used"),
    "atomic_sleep": _need("DEBUG_ATOMIC_SLEEP", "a word of whoever may sleep where nobody must"),
    "softlockup": _need("SOFTLOCKUP_DETECTOR", "a watchdog that is told of long work"),
    "vmcore": _need("PROC_VMCORE", "the memory of a kernel that crashed, as a file"),
    "proc_kcore": _need("PROC_KCORE", "kernel memory as a core file"),
    "kexec": _need("KEXEC KEXEC_FILE", "starting a second kernel"),
    "kvm_guest": _need("KVM_GUEST", "paravirtual KVM features"),
    "efi": _need("EFI", "EFI tables"),
    "efi_stub": _need("EFI EFI_STUB", "a kernel that is an EFI program"),
    "efi_ssdt": _need("EFI_CUSTOM_SSDT_OVERLAYS", "variables that are looked for at boot"),
    "efivarfs": _need("EFIVAR_FS", "variables of the firmware as files"),
    "iommu_dma": _need("IOMMU_DMA", "devices behind an IOMMU"),
    "efi_esrt": _need("EFI_ESRT", "the firmware's table of its resources"),
    "debugfs": _need("DEBUG_FS", "page tables and counters in debugfs"),
    "kunit": _need("KUNIT", "the kernel's own KUnit"),
    "early_panic_restarts": _need("PANIC_TIMEOUT=-1", "a panic before panic= is read shows"),
    "swiotlb_dynamic": _need("SWIOTLB_DYNAMIC", "a pool that grows"),
    "restricted_pool": _need("DMA_RESTRICTED_POOL", "a device with a shared pool of its own"),
    "swiotlb_fixed": Requirement(("SWIOTLB_DYNAMIC",), "a pool that can be full", absent=True),
}


def missing(config: Mapping[str, str], needs: Iterable[Requirement]) -> list[Requirement]:
    """The requirements that a configuration does not meet."""
    return [need for need in needs if not need.met(config)]


def explain(needs: Iterable[Requirement]) -> str:
    """Requirements as indented lines of a message."""
    return "\n".join(f"  {need}" for need in needs)


def shortcomings(config: Mapping[str, str], technologies: Iterable[str]) -> tuple[str, ...]:
    """What a kernel with code for these technologies lacks to run as such a guest."""
    found: dict[str, list[str]] = {}
    for technology in technologies:
        for need in missing(config, PERSONALITY.get(technology, ())):
            found.setdefault(str(need), []).append(technology)
    return tuple(f"{', '.join(names)}: {need}" for need, names in found.items())
