"""The front of the tests' booking systems says nothing of callers that leave, and does not hide what is wrong with itself."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from tests.integration.booking.front import Front

BYTES = 4_000_000
WAIT_S = 20


class Slow(BaseHTTPRequestHandler):
    """Answers `/slow` with more than any buffer holds, once it is let."""

    gone = threading.Event()

    def do_GET(self) -> None:
        if self.path == "/slow":
            assert self.gone.wait(WAIT_S)
        body = b"x" * (BYTES if self.path == "/slow" else 2)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def base() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def until(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_caller_that_leaves_is_nothing_to_tell(base: str, capfd: pytest.CaptureFixture[str]) -> None:
    front = Front(lambda service: base, [])
    try:
        with socket.create_connection(("127.0.0.1", front.port)) as caller:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # leaves with a reset
            caller.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            until(lambda: len(working(front)) == 1)
        Slow.gone.set()
        until(lambda: not working(front))
        assert requests.get(f"http://127.0.0.1:{front.port}/", timeout=WAIT_S, headers={"Connection": "close"}).text == "xx"
    finally:
        front.stop()
    assert capfd.readouterr().err == ""


def test_a_fault_of_the_front_itself_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    def broken(service: str) -> str:
        raise LookupError("nobody knows")

    front = Front(broken, [])
    try:
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{front.port}/", timeout=WAIT_S)
    finally:
        front.stop()
    assert "nobody knows" in capfd.readouterr().err


def working(front: Front) -> list[threading.Thread]:
    """FRONT's threads that have a caller; another front's in this process are none of its."""
    of_front = [thread for thread in threading.enumerate() if getattr(getattr(thread, "_target", None), "__self__", None) is front._server]
    return [thread for thread in of_front if thread is not front._thread]
