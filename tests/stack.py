"""The whole of Clove on this machine, started as a user starts it, in a private directory on private ports. For e2e tests and bench."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import psutil
import requests

from tests.ports import free_ports

ROOT = Path(__file__).resolve().parent.parent

T = TypeVar("T")


def until(what: str, look: Callable[[], T | None], *, timeout_s: float = 60, every_s: float = 0.02) -> T:
    """The first truthy answer of LOOK; fails naming WHAT after TIMEOUT_S."""
    deadline = time.monotonic() + timeout_s
    while True:
        if found := look():
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout_s:.0f} s")
        time.sleep(every_s)


class Stack:
    """One `./clove up` with its own home and ports. The output is collected; `passwords` are what it printed once."""

    def __init__(self, home: Path, *, env: dict[str, str] | None = None) -> None:
        self.home = home
        self.port, self.router_port, self.standin_port = free_ports(3)
        self.env = {
            **os.environ,
            "CLOVE_HOME": str(home),
            "CLOVE_PORT": str(self.port),
            "CLOVE_ROUTER_PORT": str(self.router_port),
            "CLOVE_STANDIN_PORT": str(self.standin_port),
            "PYTHONPATH": str(ROOT),
            **(env or {}),
        }
        self.env.pop("DJANGO_SETTINGS_MODULE", None)
        self.output = home.parent / f"{home.name}.out"
        self.process: subprocess.Popen[bytes] | None = None
        self.up_seconds = 0.0
        self._sessions = contextlib.ExitStack()

    @property
    def portal(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self, *options: str, timeout_s: float = 120) -> float:
        """Start it and wait until it says how to stop; the seconds that took."""
        started = time.monotonic()
        self.start(*options)
        self.wait_until_told(timeout_s=timeout_s)
        self.up_seconds = time.monotonic() - started
        return self.up_seconds

    def start(self, *options: str) -> None:
        """Start it, and do not wait."""
        with open(self.output, "wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "controlplane.embedded", "up", *options],
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def wait_until_told(self, *, timeout_s: float = 120) -> None:
        """Wait until it says how to stop: everything is up then."""

        def told() -> bool:
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"./clove up ended with {self.process.returncode}:\n{self.text()}")
            return "Stop with Ctrl-C" in self.text()

        until("./clove up", told, timeout_s=timeout_s)

    def text(self) -> str:
        """What it printed so far."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def password_of(self, email: str) -> str:
        """The generated password that was printed for EMAIL."""
        match = re.search(re.escape(email) + r"\s+(\S+)", self.text())
        assert match, f"no password of {email} in:\n{self.text()}"
        return match[1]

    def manage(self, *arguments: str, timeout_s: float = 120) -> str:
        """Run a management command; its output. Fails when the command fails."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)

    def down(self) -> None:
        """Stop whatever is left, and close the sessions of `api` and `site`."""
        self._sessions.close()
        subprocess.run([sys.executable, "-m", "controlplane.embedded", "down"], cwd=ROOT, env=self.env, capture_output=True, check=False)
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def children(self) -> dict[int, str]:
        """Pid and command of what `up` itself started and still runs."""
        assert self.process is not None
        found = {}
        for child in psutil.Process(self.process.pid).children():
            # One that has just died is a zombie until `up` has looked.
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                found[child.pid] = " ".join(child.cmdline())
        return found

    def processes(self) -> list[int]:
        """Pids of everything on this machine that works below this home, `up` included."""
        marker = str(self.home)
        found = []
        for directory in Path("/proc").iterdir():
            if directory.name.isdigit():
                with contextlib.suppress(OSError):
                    if marker in (directory / "environ").read_text(errors="replace") or marker in (directory / "cmdline").read_text(
                        errors="replace"
                    ):
                        found.append(int(directory.name))
        return [pid for pid in found if pid != os.getpid()]

    def api(self) -> requests.Session:
        """A session on the REST API as the example seller."""
        session = self._session()
        session.headers["Authorization"] = "Bearer " + self.manage("token", "seller@clove.localhost").strip().splitlines()[-1]
        return session

    def site(self, slug: str) -> Site:
        """The booking system at SLUG, reached as from code: by address and Host header."""
        return Site(f"http://127.0.0.1:{self.router_port}", f"{slug}.localhost:{self.router_port}", self._session())

    def _session(self) -> requests.Session:
        session = self._sessions.enter_context(requests.Session())
        session.trust_env = False
        return session


class Site:
    """A buyer's view of one booking system."""

    def __init__(self, base: str, host: str, session: requests.Session) -> None:
        self.base = base
        self.session = session
        self.session.headers["Host"] = host

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """One request; 30 s at most, redirects are not followed."""
        return self.session.request(method, self.base + path, timeout=30, allow_redirects=False, **kwargs)

    def sign_up(self, email: str, name: str = "김하나") -> None:
        """Make a buyer's account and go on as that buyer."""
        answer = self.call("POST", "/api/auth/signup", json={"email": email, "password": "correct-horse-9", "name": name})
        assert answer.status_code == 201, answer.text
        self.session.headers["Authorization"] = "Bearer " + answer.json()["access_token"]

    def answers(self, path: str) -> bool:
        """Whether PATH says 200 now."""
        try:
            return self.call("GET", path).status_code == 200
        except requests.RequestException:
            return False

    def is_open(self) -> bool:
        """Whether places are on sale and accounts can be made."""
        paths = ("/api/seat/performances", "/api/auth/jwks.json", "/api/ticket/keys.json", "/api/event/", "/")
        return all(self.answers(path) for path in paths)

    def hold_any(self, skip: int = 0) -> dict[str, Any]:
        """Hold the first free seat after SKIP others, or a place in the first area that has room, of the first performance on sale."""
        performance = next(each for each in self.get("/api/seat/performances") if each["on_sale"])
        plan = self.get("/api/seat/plan")
        if plan["numbered"]:
            seats = [seat[0] for zone in plan["zones"] for row in zone["rows"] for seat in row["seats"]]
            body: dict[str, Any] = {"seats": [seats[skip]]}
        else:
            body = {"areas": [{"area": plan["areas"][0]["id"], "quantity": 1}]}
        answer = self.call("POST", f"/api/seat/performances/{performance['id']}/holds", json=body)
        assert answer.status_code == 201, f"{answer.status_code} {answer.text[:300]}"
        return dict(answer.json())

    def buy(self, hold: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Order HOLD, approve the payment at the stand-in's page if there is one, come back; the order as it is then.

        MORE is said with the order: `concessions`, say.
        """
        answer = self.call("POST", "/api/ticket/orders", json={"hold_id": hold["id"], **more}, headers={"Idempotency-Key": hold["id"]})
        assert answer.status_code == 201, f"{answer.status_code} {answer.text[:300]}"
        order = answer.json()
        if order["payment"]:
            page = requests.post(order["payment"]["redirect_url"], data={"action": "approve"}, timeout=30, allow_redirects=False)
            assert page.status_code in (302, 303), f"{page.status_code} {page.text[:300]}"
            back = urlsplit(page.headers["Location"])
            assert self.call("GET", f"{back.path}?{back.query}").status_code == 303
        return dict(self.get(f"/api/ticket/orders/{order['id']}"))

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer.json()


@contextlib.contextmanager
def running(home: Path, *options: str, env: dict[str, str] | None = None) -> Iterator[Stack]:
    """A stack that is up, and down afterwards whatever happens."""
    stack = Stack(home, env=env)
    try:
        stack.up(*options)
        yield stack
    finally:
        stack.down()
