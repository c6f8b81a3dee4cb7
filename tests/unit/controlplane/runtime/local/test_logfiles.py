import os
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


def test_the_logs_of_all_replicas_are_read_as_one_in_the_order_of_their_times(tmp_path: Path) -> None:
    (tmp_path / "one.log").write_text(
        '{"time":"2027-01-10T19:30:00.100","message":"a"}\n{"time":"2027-01-10T19:30:02.100","message":"c"}\n  trace\n'
    )
    (tmp_path / "two.log").write_text("[2027-01-10 19:30:01] b\n[2027-01-10 19:30:03] d\n")

    everything = logfiles.tail_all(tmp_path, 10)

    assert [line[-1] for line in everything] == ["}", "b", "}", "e", "d"]
    assert logfiles.tail_all(tmp_path, 2) == everything[-2:]
    assert logfiles.tail_all(tmp_path, 0) == []
    assert logfiles.tail_all(tmp_path / "none", 5) == []


def test_of_replicas_that_ended_only_the_latest_logs_are_kept(tmp_path: Path) -> None:
    for number in range(9):
        log = tmp_path / f"seat-{number}.log"
        log.write_text("x\n" * 10)
        os.utime(log, (number, number))

    logfiles.tidy(tmp_path, ["seat-0"], limit_bytes=1000)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["seat-0.log", *(f"seat-{number}.log" for number in range(4, 9))]
