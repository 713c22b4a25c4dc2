# SPDX-License-Identifier: GPL-2.0
"""Reading the stream while it grows, whatever is in it."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coco import attribute, stream
from coco.model import KUNIT, Item, Stop


def test_lines_arrive_as_they_are_finished(tmp_path: Path) -> None:
    file = tmp_path / "stream"
    reader = stream.StreamReader(file)
    assert reader.poll() == []
    with file.open("ab", buffering=0) as out:
        out.write(b"i|ready\nk|half")
        assert [record.text for record in reader.poll(1.0)] == ["ready"]
        out.write(b" a line\n")
        assert [(r.channel, r.text, r.when) for r in reader.poll(2.0)] == [
            ("k", "half a line", 2.0)
        ]
        out.write(b"t|cut o")
    assert [(r.text, r.whole) for r in reader.finish()] == [("cut o", False)]


def test_flood_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However fast it is written, a look at it ends."""
    monkeypatch.setattr(stream, "AT_ONCE", 10)
    file = tmp_path / "stream"
    file.write_bytes(b"k|one\nk|two\nk|three\nk|four\n")
    reader = stream.StreamReader(file)
    assert [record.text for record in reader.poll()] == ["one"]
    assert [record.text for record in reader.poll()] == ["two", "three"]
    assert [record.text for record in reader.finish()] == ["four"]
    assert [record.text for record in stream.read_stream(file)] == ["one", "two", "three", "four"]


def test_line_without_end_comes_in_pieces(tmp_path: Path) -> None:
    file = tmp_path / "stream"
    file.write_bytes(b"k|" + b"x" * (3 * stream.LONGEST_LINE))
    records = stream.read_stream(file)
    assert len(records) == 4
    assert records[0].channel == "k"


@pytest.mark.parametrize("line", ["", "k", "k:x", "|k", "q|x", "kk|x", "K|x"])
def test_line_that_is_no_record_is_kept_whole(line: str) -> None:
    record = stream.parse_record(line, 3)
    assert (record.channel, record.text, record.index) == ("?", line, 3)
    assert stream.parse_record("t|", 3).channel == "t"


def test_message_is_words_fields_and_text() -> None:
    message = stream.parse_message("end reset value=0x1 rip=0x2 : port 0xcf9 : a=b")
    assert (message.verb, message.object) == ("end", "reset")
    assert message.fields == {"value": "0x1", "rip": "0x2"}
    assert message.text == "port 0xcf9 : a=b"
    assert message.words == ("end", "reset")
    assert stream.parse_message("") == stream.Message(())


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read(data: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        records = stream.read_stream(Path(file.name))
    attribute.attribute(records, [ITEM], Stop(), [], 1)


ITEM = Item("alpha", KUNIT, ("one", "two"))
RECORDS = st.sampled_from(
    [
        *("m|start x", "m|resumed", "m|snapshot", "m|expected reset", "m|breach kind=a : b"),
        *("m|end exit code=0", "m|end reset value=zz", "m|end", "m|count vc 1 2", "m|count a b c"),
        *("i|ready", "i|begin alpha", "i|begin", "i|end alpha rc=1", "i|end", "i|done", "i|skip x"),
        *("k|KTAP version 1", "k|    # Subtest: alpha", "k|    1..2", "k|    ok 1 one"),
        *("k|    not ok 2 two", "k|ok 1 alpha", "k|Oops: 1", "k|    # begin alpha.two", "junk"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(RECORDS, max_size=25), st.sampled_from(["", "hang", "abort", "panic-pause"]))
def test_every_planned_case_gets_a_result_or_another_boot(lines: list[str], cause: str) -> None:
    """Whatever the guest says: no case is lost, and none is both judged and run again."""
    records = [stream.parse_record(line, number) for number, line in enumerate(lines)]
    outcome = attribute.attribute(records, [ITEM], Stop(cause), [], 1)
    judged = {result.case for result in outcome.results}
    remaining = {case for item in outcome.remaining for case in item.cases}
    assert judged | remaining >= set(ITEM.cases)
    assert not judged & remaining
    if outcome.normal:
        assert not remaining or "Oops: 1" in str(lines)
