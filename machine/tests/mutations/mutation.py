# SPDX-License-Identifier: GPL-2.0
"""A way to break the machine, and the check that must notice."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """In one place of the source (text that occurs once in the file), what to put there."""

    name: str
    file: str
    old: str
    new: str
    boot: str  # of run's
    check: str
