# SPDX-License-Identifier: GPL-2.0
"""The words that the machine is given are words that it has."""

import re
from pathlib import Path

import pytest

from coco import expect, machine_words, parts
from coco.errors import UsageError

MACHINE = parts.REPOSITORY / "machine"
LOOKED_UP = re.compile(r'\boption(?:_nth|_flag|_number)?\("(\w+)"')
SAID_BY_THE_RUNNER = {"personality", "ram", "high", "vcpus", "snapshot"}


def test_they_are_those_that_the_machine_looks_up() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in MACHINE.glob("*.c"))
    assert set(LOOKED_UP.findall(sources)) == {*machine_words.WORDS, *SAID_BY_THE_RUNNER}


def test_sources_named_exist() -> None:
    for _, meaning in machine_words.WORDS.values():
        for name in re.findall(r"\w+\.c\b", meaning):
            assert (MACHINE / name).is_file(), meaning


def test_suites_are_held_to_them(tmp_path: Path) -> None:
    (tmp_path / "suites").mkdir()
    file = tmp_path / "suites/svsm.yaml"
    text = (parts.REPOSITORY / "backports/expect/suites/svsm.yaml").read_text(encoding="utf-8")
    file.write_text(text.replace("svsm=", "svms="), encoding="utf-8")
    with pytest.raises(UsageError, match="svsm: the machine has no word 'svms'"):
        expect.load(tmp_path)


@pytest.mark.parametrize("words", ["cbit=47 trace", "efi", "efi=stub", "rule=a rule=b", ""])
def test_known_words_are_taken_as_they_are(words: str) -> None:
    assert machine_words.check(words) == words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("svms=1", "no word 'svms'"),
        ("trace cbti=47", "no word 'cbti'"),
        ("ram=1024", "RAM="),
        ("trace=1", "word is trace"),
        ("cbit", "word is cbit=47|51"),
    ],
)
def test_other_words_are_refused(words: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        machine_words.check(words)
