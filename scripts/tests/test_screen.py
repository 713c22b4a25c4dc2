# SPDX-License-Identifier: GPL-2.0
"""Lines that stay, and on a terminal a few that move."""

import contextlib
import io

import pytest

from coco.screen import Screen


class Terminal(io.StringIO):
    """Where things move."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("coco.screen.REDRAW", 0.0)
    return Terminal()


def test_file_gets_lines_only() -> None:
    out = io.StringIO()
    screen = Screen(out)
    screen.line("one")
    screen.status("none", "boots")
    screen.gone("none")
    screen.line("two")
    assert out.getvalue() == "one\ntwo\n"
    assert screen.kept == ["one", "two"]


def test_terminal_shows_what_goes_on_below_what_stays(terminal: Terminal) -> None:
    screen = Screen(terminal)
    screen.status("none", "boots")
    screen.status("tdx", "boots")
    assert terminal.getvalue().endswith("  none         boots  0 s\n  tdx          boots  0 s\n")
    screen.line("done")
    assert "\x1b[2A\x1b[Jdone\n  none " in terminal.getvalue()


def test_nothing_moving_is_left_at_the_end(terminal: Terminal) -> None:
    screen = Screen(terminal)
    screen.status("none", "boots")
    screen.clear()
    assert terminal.getvalue().endswith("\x1b[1A\x1b[J")
    assert screen.kept == []


def test_reader_that_went_away_does_no_harm() -> None:
    out = io.StringIO()
    out.close()
    lively = Screen.__new__(Screen)
    lively.__dict__.update(Screen(io.StringIO()).__dict__, _out=out)
    lively.line("unheard")
    assert lively.kept == ["unheard"]


def test_screen_that_cannot_be_written_does_no_harm() -> None:
    with open("/dev/full", "w", encoding="ascii") as out:
        screen = Screen(out)
        screen.line("unheard")
        assert screen.kept == ["unheard"]
        with contextlib.suppress(OSError):
            out.close()
