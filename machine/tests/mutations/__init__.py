# SPDX-License-Identifier: GPL-2.0
"""Ways to break the machine, each with the check in a boot of run's that must notice."""

from mutations import attestation, efi, machine, sev, svsm, tdx
from mutations.mutation import Mutation

__all__ = ["MUTATIONS", "Mutation"]

MUTATIONS = [
    *machine.MUTATIONS,
    *sev.MUTATIONS,
    *tdx.MUTATIONS,
    *attestation.MUTATIONS,
    *svsm.MUTATIONS,
    *efi.MUTATIONS,
]
