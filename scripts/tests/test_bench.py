# SPDX-License-Identifier: GPL-2.0
"""The figures of coco bench."""

from coco import bench

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
