"""Files of a Secret that are swapped while the service runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from booking_templates.kit.reread import Reread


def swap(path: Path, text: str) -> None:
    """As a kubelet does it: the directory behind a link is another one at once."""
    fresh = path.parent.parent / f"v{text}"
    fresh.mkdir()
    (fresh / path.name).write_text(text)
    link = path.parent.with_name(".fresh")
    link.symlink_to(fresh.name)
    os.replace(link, path.parent)


def test_it_is_read_once_for_each_file_that_there_is(tmp_path: Path) -> None:
    path, times = tmp_path / "current" / "key.json", []
    (tmp_path / "v0").mkdir()
    (tmp_path / "current").symlink_to("v0")
    swap(path, "one")
    found = Reread(path, lambda text: times.append(text) or text.upper())

    assert [found() for _ in range(3)] == ["ONE"] * 3
    swap(path, "two")
    assert [found() for _ in range(3)] == ["TWO"] * 3
    assert times == ["one", "two"]


def test_one_that_is_away_for_a_moment_leaves_what_was_read(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text("one")
    found = Reread(path, str.upper, without="none")
    assert found() == "ONE"
    path.unlink()
    assert found() == "ONE"


def test_one_that_never_was_is_said_so_or_stands_for_something(tmp_path: Path) -> None:
    assert Reread(tmp_path / "x", str.upper, without="none")() == "none"
    with pytest.raises(FileNotFoundError):
        Reread(tmp_path / "x", str.upper)()


def test_one_that_makes_no_sense_is_said_and_read_again(tmp_path: Path) -> None:
    """A writer that is not as careful as a kubelet."""
    path = tmp_path / "number"
    path.write_text("1")
    found = Reread(path, int)
    assert found() == 1
    path.write_text("half")
    with pytest.raises(ValueError, match="half"):
        found()
    path.write_text("22")
    assert found() == 22
