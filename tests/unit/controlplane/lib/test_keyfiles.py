"""Key files: made once, for their owner alone."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

from controlplane.lib.keyfiles import random_text, read_or_create


def test_a_key_is_made_on_first_use_and_then_stays(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "one"

    first = read_or_create(path, random_text)

    assert read_or_create(path, random_text) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [item.name for item in path.parent.iterdir()] == ["one"]


def test_many_that_come_first_at_once_get_one_key(tmp_path: Path) -> None:
    path, found = tmp_path / "keys" / "one", []
    start = threading.Barrier(8)

    def read() -> None:
        start.wait()
        found.append(read_or_create(path, random_text))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len(set(found)) == 1
