"""HTTP over kept connections: what is known after a failure, and when a connection is used again."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from booking_templates.kit import connections as connections_module
from booking_templates.kit.connections import BrokenOff, Connections, NotSent

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\n\r\nok"


class Server:
    """Answers each request with the next of `answers`, as raw bytes; closes the connection after it when `closes` says so."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.closes = False
        self.requests: list[bytes] = []
        self.accepted = 0
        self.ended = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while self.answers:
                request = connection.recv(65536)
                if not request:
                    return
                self.requests.append(request)
                connection.sendall(self.answers.pop(0))
                if self.closes:
                    connection.close()
                    self.ended.set()
                    return

    def stop(self) -> None:
        self._socket.close()


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.stop()


@pytest.fixture
def connections() -> Iterator[Connections]:
    found = Connections()
    yield found
    found.clear()


@pytest.fixture
def get(server: Server, connections: Connections) -> Callable[[], bytes]:
    def run(url: str = "") -> bytes:
        return connections.request("GET", url or f"{server.url}/x?y=1", body=None, headers={"X-B": "2"}, connect_s=1, read_s=0.5).content

    return run


def test_one_connection_serves_call_after_call(server: Server, connections: Connections, get: Callable[[], bytes]) -> None:
    server.answers = [OK] * 3
    assert [get() for _ in range(3)] == [b"ok"] * 3
    assert (server.accepted, connections.opened) == (1, 1)
    assert server.requests[0].startswith(b"GET /x?y=1 HTTP/1.1\r\n")
    assert b"X-B: 2\r\n" in server.requests[0]


def test_names_of_headers_come_in_small_letters(server: Server, connections: Connections) -> None:
    server.answers = [OK]
    answer = connections.request("GET", server.url, body=None, headers={}, connect_s=1, read_s=1)
    assert (answer.status, answer.headers.get("x-a")) == (200, "1")


def test_a_connection_that_ended_while_idle_is_not_used_again(server: Server, get: Callable[[], bytes]) -> None:
    server.answers, server.closes = [OK] * 2, True
    assert get() == b"ok"
    assert server.ended.wait(5)
    assert get() == b"ok"
    assert server.accepted == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",
        b"nonsense\r\n\r\n",
    ],
)
def test_an_answer_that_is_not_whole_is_broken_off(server: Server, get: Callable[[], bytes], answer: bytes) -> None:
    server.answers, server.closes = [answer], True
    with pytest.raises(BrokenOff):
        get()


def test_silence_is_broken_off_after_a_time(server: Server, get: Callable[[], bytes]) -> None:
    server.answers = [b"", OK]
    with pytest.raises(BrokenOff, match="Timeout"):
        get()


def test_where_nobody_listens_nothing_was_sent(connections: Connections) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/"
        with pytest.raises(NotSent):
            connections.request("POST", url, body=b"x", headers={}, connect_s=1, read_s=1)
    with pytest.raises(NotSent):
        connections.request("POST", "http://no-such-host.invalid/", body=b"x", headers={}, connect_s=1, read_s=1)


def test_an_answer_that_comes_in_pieces_is_put_together(server: Server, get: Callable[[], bytes]) -> None:
    server.answers = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"]
    assert get() == b"abcde"


def test_an_answer_without_a_body_needs_no_length(server: Server, get: Callable[[], bytes]) -> None:
    server.answers = [b"HTTP/1.1 204 No Content\r\n\r\n", OK]
    assert [get(), get()] == [b"", b"ok"]
    assert server.accepted == 1


def test_a_connection_that_the_other_side_will_close_is_not_kept(server: Server, get: Callable[[], bytes]) -> None:
    server.answers = [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", OK]
    assert [get(), get()] == [b"ok", b"ok"]
    assert server.accepted == 2


@pytest.mark.parametrize(("path", "headers"), [("/a b", {}), ("/", {"X-A": "1\r\nX-B: 2"}), ("/", {"X-A\n": "1"})])
def test_nothing_in_a_request_becomes_structure(server: Server, connections: Connections, path: str, headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="head"):
        connections.request("GET", server.url + path, body=None, headers=headers, connect_s=1, read_s=1)
    assert server.requests == []


class Gateway(Server):
    """Has three connections open at once, and then forgets them without a word: as one that translates addresses does, or a lost node."""

    def __init__(self) -> None:
        self.together = threading.Barrier(3)
        self.forgotten = threading.Event()
        super().__init__()

    def _serve(self, connection: socket.socket) -> None:
        is_old = not self.forgotten.is_set()
        with connection:
            while connection.recv(65536):
                if is_old and self.forgotten.is_set():
                    continue
                if is_old:
                    self.together.wait(5)
                connection.sendall(OK)


def test_of_connections_that_were_forgotten_on_the_way_one_is_tried(connections: Connections) -> None:
    gateway = Gateway()

    def get() -> bytes:
        return connections.request("GET", gateway.url, body=None, headers={}, connect_s=1, read_s=0.2).content

    threads = [threading.Thread(target=get, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    gateway.forgotten.set()
    try:
        with pytest.raises(BrokenOff):
            get()
        assert [get(), get()] == [b"ok"] * 2
        assert connections.opened == 4
    finally:
        gateway.stop()


def test_a_connection_that_was_idle_for_long_is_not_used_again(
    server: Server, connections: Connections, get: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers = [OK] * 3
    get()
    monkeypatch.setattr(connections_module, "IDLE_S", 0.0)
    get()
    assert (server.accepted, connections.opened) == (2, 2)
