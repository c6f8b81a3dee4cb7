"""The smallest service that behaves like one of Clove's: what an image of the local runtime runs in tests. Standard library only.

VERSION shows in its answers; FAILS makes it end at once with a line on stderr; UNREADY lets it run and never be ready; STARTS_AFTER_S
delays its port.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

under_way: set[int] = set()


def say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def crash() -> None:
    say("about to crash")
    os._exit(7)


def counted(method: Callable[["Service"], None]) -> Callable[["Service"], None]:
    def counting_method(self: "Service") -> None:
        under_way.add(id(self))
        try:
            method(self)
        finally:
            under_way.discard(id(self))

    return counting_method


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @counted
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        match url.path:
            case "/healthz":
                self.answer(200, {})
            case "/readyz":
                self.answer(503 if os.environ.get("UNREADY") else 200, {})
            case path if path.endswith("/slow"):
                time.sleep(float(query["s"][0]))
                self.answer(200, self.facts())
            case path if path.endswith("/crash"):
                crash()
            case path if path.endswith("/file"):
                with open(os.environ["CLOVE_ROOT"] + query["path"][0], encoding="utf-8") as file:
                    self.answer(200, {"text": file.read()})
            case path if path.endswith("/hosts"):
                with open(os.environ["CLOVE_HOSTS_FILE"], encoding="utf-8") as file:
                    self.answer(200, json.load(file))
            case path if path.endswith("/chunked"):
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for part in (b"one,", b"two,", b"three"):
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
                self.wfile.write(b"0\r\n\r\n")
            case _:
                self.answer(200, self.facts())

    @counted
    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        if url.path.endswith("/crash"):
            crash()
        if url.path.endswith("/write"):
            path = os.environ["CLOVE_ROOT"] + parse_qs(url.query)["path"][0]
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(body)
        self.answer(200, {**self.facts(), "body_bytes": len(body), "body": body[:1000].decode("latin-1")})

    def do_PUT(self) -> None:
        self.do_POST()

    def facts(self) -> dict[str, object]:
        return {
            "path": self.path,
            "pid": os.getpid(),
            "version": os.environ.get("VERSION", ""),
            "env": dict(os.environ),
            "headers": {name.lower(): value for name, value in self.headers.items()},
        }

    def answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, text: str, *arguments: object) -> None:
        say(text % arguments)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


def main() -> None:
    if message := os.environ.get("FAILS"):
        say(message)
        sys.exit(1)
    time.sleep(float(os.environ.get("STARTS_AFTER_S", "0")))
    server = Server((os.environ["BIND"], int(os.environ["PORT"])), Service)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    say(f"serving version {os.environ.get('VERSION', '')}")
    server.serve_forever(poll_interval=0.05)
    while under_way:  # what was asked is answered before the process ends
        time.sleep(0.01)


if __name__ == "__main__":
    main()
