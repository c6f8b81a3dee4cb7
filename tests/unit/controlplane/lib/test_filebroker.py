"""The broker in files: messages arrive whole, each at one reader, across processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection
from kombu.simple import SimpleQueue

from controlplane.lib import filebroker


def connect(folder: Path) -> Connection:
    return Connection("files://localhost", transport_options=filebroker.options(folder, polling_interval_s=0.001))


def queue(connection: Connection) -> SimpleQueue:
    return connection.SimpleQueue("work", no_ack=True)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    filebroker.Transport.global_state.clear()  # kombu remembers bindings for the process, wherever its broker was
    yield tmp_path / "broker"
    assert not list((tmp_path / "broker" / "queue").iterdir())


def test_what_one_puts_another_gets_in_order(folder: Path) -> None:
    with connect(folder) as one, connect(folder) as other:
        writer, reader = queue(one), queue(other)
        for number in range(5):
            writer.put({"number": number})

        assert [reader.get(timeout=5).payload["number"] for _ in range(5)] == [0, 1, 2, 3, 4]


def test_an_empty_queue_says_so(folder: Path) -> None:
    with connect(folder) as connection, pytest.raises(SimpleQueue.Empty):
        queue(connection).get(block=False)


def test_every_message_of_many_writers_reaches_exactly_one_of_many_readers(folder: Path) -> None:
    """200 messages, 4 writers, 4 readers: each once, none torn."""
    got: list[int] = []
    lock, done = threading.Lock(), threading.Event()

    def write(first: int) -> None:
        with connect(folder) as connection:
            writer = queue(connection)
            for number in range(first, first + 50):
                writer.put({"number": number, "ballast": "x" * 5_000})

    def read() -> None:
        with connect(folder) as connection:
            reader = queue(connection)
            while not done.is_set():
                try:
                    payload = reader.get(timeout=0.05).payload
                except SimpleQueue.Empty:
                    continue
                assert len(payload["ballast"]) == 5_000
                with lock:
                    got.append(payload["number"])
                    if len(got) >= 200:
                        done.set()

    threads = [threading.Thread(target=read, daemon=True) for _ in range(4)] + [
        threading.Thread(target=write, args=[n * 50], daemon=True) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    assert done.wait(60)
    for thread in threads:
        thread.join()

    assert sorted(got) == list(range(200))


def test_who_comes_while_a_binding_is_written_waits_for_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writing, may_write = threading.Event(), threading.Event()
    bind = filebroker.Channel._queue_bind

    def slowly(self: filebroker.Channel, *args: str) -> None:
        writing.set()
        may_write.wait(10)
        bind(self, *args)

    def put(number: int) -> None:
        with connect(folder) as connection:
            queue(connection).put({"number": number})

    monkeypatch.setattr(filebroker.Channel, "_queue_bind", slowly)
    threads = [threading.Thread(target=put, args=[number], daemon=True) for number in range(2)]
    threads[0].start()
    assert writing.wait(10)
    threads[1].start()
    threads[1].join(0.2)
    may_write.set()
    for thread in threads:
        thread.join(10)

    with connect(folder) as connection:
        reader = queue(connection)
        assert sorted(reader.get(timeout=5).payload["number"] for _ in range(2)) == [0, 1]


def test_many_that_come_first_at_once_find_one_table(folder: Path) -> None:
    start, failed = threading.Barrier(8), []

    def declare(number: int) -> None:
        start.wait()
        try:
            with connect(folder) as connection:
                connection.SimpleQueue(f"work-{number % 2}", no_ack=True).close()
                connection.SimpleQueue("work", no_ack=True).close()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=declare, args=[number], daemon=True) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
