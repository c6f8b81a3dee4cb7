"""What the pages show of other services, kept in this process: fresh for a moment, and stale rather than nothing when one is down.

A page never waits long for a peer: one thread asks, with a short time-out, the others take what is there. The kit's
circuit breaker makes a peer that is down cost nothing; and for one that hangs, which is asked again and again, no visitor waits twice.
"""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any, Generic, TypeVar

import msgspec

from booking_templates.kit import peers

T = TypeVar("T")

FRESH_S = 1.0
OLD_S = 30.0
"""Who comes after nobody has asked for so long waits for the answer: what was known may be an hour old."""
WAITING_MAX = 2
"""So many wait, beside the one who asks. When sales open thousands come at once, and with every thread waiting no page would be answered:
they are shown what was known, for as long as the answer takes."""
TIMEOUT_S = 1.5
DOUBTFUL_S = 0.2
"""So long a visitor waits for a peer that did not answer the last time. It is asked on in a thread of its own."""
TRIES = 2
"""Of two replicas one may be on its way out; a page does not wait for more."""
_revisions = itertools.count()


class Source(Generic[T]):
    """The JSON document at PATH of PEER, decoded as KIND (unknown fields are ignored: the peer may be newer)."""

    def __init__(self, peer: str, path: str, kind: Any, *, fresh_s: float = FRESH_S) -> None:
        self._peer = peer
        self._path = path
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(kind)
        self._fresh_s = fresh_s
        self._lock = threading.Lock()
        self._waiting = threading.Semaphore(WAITING_MAX)
        self.last: T | None = None
        """What `get` gave last; reading it asks nobody."""
        self._revision = next(_revisions)
        self._etag = ""
        self._asked_at = float("-inf")
        self.is_answering = True
        """Whether the last call brought an answer; the page says what is missing."""

    def get(self) -> T | None:
        """The document, or the last one there was, or None when the peer has never answered."""
        age_s = time.monotonic() - self._asked_at
        if age_s < self._fresh_s:
            return self.last
        # Whoever finds the lock taken is served what is there; a first visitor waits for the first answer.
        is_first = self.last is None and self._asked_at == float("-inf")
        if self._lock.acquire(blocking=is_first):
            if self.is_answering:
                self._ask_if_due()
            else:
                asking = threading.Thread(target=self._ask_if_due, name=f"ask {self._peer}", daemon=True)
                asking.start()
                asking.join(DOUBTFUL_S)
        elif age_s > OLD_S and self._waiting.acquire(blocking=False):
            try:
                self._lock.acquire()
                self._ask_if_due()
            finally:
                self._waiting.release()
        return self.last

    def _ask_if_due(self) -> None:
        """With the lock, which it gives back."""
        try:
            if time.monotonic() - self._asked_at >= self._fresh_s:
                try:
                    self._ask()
                finally:
                    self._asked_at = time.monotonic()
        finally:
            self._lock.release()

    def revision(self) -> int:
        """Asks as `get` does; the number is another one whenever `last` or `is_answering` is. No two sources ever have the same."""
        self.get()
        return self._revision

    def _ask(self) -> None:
        headers = {"If-None-Match": self._etag} if self._etag else None
        value, is_answering = self.last, False
        try:
            answer = peers.call(self._peer, "GET", self._path, timeout_s=TIMEOUT_S, tries=TRIES, headers=headers)
            if answer.status == 200:
                value = self._decoder.decode(answer.content)
                self._etag = (answer.headers or {}).get("etag", "")
            is_answering = answer.status in (200, 304)
        except (peers.PeerError, msgspec.DecodeError):
            pass
        if value != self.last or is_answering != self.is_answering:
            self.last, self.is_answering = value, is_answering
            self._revision = next(_revisions)
