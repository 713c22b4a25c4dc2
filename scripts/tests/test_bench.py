# SPDX-License-Identifier: GPL-2.0
"""The figures of coco bench."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from coco import bench, errors, kernels, parts, plan, prepare, qemu
from coco.screen import Screen

FIGURES = {
    "plain": bench.Figures(boots=[3.0, 2.0, 9.0], costs={"nothing": 10}),
    "sev-es": bench.Figures(
        boots=[4.0, 4.5, 3.9],
        exits=bench.exits({"vc 0x72": 3, "vc 0x7b": 4, "ghcb 0x72": 2}),
        costs={"nothing": 10, "call": 40000, "cpuid_of_the_host": 120000},
    ),
}


def test_boot_is_a_ratio_of_medians() -> None:
    lines = bench.boot_table(FIGURES)
    assert any(line.split()[:4] == ["plain", "3.00", "s", "1.00"] for line in lines)
    assert any(line.split()[:4] == ["sev-es", "4.00", "s", "1.33"] for line in lines)
    assert any("vc 7, ghcb 2" in line for line in lines)


def test_exit_is_a_multiple_of_one_that_does_nothing() -> None:
    lines = bench.cost_table(FIGURES)
    row = next(line for line in lines if "cpuid_of_the_host" in line)
    assert row.split()[1:] == ["-", "120.00", "3.00x"]


def test_latest_results_stay_those_of_a_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def boot(_program: object, target: bench.Target, _folder: Path, figures: Any) -> None:
        figures[target.name].boots.append(1.0)

    def prepared(options: argparse.Namespace, _say: object) -> prepare.Prepared:
        kernel = kernels.Kernel("Fake 6.12", "local", "6.12", tmp_path, "5" * 64, {}, ("none",))
        program = qemu.Qemu(("qemu",), "7.2.0")
        return prepare.Prepared(program, kernel, tmp_path, tmp_path, plan.Available(), "built")

    monkeypatch.setattr(parts, "workplace", lambda: tmp_path)
    monkeypatch.setattr(prepare, "prepare", prepared)
    monkeypatch.setattr(bench, "_boot", boot)
    monkeypatch.setattr(bench, "_costs", lambda *_: None)
    names = ("personality", "vcpus", "ram", "append", "machine", "rounds", "results")
    options = argparse.Namespace(**dict.fromkeys(names))
    assert bench.bench(options, [], Screen()) == errors.OK
    (folder,) = (tmp_path / "results").iterdir()
    assert folder.name.startswith("bench-") and (folder / "bench.json").is_file()
