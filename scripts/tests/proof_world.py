# SPDX-License-Identifier: GPL-2.0
"""A fake tree with a fix, and what each kernel of it does: the world in which proofs are tested."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import fake_kernel
import pytest
from conftest import SHORT, expectations, fake_qemu, scenario_of, suite
from fixes import FIX

from coco import check, expect, kernels, plan, prepare, qemu
from coco.catalogue import entries
from coco.catalogue.fix import Catalogue, Condition, Fix, Flip, Probe
from coco.kernels import altered
from coco.prove import state, work
from coco.screen import Screen

SOURCE = "arch/x86/coco/tdx/tdx.c"
WRITTEN = expectations(
    suite("alpha", ["leaks", "other"], personalities=("tdx",)),
    suite("beta", ["locks"], personalities=("sev",)),
    suite("technology", ["agrees"]),
)


class World:
    """A tree with a fix; what each kernel does is written down beforehand."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.results = folder / "results"
        self.tree = fake_kernel.tree(folder / "tree")
        (self.tree / SOURCE).parent.mkdir(parents=True)
        (self.tree / SOURCE).write_text(fake_kernel.FIXED, encoding="utf-8")
        self.upstream = str(fake_kernel.tree(folder / "upstream"))
        self.fixes = {"some-fix": self.fix()}
        self.cases: dict[str, str] = {}  # with the fix
        self.without: dict[str, str] = {"alpha.leaks": "fail"}
        self.boot_without = ""
        self.built: list[Mapping[str, bytes | None]] = []
        self.fails: BaseException | None = None
        self.same = False  # the image does not change
        self.swapped = False  # the tree as it is lacks the fix
        self.technologies: tuple[str, ...] = ("none", "tdx")
        self.reference: dict[str, str] = {}  # what the cases do there
        monkeypatch.setenv("COCO_CACHE", str(folder / "cache"))
        monkeypatch.setattr(prepare, "prepare", self.prepare_of)
        monkeypatch.setattr(prepare, "again", lambda *_: self.prepared(self.sides[1]))
        monkeypatch.setattr(altered, "build", self.build)
        monkeypatch.setattr(expect, "load", lambda _folder: WRITTEN)
        monkeypatch.setattr(check, "Budgets", lambda: SHORT)

    def fix(self, name: str = "some-fix", **more: Any) -> Fix:
        file = self.folder / f"{name}.yaml"
        file.write_text(f"id: {name}\n", encoding="utf-8")
        cocci = self.folder / f"{name}.cocci"
        cocci.write_text(fake_kernel.TAKES_OUT, encoding="utf-8")
        values: dict[str, Any] = {
            "id": name,
            "subject": "x86/tdx: Do it right",
            "cves": ("CVE-2026-1",),
            "technologies": ("tdx",),
            "applies": (Condition((SOURCE,), "handler"),),
            "probes": (Probe((SOURCE,), "handler", "if \\(user\\)"),),
            "cases": (Flip("alpha.leaks", "fail", ("tdx",), "the host sees it"),),
            "verified": True,
            "recipe": cocci,
            "recipe_files": (SOURCE,),
            "file": file,
        }
        return replace(FIX, **{**values, **more})

    @property
    def sides(self) -> tuple[str, str]:
        """What the tree as it is shows, and what the changed one does."""
        return ("without", "with") if self.swapped else ("with", "without")

    def prepare_of(self, options: argparse.Namespace, _say: object) -> prepare.Prepared:
        return self.prepared("upstream" if options.kdir == self.upstream else self.sides[0])

    def prepared(self, side: str) -> prepare.Prepared:
        cases = {"with": self.cases, "without": self.without, "upstream": self.reference}[side]
        boot = self.boot_without if side == "without" else ""
        scenario = scenario_of(WRITTEN, cases=cases, boot=boot)
        words = fake_qemu(self.folder / side, scenario)
        file = self.folder / side / "initramfs"
        file.touch()
        available = plan.Available(kunit=frozenset({"alpha", "beta", "technology"}))
        return prepare.Prepared(
            qemu.find(words), self.kernel(side), file, file, available, "built", file
        )

    def kernel(self, side: str) -> kernels.Kernel:
        file = self.folder / "file"
        file.touch()
        return kernels.Kernel(
            name="Fake 6.12.1",
            source="tree",
            release="6.12.1-fake",
            vmlinuz=file,
            sha256=("1" if side == "with" or self.same else "2") * 64,
            config={"EFI": "y"},
            technologies=self.technologies,
            modules=self.folder / ("with" if self.same else side),
        )

    def build(self, _request: object, _kernel: object, files: Any, *_: Any) -> altered.Altered:
        self.built.append(files)
        if self.fails:
            raise self.fails
        return altered.Altered(self.kernel(self.sides[1]), 1.0, headers=False)

    def prove(self, fix: str = "some-fix", **options: Any) -> int:
        with (self.folder / "screen").open("w") as out:
            return self.prover(fix, Screen(out), **options).run()

    def bisect(self) -> int:
        """As the command line does."""
        with pytest.MonkeyPatch.context() as patch:
            listing = Catalogue(self.fixes, "2026-11-28", ())
            patch.setattr(entries, "load", lambda _: listing)
            with (self.folder / "screen").open("w") as out:
                return work.run(self.options("some-fix", bisect=True), [], Screen(out))

    def prover(self, fix: str, screen: Screen, **options: Any) -> work.Prover:
        listing = Catalogue(self.fixes, "2026-11-28", ())
        words = [f"KDIR={self.tree}", f"FIX={fix}"]
        return work.Prover(self.options(fix, **options), words, screen, listing)

    def options(self, fix: str, **options: Any) -> argparse.Namespace:
        names = ("kernel", "config", "personality", "catalogue", "ram", "append", "machine")
        more = ("qemu", "jobs", "patience", "json", "headers", "kbuild_output", "debug")
        own = ("base", "head", "patch", "mbox", "case", "bisect", "reference")
        values: dict[str, Any] = {name: None for name in (*names, *more, *own)}
        values |= {"kdir": str(self.tree), "fix": tuple(fix.split(",")) if fix else (), **options}
        values["results"] = str(options.get("results", self.results))
        return argparse.Namespace(**values)

    @property
    def screen(self) -> str:
        return (self.folder / "screen").read_text()

    @property
    def document(self) -> Any:
        return json.loads((self.results / state.FILE).read_text())

    @property
    def proof(self) -> Any:
        return self.document["proofs"][0]
