# SPDX-License-Identifier: GPL-2.0
"""Bars in SVG, for a page that needs no script to show them."""

from collections.abc import Mapping, Sequence
from html import escape

ROW, GAP, LABEL, WIDTH, VALUE = 16, 14, 190, 760, 60
TICKS = 5


def bars(
    groups: Mapping[str, Mapping[str, float]], kinds: Mapping[str, str], unit: str, title: str
) -> str:
    """Horizontal bars: a group a kernel, a bar a run, coloured by the class of the run's kind."""
    longest = max((value for bars in groups.values() for value in bars.values()), default=0.0)
    if not longest:
        return ""
    scale = (WIDTH - LABEL - VALUE) / longest
    y = 2 * ROW
    lines: list[str] = []
    for name, values in groups.items():
        lines.append(f'<text class="group" x="0" y="{y}">{escape(name)}</text>')
        y += 6
        for label, value in values.items():
            lines += _bar(label, kinds[label], value, unit, y, scale)
            y += ROW
        y += GAP + ROW // 2
    lines = [*_ticks(longest, scale, unit, y - GAP), *lines]
    head = f'<svg viewBox="0 0 {WIDTH} {y}" role="img" aria-label="{escape(title)}" class="plot">'
    return "\n".join([head, f"<title>{escape(title)}</title>", *lines, "</svg>"])


def _bar(label: str, kind: str, value: float, unit: str, y: int, scale: float) -> Sequence[str]:
    width = max(value * scale, 1.0)
    middle = y + ROW - 5
    look = f"bar {escape(kind)}"
    return (
        f'<text class="label" x="{LABEL - 8}" y="{middle}">{escape(label)}</text>',
        f'<rect class="{look}" x="{LABEL}" y="{y + 2}" width="{width:.1f}" height="{ROW - 4}">'
        f"<title>{escape(label)}: {value:.2f} {unit}</title></rect>",
        f'<text class="value" x="{LABEL + width + 5:.1f}" y="{middle}">{value:.1f} {unit}</text>',
    )


def _ticks(longest: float, scale: float, unit: str, bottom: int) -> Sequence[str]:
    step = _round_step(longest / TICKS)
    lines = []
    for number in range(int(longest / step) + 1):
        x = LABEL + number * step * scale
        lines.append(f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{ROW}" y2="{bottom}"/>')
        lines.append(f'<text class="at" x="{x:.1f}" y="{ROW - 4}">{number * step:g} {unit}</text>')
    return lines


def _round_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten."""
    power = 1.0
    while power > rough:
        power /= 10
    while power * 10 <= rough:
        power *= 10
    return next((power * n for n in (1, 2, 5, 10) if power * n >= rough), power * 10)
