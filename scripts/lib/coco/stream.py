# SPDX-License-Identifier: GPL-2.0
"""Read the stream that a guest and its machine leave behind, while it grows.

The stream is a file of lines "<channel>|<text>": m is the machine's own, i is
init's, k is the kernel's log, t is KTAP of user-space tests.  Whatever a broken
or lying guest writes into it, reading it never raises.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CHANNELS = "mikt"
LONGEST_LINE = 16384
AT_ONCE = 4 << 20  # bytes: whoever floods a file may write it faster than it can be read

_FIELD = re.compile(r"([a-z_]+)=(\S+)")


@dataclass(frozen=True)
class Record:
    """One line of the stream, and when the host saw it (seconds since the boot began)."""

    index: int
    channel: str  # one of CHANNELS, or "?" for a line that has none
    text: str
    when: float = 0.0
    whole: bool = True  # False: the file ended in the middle of this line


@dataclass(frozen=True)
class Message:
    """A record of the machine or of init, taken apart: "end reset value=0x1 : text"."""

    words: tuple[str, ...]
    fields: dict[str, str] = field(default_factory=dict)
    text: str = ""

    @property
    def verb(self) -> str:
        return self.words[0] if self.words else ""

    @property
    def object(self) -> str:
        return self.words[1] if len(self.words) > 1 else ""


def parse_message(line: str) -> Message:
    """Split "word word key=value ... : text"; anything missing is empty."""
    head, _, text = f"{line} ".partition(" : ")
    fields = dict(_FIELD.findall(head))
    words = tuple(word for word in head.split() if not _FIELD.fullmatch(word))
    return Message(words, fields, text.strip())


def parse_record(line: str, index: int, when: float = 0.0, whole: bool = True) -> Record:
    """A record from one line without its newline."""
    if len(line) > 1 and line[1] == "|" and line[0] in CHANNELS:
        return Record(index, line[0], line[2:], when, whole)
    return Record(index, "?", line, when, whole)


class Tail:
    """Like tail -f: the complete lines that were added to a file since the last look."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0  # bytes read so far
        self._rest = b""

    def lines(self) -> Iterator[str]:
        """New complete lines, those of AT_ONCE bytes at the most; over-long ones in pieces."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.size)
                data = file.read(AT_ONCE)
        except OSError:  # not there yet
            return
        self.size += len(data)
        *complete, self._rest = (self._rest + data).split(b"\n")
        for line in complete:
            yield from _pieces(line)
        while len(self._rest) > LONGEST_LINE:
            yield _decode(self._rest[:LONGEST_LINE])
            self._rest = self._rest[LONGEST_LINE:]

    def all_lines(self) -> Iterator[str]:
        """All that is there, once nobody writes any more."""
        before = -1
        while before != self.size:
            before = self.size
            yield from self.lines()

    def rest(self) -> str:
        """What follows the last newline: a line that was cut off, once the writer is gone."""
        return _decode(self._rest)


class StreamReader:
    """The records of a stream file, read while QEMU writes it."""

    def __init__(self, path: Path) -> None:
        self._tail = Tail(path)
        self.records: list[Record] = []

    def poll(self, when: float = 0.0) -> list[Record]:
        """Records that came since the last call, or some of them if they are very many."""
        return [self._add(line, when) for line in self._tail.lines()]

    def finish(self, when: float = 0.0) -> list[Record]:
        """The last records, a cut-off line included."""
        new = [self._add(line, when) for line in self._tail.all_lines()]
        rest = self._tail.rest()
        if rest:
            new.append(self._add(rest, when, whole=False))
        return new

    def _add(self, line: str, when: float, whole: bool = True) -> Record:
        record = parse_record(line, len(self.records), when, whole)
        self.records.append(record)
        return record


def read_stream(path: Path) -> list[Record]:
    """All records of a finished stream."""
    reader = StreamReader(path)
    reader.finish()
    return reader.records


def _decode(data: bytes) -> str:
    return data.rstrip(b"\r").decode("utf-8", "backslashreplace").replace("\0", "\\0")


def _pieces(line: bytes) -> Iterator[str]:
    for start in range(0, max(len(line), 1), LONGEST_LINE):
        yield _decode(line[start : start + LONGEST_LINE])
