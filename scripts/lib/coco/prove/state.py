# SPDX-License-Identifier: GPL-2.0
"""The proofs of a run as they are kept, so that an interrupted one can go on."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from coco import files, parts, prepare
from coco.catalogue.fix import Fix
from coco.errors import UsageError
from coco.prove import proofs, verdicts
from coco.prove.proofs import Proof
from coco.prove.sources import Sources

FILE = "prove.json"
# Words that change nothing of a single proof
_SHAPELESS = ("FIX", "MISTAKE", "SUITE", "TIER", "RESULTS", "JSON", "JOBS", "PATIENCE")
# What else has to be the same for a proof to be taken over
_SAME = ("kernel_sha256", "tests", "qemu", "machine_sha256")


class State:
    """All proofs of a run, those of its interrupted beginning included."""

    def __init__(
        self,
        words: list[str],
        date: str,
        fixes: Sequence[Fix],
        brief: bool,
        series: Sources | None = None,
    ) -> None:
        self.about: proofs.Record = {}
        self.left_out: dict[str, tuple[str, ...]] = {}  # by fix, cases that need others
        self._words = words
        self._date = date
        self._brief = brief
        asked = _asked(words, series)
        self._entries = {fix.id: digest(fix, asked) for fix in fixes}
        self._records: dict[str, proofs.Record] = {}
        self._earlier: dict[str, proofs.Record] = {}
        self._folder: Path | None = None

    def begin(self, folder: Path, prepared: prepare.Prepared, config: str | None) -> None:
        """What the proofs are about; what an interrupted run left there, if it is the same."""
        kernel = prepared.kernel
        self._folder = folder
        self.about = {
            "kernel": kernel.name,
            "release": kernel.release,
            "kernel_sha256": kernel.sha256,
            "config": f"configuration {config}" if config else "our configuration",
            "compiler": kernel.compiler,
            "suite_version": parts.version(),
            "suites": prepared.suites,
            "tests": prepared.initramfs.parent.name,
            "catalogue": self._date,
            "qemu": prepared.program.version,
            "machine_sha256": files.sha256(prepared.machine),
        }
        if not (folder / FILE).is_file():
            return
        data = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if any(data["about"].get(key) != self.about[key] for key in _SAME):
            raise UsageError(
                f"RESULTS={folder} holds proofs of another kernel, or by other tests",
                "name a new folder",
            )
        self._earlier = {
            one["id"]: one
            for one in data["proofs"]
            if one["entry"] == self._entries.get(one["id"]) and one["verdict"] != verdicts.UNKNOWN
        }

    def take_over(self, fix: Fix) -> proofs.Record | None:
        """The earlier proof of a fix, if there is one."""
        kept = self._earlier.get(fix.id)
        if kept:
            self._records[fix.id] = kept
        return kept

    def add(self, fix: Fix, claim: str, verdict: str, why: str) -> None:
        """A verdict that took no kernel."""
        self._put(Proof(fix.id, fix.title, verdict, why, claim, fix.cves))

    def keep(self, proof: Proof) -> None:
        """A proof, which is saved at once."""
        self._put(proof)
        self.save(complete=False)

    def _put(self, proof: Proof) -> None:
        self._records[proof.id] = {
            **proofs.record(proof),
            "left_out": list(self.left_out.get(proof.id, ())),
            "entry": self._entries[proof.id],
        }

    def save(self, complete: bool) -> None:
        """Everything, in the results folder."""
        assert self._folder is not None
        proofs.write(self._folder / FILE, self.document(complete))
        for one in self._records.values():
            if one["parts"]:
                place = self._folder / one["id"]
                proofs.write(place / "proof.json", {**one, "about": self.about})
                text = "\n".join(proofs.block(one, self.about)) + "\n"
                files.write(place / "tested-by.txt", text)

    def document(self, complete: bool) -> proofs.Record:
        """For programs."""
        every = list(self._records.values())
        return {
            "schema": proofs.SCHEMA_VERSION,
            "complete": complete,
            "words": self._words,
            "catalogue": self._date,
            "about": self.about,
            "exit": proofs.exit_code(every, self._brief),
            "proofs": every,
        }


def digest(fix: Fix, asked: str = "") -> str:
    """Of everything that the catalogue says about a fix, and of what else a proof depends on."""
    made = hashlib.sha256(fix.file.read_bytes())
    if fix.recipe:
        made.update(fix.recipe.read_bytes())
    made.update(f"{fix.cases} {asked}".encode())
    return made.hexdigest()


def _asked(words: Sequence[str], series: Sources | None) -> str:
    """The words that a proof depends on, and the content of an own other side."""
    shaping = sorted(word for word in words if word.partition("=")[0] not in _SHAPELESS)
    sides = [sorted(files.items()) for files in (series.with_fix, series.without)] if series else []
    return repr((shaping, sides))
