# SPDX-License-Identifier: GPL-2.0
"""Files: whole or as they were, and what a disk refuses is said in words."""

import errno
import os
from pathlib import Path

import pytest

from coco import files
from coco.errors import InfrastructureError


def test_little_space_is_refused_early(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="needs about 99999999999 MiB"):
        files.check_space(tmp_path / "not/there/yet", 99999999999, "it")


def test_file_is_replaced_whole_or_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: Path, text: str, encoding: str) -> None:
        assert encoding
        with open(_self, "w", encoding=encoding) as file:
            file.write(text[:1])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "file"
    files.write_json(path, {"as": "it was"})
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InfrastructureError, match=f"no space left to write in {path}") as raised:
        files.write_json(path, {"as": "it will be"}, files.JSON)
    assert raised.value.hint == "free some space, or choose another place: JSON=<file>"
    assert "it was" in path.read_text()
    assert os.listdir(tmp_path) == ["file"]


def test_unwritable_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InfrastructureError, match="cannot write to .*file") as raised:
        files.write(tmp_path / "file/below", "text")
    assert raised.value.hint == "make it writable, or choose another place: RESULTS=<folder>"
