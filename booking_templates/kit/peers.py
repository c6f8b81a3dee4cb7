"""Calls to the other services of this booking system: signed, pooled, bounded, retried where that is safe, with a circuit breaker.

PeerError
├── PeerUnavailable   it surely did nothing: not reached, or the circuit is open
└── PeerTimeout       unknown outcome: the request was sent and no whole answer came; ask before deciding
"""

from __future__ import annotations

import json as jsonlib
import random
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
from django.conf import settings
from django.utils.translation import get_language

from booking_templates.kit import metrics, tokens
from booking_templates.kit.connections import BrokenOff, Connections, NotSent
from booking_templates.kit.logs import request_id

CONNECT_TIMEOUT_S = 1.0
READ_TIMEOUT_S = 5.0
TRIES = 3
BREAK_AFTER = 5
"""Failures in a row that open a peer's circuit."""
BREAK_S = 0.5
BREAK_MAX_S = 4.0
"""Short, for a peer that was killed is back within seconds."""
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})


class PeerError(Exception):
    """A call to a peer that brought no answer. Says the peer and the kind of failure, never the request's content."""


class PeerUnavailable(PeerError):
    pass


class PeerTimeout(PeerError):
    pass


@dataclass(frozen=True)
class PeerResponse:
    """A peer's answer, of any status."""

    status: int
    content: bytes
    headers: Any = None

    def json(self) -> Any:
        return msgspec.json.decode(self.content)

    @property
    def code(self) -> str:
        """The problem's code of an error answer, or the empty string."""
        try:
            body = self.json()
        except msgspec.DecodeError:
            return ""
        return str(body.get("code", "")) if isinstance(body, dict) else ""


@dataclass
class Circuit:
    """Closed: calls go through. Open: they fail at once. After a while one call is let through to see, and no other until it has ended."""

    failures: int = 0
    open_until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_closed(self) -> bool:
        return self.failures < BREAK_AFTER

    def admits(self, *, takes_s: float = BREAK_S) -> bool:
        """Whether a call that TAKES_S at most may go through."""
        now = time.monotonic()
        with self.lock:
            if self.failures < BREAK_AFTER:
                return True
            if now < self.open_until:
                return False
            # This call is the probe. A peer that hangs keeps it for all that time, and must not get a thread more of ours every moment.
            self.open_until = now + max(takes_s, BREAK_S)
            return True

    def succeeded(self) -> None:
        self.failures = 0

    def failed(self) -> None:
        with self.lock:
            self.failures += 1
            if self.failures >= BREAK_AFTER:
                span = min(BREAK_MAX_S, BREAK_S * 2 ** min(self.failures - BREAK_AFTER, 10))
                self.open_until = time.monotonic() + span * random.uniform(0.7, 1)  # noqa: S311 - jitter


_circuits: dict[str, Circuit] = {}


def circuit(peer: str) -> Circuit:
    """The circuit of PEER in this process."""
    return _circuits.setdefault(peer, Circuit())


@cache
def pool() -> Connections:
    """Kept connections to all peers; made after fork, on first use."""
    return Connections()


class Hosts:
    """The local runtime's name table (`CLOVE_HOSTS_FILE`): `{"seat:8000": ["127.0.0.1:41001"]}`. On a cluster DNS does this."""

    def __init__(self, path: str) -> None:
        self._path = Path(path) if path else None
        self._mtime = 0
        self._table: dict[str, list[str]] = {}

    def resolve(self, url: str, *, avoid: Collection[str] = ()) -> str:
        """URL with its host and port as they are reached from here, by an address not in AVOID where there is a choice.

        Raises PeerUnavailable when the name has no address now.
        """
        if self._path is None:
            return url
        try:
            mtime = self._path.stat().st_mtime_ns
            if mtime != self._mtime:
                self._table = jsonlib.loads(self._path.read_text(encoding="utf-8"))
                self._mtime = mtime
        except (OSError, ValueError):
            pass  # being replaced: the table read last still holds
        parts = urlsplit(url)
        addresses = self._table.get(parts.netloc)
        if not addresses:
            raise PeerUnavailable(f"{parts.netloc} has no address")
        address = random.choice([each for each in addresses if each not in avoid] or addresses)  # noqa: S311 - balancing
        return urlunsplit(parts._replace(netloc=address))


@cache
def hosts() -> Hosts:
    return Hosts(settings.ENV.hosts_file)


def call(
    peer: str,
    method: str,
    path: str,
    *,
    json: Any = None,
    idempotency_key: str = "",
    timeout_s: float = READ_TIMEOUT_S,
    retry: bool | None = None,
    tries: int = TRIES,
    headers: dict[str, str] | None = None,
) -> PeerResponse:
    """Call PATH of PEER as this service; the answer of any status below 500.

    A call is tried again when it surely did nothing, or when it is idempotent: by its method, by a key, or as RETRY says. Of several
    replicas another is tried then. Raises PeerUnavailable or PeerTimeout, the latter for a status of 500 and above too: what such a
    peer did is unknown. Takes TIMEOUT_S a try at most. Never call it inside a transaction: it would hold the locks.
    """
    base = settings.ENV.peers.get(peer)
    if base is None:
        raise PeerUnavailable(f"this system has no {peer}")
    breaker = circuit(peer)
    repeatable = retry if retry is not None else method in IDEMPOTENT or bool(idempotency_key)
    sent_headers = {"Accept": "application/json", "Accept-Language": get_language() or "", **(headers or {})}
    if identity := request_id.get():
        sent_headers["X-Request-Id"] = identity
    body = None
    if json is not None:
        body = msgspec.json.encode(json)
        sent_headers["Content-Type"] = "application/json"
    if idempotency_key:
        sent_headers["Idempotency-Key"] = idempotency_key
    failure: PeerError = PeerUnavailable(f"{peer}: circuit open")
    tried: set[str] = set()
    for attempt in range(tries):
        if not breaker.admits(takes_s=CONNECT_TIMEOUT_S + timeout_s):
            metrics.PEER_CALLS.labels(peer, "open").inc()
            raise failure
        if attempt:
            time.sleep(random.uniform(0.5, 1) * 0.05 * 4**attempt)  # noqa: S311 - jitter
        is_unknown = False
        try:
            sent_headers["Authorization"] = f"Bearer {tokens.service_token(peer)}"
            url = hosts().resolve(base + path, avoid=tried)
            tried.add(urlsplit(url).netloc)
            answer = pool().request(
                method,
                url,
                body=body,
                headers=sent_headers,
                connect_s=CONNECT_TIMEOUT_S,
                read_s=timeout_s,
            )
            if answer.status < 500:
                breaker.succeeded()
                metrics.PEER_CALLS.labels(peer, "answered").inc()
                return PeerResponse(answer.status, answer.content, answer.headers)
            failure, is_unknown = PeerTimeout(f"{peer}: {answer.status}"), True
        except (NotSent, PeerUnavailable) as error:
            failure = PeerUnavailable(f"{peer}: {error}")
        except BrokenOff as error:
            failure, is_unknown = PeerTimeout(f"{peer}: {error}"), True
        breaker.failed()
        metrics.PEER_CALLS.labels(peer, "unknown" if is_unknown else "unreached").inc()
        if is_unknown and not repeatable:
            break
    raise failure
