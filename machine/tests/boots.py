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
    cbit: int = 0
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


BOOTS = [
    *each("control", ALL),
    *each("hostview", ALL),
    *each("vc", ES),
    *each("ghcb_msr", ES),
    *each("ghcb", ES),
    *each("snp", ("sev-snp",)),
    *each("ve", ("tdx",)),
    *each("tdcall", ("tdx",)),
    *each("tdvmcall", ("tdx",)),
]
