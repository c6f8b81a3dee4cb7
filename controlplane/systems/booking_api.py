"""HTTP to the services of one booking system, through its public address and with a staff token, as any integrator would do it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from controlplane.systems.models import BookingSystem
from controlplane.systems.staff_keys import staff_token

CONNECT_TIMEOUT_S = 1.0
MAX_ANSWER_BYTES = 5_000_000
CHUNK_BYTES = 64 * 1024
AWAY = (502, 503, 504)
PAUSE_S = 0.05
UNKNOWN_WAY = (404, 405)
"""How an image answers, with a code, that is older than the way in."""
PROBLEM = "problem+json"


class Silent(Exception):
    """Nobody answered, or not in a way that can be read: try again."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `document` is None when it is not JSON, `etag` is empty where there is none."""

    status: int
    document: Any
    text: str
    etag: str = ""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_away(self) -> bool:
        """Nobody of the system's answered: what leads there says so, and does not know of the service yet where it says 404."""
        return self.status in AWAY or (self.status == 404 and not self.code)

    @property
    def code(self) -> str:
        """The problem's code, or empty."""
        return str(self.document.get("code", "")) if isinstance(self.document, dict) else ""

    @property
    def detail(self) -> str:
        """What went wrong, in a line."""
        if isinstance(self.document, dict):
            words = self.document.get("detail") or self.document.get("title") or self.document.get("code")
            if words:
                return str(words)[:500]
        return f"HTTP {self.status}"


class _ByName(HTTPAdapter):
    """TLS with whoever answers at an address, be it a Gateway's IP: NAME is asked for, and the certificate is to be that of NAME."""

    def __init__(self, name: str) -> None:
        self._name = name
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options, server_hostname=self._name)


class BookingApi:
    """One connection pool to one booking system. Use it as a context."""

    def __init__(
        self,
        *,
        connect_url: str,
        host: str,
        token: str = "",
        language: str = "en",
        patience_s: float = 0.0,
    ) -> None:
        """TOKEN: of staff. PATIENCE_S: who is away is asked again for so long, whatever the request."""
        self._patience_s = patience_s
        self._base = connect_url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of the environment has no business between the two halves
        # As `ssl` has it by itself: whoever trusts an authority of their own says so there.
        self._session.verify = os.environ.get("SSL_CERT_FILE") or True
        if name := urlsplit(f"//{host}").hostname:
            self._session.mount("https://", _ByName(name))
        self._session.headers["Host"] = host
        self._session.headers["Accept-Language"] = language
        self._staff = {"Authorization": f"Bearer {token}"} if token else {}

    @classmethod
    def of(cls, system: BookingSystem, *, subject: str = "platform", scopes: Sequence[str], language: str = "en") -> BookingApi:
        """To SYSTEM, where its address was recorded when it last went live. Its problems come in LANGUAGE. Asks the database for a key."""
        token = staff_token(system, subject=subject, scopes=scopes)
        return cls(connect_url=system.connect_url, host=system.connect_host, token=token, language=language)

    def __enter__(self) -> BookingApi:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def get(self, path: str, *, timeout_s: float = 3.0, **query: Any) -> Answer:
        return self._call("GET", path, timeout_s, params=_given(query))

    def search(self, path: str, *, at: str = "", timeout_s: float = 3.0, **query: Any) -> Answer:
        """The same, but what is looked for as `q` goes to AT (PATH without) in a body: it may name a buyer, and addresses are written
        down on their way. An older image takes it in an address alone."""
        given = _given(query)
        if "q" in given:
            answer = self._call("POST", at or path, timeout_s, json=given)
            if answer.status not in UNKNOWN_WAY or not answer.code:
                return answer
        return self._call("GET", path, timeout_s, params=given)

    def patch(self, path: str, document: Any, *, timeout_s: float = 5.0) -> Answer:
        return self._call("PATCH", path, timeout_s, json=document)

    def delete(self, path: str, *, timeout_s: float = 5.0) -> Answer:
        return self._call("DELETE", path, timeout_s)

    def put_bytes(self, path: str, content: bytes, *, timeout_s: float = 20.0) -> Answer:
        """The body as it is, for pictures."""
        return self._call("PUT", path, timeout_s, data=content, headers={"Content-Type": "application/octet-stream"})

    def stream(self, path: str, *, timeout_s: float = 20.0, **query: Any) -> Answer | tuple[str, Iterator[bytes]]:
        """A file of any size: its media type, and its bytes as they come; an Answer when there is none. Raises Silent. As to QUERY, see
        `search`.

        Close the iterator, or read it to its end, before the BookingApi.
        """
        given = _given(query)
        response = self._request("POST", path, timeout_s, json=given, stream=True) if "q" in given else None
        if response is not None and response.status_code in UNKNOWN_WAY and PROBLEM in response.headers.get("Content-Type", ""):
            response.close()
            response = None
        if response is None:
            response = self._request("GET", path, timeout_s, params=given, stream=True)
        if response.status_code != 200:
            return _answer(response)
        return response.headers.get("Content-Type", "application/octet-stream"), _chunks(response)

    def put(self, path: str, document: Any, *, timeout_s: float = 20.0, if_match: str = "") -> Answer:
        """IF_MATCH: only over the version that has this ETag; a 412 says that there is another by now."""
        return self._call("PUT", path, timeout_s, json=document, headers={"If-Match": if_match} if if_match else None)

    def post(self, path: str, document: Any, *, timeout_s: float = 5.0, headers: dict[str, str] | None = None) -> Answer:
        return self._call("POST", path, timeout_s, json=document, headers=headers)

    def _call(self, method: str, path: str, timeout_s: float, **arguments: Any) -> Answer:
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                answer = _answer(self._request(method, path, timeout_s, **arguments))
                if not answer.is_away or time.monotonic() > deadline:
                    return answer
            except Silent:
                if time.monotonic() > deadline:
                    raise
            time.sleep(PAUSE_S)

    def _request(
        self, method: str, path: str, timeout_s: float, *, headers: dict[str, str] | None = None, **arguments: Any
    ) -> requests.Response:
        """Raises Silent for no answer, and for a 502, 503 or 504 of the router's; a service says why, as problem+json."""
        try:
            response = self._session.request(
                method,
                self._base + path,
                headers=self._staff | (headers or {}),
                timeout=(CONNECT_TIMEOUT_S, timeout_s),
                allow_redirects=False,
                **arguments,
            )
        except requests.RequestException as error:
            raise Silent(f"{self._base} ({_why(error)})") from error
        if response.status_code in AWAY and PROBLEM not in response.headers.get("Content-Type", ""):
            raise Silent(f"HTTP {response.status_code}")
        return response


def _why(error: requests.RequestException) -> str:
    """The kind of ERROR; of a certificate also what is wrong with it."""
    reason = getattr(error.args[0], "reason", None) if isinstance(error, requests.exceptions.SSLError) and error.args else None
    return f"{type(error).__name__}: {reason}"[:300] if reason else type(error).__name__


def _given(query: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in query.items() if value not in ("", None)}


def _answer(response: requests.Response) -> Answer:
    try:
        content = response.content
        document = json.loads(content) if len(content) <= MAX_ANSWER_BYTES else None
    except requests.RequestException as error:
        raise Silent(type(error).__name__) from error
    except ValueError:
        document = None
    return Answer(response.status_code, document, response.text[:2_000], response.headers.get("ETag", ""))


def _chunks(response: requests.Response) -> Iterator[bytes]:
    try:
        yield from response.iter_content(CHUNK_BYTES)
    finally:
        response.close()
