"""Requests that go on while something happens, and what became of them."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from types import TracebackType
from typing import Any


class Load:
    """CLIENTS threads, each asking for PATH again and again over connections it keeps. `with` starts and ends it."""

    def __init__(self, port: int, host: str, path: str = "/api/seat/x", *, clients: int = 4) -> None:
        self.statuses: Counter[int | str] = Counter()
        self.versions: Counter[str] = Counter()
        self.pids: Counter[int] = Counter()
        self._port, self._host, self._path = port, host, path
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join(30)

    @property
    def answers(self) -> int:
        return sum(self.statuses.values())

    @property
    def failures(self) -> dict[int | str, int]:
        return {status: count for status, count in self.statuses.items() if status != 200}

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        while not self._is_over.is_set():
            try:
                connection.request("GET", self._path, headers={"Host": self._host})
                response = connection.getresponse()
                content = response.read()
                self.statuses[response.status] += 1
                if response.status == 200:
                    self._note(json.loads(content))
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.statuses[repr(error)] += 1
                connection.close()
        connection.close()

    def _note(self, facts: dict[str, Any]) -> None:
        self.versions[facts["version"]] += 1
        self.pids[facts["pid"]] += 1
