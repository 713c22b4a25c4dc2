# SPDX-License-Identifier: GPL-2.0
"""The mutations of machine/tests/selfcheck are of this machine: it takes long, and runs seldom."""

import re
import sys
import time
from pathlib import Path

import pytest

MACHINE = Path(__file__).resolve().parents[2] / "machine"
sys.path.insert(0, str(MACHINE / "tests"))

import boots  # noqa: E402
import harness  # noqa: E402
from mutations import MUTATIONS, Mutation  # noqa: E402

NAMES = [mutation.name for mutation in MUTATIONS]
BOOTS = {boot.name: boot for boot in boots.BOOTS}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=NAMES)
def test_text_occurs_once(mutation: Mutation) -> None:
    assert (MACHINE / mutation.file).read_text("utf-8").count(mutation.old) == 1
    assert mutation.old != mutation.new


@pytest.mark.parametrize("mutation", MUTATIONS, ids=NAMES)
def test_boot_has_the_check(mutation: Mutation) -> None:
    boot = BOOTS[mutation.boot]
    texts = [MACHINE / "tests" / f"{boot.payload}.c", MACHINE / "tests" / "verify.py"]
    named = re.compile(rf'"{re.escape(mutation.check)}"')
    assert mutation.check == boot.ends or any(named.search(text.read_text()) for text in texts)


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize(
    ("does", "told"), [("while :; do :; done", "the payload hangs: QEMU killed"), ("exit 0", None)]
)
def test_payload_that_hangs_is_told_from_one_that_ends(
    tmp_path: Path, does: str, told: str | None
) -> None:
    process = harness.spawn(["sh", "-c", does], tmp_path, 1)
    assert harness.wait(process, time.monotonic() + 60) == told
