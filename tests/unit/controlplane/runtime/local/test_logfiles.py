from pathlib import Path

import pytest

from controlplane.runtime.local import logfiles


def test_the_tail_is_the_last_lines_oldest_first(tmp_path: Path) -> None:
    log = tmp_path / "seat.log"
    log.write_text("".join(f"line {number}\n" for number in range(50_000)))

    assert logfiles.tail(log, 3) == ["line 49997", "line 49998", "line 49999"]
    assert len(logfiles.tail(log, 40_000)) == 40_000
    assert logfiles.tail(log, 0) == []
    assert logfiles.tail(tmp_path / "none.log", 5) == []


def test_a_line_without_an_end_and_bytes_that_are_no_text_are_shown(tmp_path: Path) -> None:
    log = tmp_path / "seat.log"
    log.write_bytes(b"one\n\xff\xfetwo")

    assert logfiles.tail(log, 5) == ["one", "\ufffd\ufffdtwo"]


def test_only_what_came_since_is_shown(tmp_path: Path) -> None:
    log = tmp_path / "seat.log"
    log.write_text("before\n")
    since = logfiles.size(log)
    with log.open("a") as file:
        file.write("after\n")

    assert logfiles.tail(log, 5, since=since) == ["after"]


def test_a_log_that_grew_too_long_is_set_aside_while_its_writers_go_on(tmp_path: Path) -> None:
    log = tmp_path / "seat.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"a\n" * 1000)
        assert logfiles.rotate(log, limit_bytes=1000)
        writer.write(b"b\n")

    assert log.read_bytes() == b"b\n"
    assert logfiles.tail(log, 3) == ["a", "a", "b"]
    assert not logfiles.rotate(log, limit_bytes=1000)
    assert not logfiles.rotate(tmp_path / "none.log")


@pytest.mark.parametrize("since", [10_000, 3])
def test_an_offset_from_before_the_log_was_cut_does_no_harm(tmp_path: Path, since: int) -> None:
    log = tmp_path / "seat.log"
    log.write_text("abc")

    assert logfiles.tail(log, 5, since=since) in (["abc"], [])
