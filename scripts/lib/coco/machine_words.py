# SPDX-License-Identifier: GPL-2.0
"""The words of the machine's command line that a user or a suite may add.

The machine looks up the words that it knows and sees no others: one that is mistyped would
change nothing, and what it was to bring about would not be tested.
"""

from coco.errors import UsageError, did_you_mean

# Word: what stands behind its =, and what it does; the sources named in machine/ tell more
WORDS = {
    "cbit": ("47|51", "the C-bit's, or a TD's shared bit's place (default: 51)"),
    "told_cbit": ("47", "sev, sev-es: a host that tells another place than cbit (main.c)"),
    "la57": ("", "a processor with five levels of page tables"),
    "max_extended": ("<leaf>", "the highest extended leaf of CPUID"),
    "entry32": ("", "enter the kernel by the 32-bit boot protocol"),
    "efi": ("[stub]", "there is UEFI (efi.c); stub: the kernel's own stub starts it"),
    "efi_runtime": ("port", "UEFI's services at run time read a port first (efi_services.c)"),
    "flash": ("", "the guest starts in firmware of its own, at the reset vector (flash.c)"),
    "unaccepted": ("<from>-<to>", "sev-snp, tdx: MiB that the kernel has to accept (unaccepted.c)"),
    "unit": ("<KiB>", "what a bit of the table of unaccepted memory stands for"),
    "pieces": ("<number>", "areas that firmware used, below the unaccepted memory"),
    "table_at": ("<bytes>", "where in a page the table of unaccepted memory begins"),
    "cc_blob": ("params|table", "something that is no blob of SNP's stands there (leftovers.c)"),
    "pv": ("all|none|<list>", "what KVM offers beside the processor (kvm_pv.c)"),
    "ghcb": ("1|2", "sev-es, sev-snp: the host's highest version of the GHCB protocol"),
    "features": ("<bits>", "sev-es, sev-snp: hypervisor features (GHCB specification, 4.1.12)"),
    "sev_status": ("<bits>", "sev-snp: more features in SEV_STATUS, as Secure TSC (0x800)"),
    "intercept": ("rdtsc|tsc_freq", "sev-snp: what a host intercepts despite Secure TSC"),
    "svsm": ("<VMPL>", "sev-snp: the guest's VMPL, below an SVSM (svsm.c)"),
    "svsm_left": ("<byte>", "what the SVSM's first calling area is full of"),
    "mapgpa": ("<bytes>", "tdx: what one MapGPA converts at most, before it wants a retry"),
    "tdx": ("<list>", "tdx: attributes and controls of the TD (tdx.c)"),
    "rule": ("<rule>", "script an exit of the guest's (rule_option.c); may be given again"),
    "trace": ("", "write each exit to machine.log"),
    "halt_ends": ("", "a guest that halts for good ends the run"),
    "payload": ("", "what is started is no kernel (the machine's own tests)"),
}

# Those that the runner says itself
_SAID_BY = {
    "personality": "PERSONALITY=",
    "ram": "RAM=",
    "high": "RAM=",
    "vcpus": "VCPUS=",
    "snapshot": "a run that needs one",
}


def check(text: str) -> str:
    """These words, if the machine knows them all; UsageError else."""
    for word in text.split():
        name, _, value = word.partition("=")
        if name in _SAID_BY:
            raise UsageError(f"{name} is no word to add: it is said by {_SAID_BY[name]}")
        if name not in WORDS:
            raise UsageError(f"the machine has no word {name!r}", did_you_mean(name, WORDS))
        wanted = WORDS[name][0]
        if bool(value) != bool(wanted) and not wanted.startswith("["):
            raise UsageError(f"the machine's word is {as_written(name)}")
    return text


def as_written(name: str) -> str:
    """With its value: "cbit=47|51", "efi[=stub]"."""
    value = WORDS[name][0]
    if value.startswith("["):
        return f"{name}[={value[1:-1]}]"
    return f"{name}={value}" if value else name
