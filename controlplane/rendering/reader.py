"""Reads an untrusted JSON document value by value and collects every problem, instead of stopping at the first."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import controlplane.rendering.messages  # noqa: F401  (declares the words)
from controlplane.lib.reasons import Problem

MAX_PROBLEMS = 100
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

# Control characters, lone surrogates, line and paragraph separators, and those that turn text around for the eye (CVE-2021-42574).
_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")
_UNSHOWABLE_IN_LINES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")


class Problems:
    """The problems found so far; quietly full at MAX_PROBLEMS."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    @property
    def is_full(self) -> bool:
        return len(self._found) > MAX_PROBLEMS

    def add(self, path: str, code: str, **params: Any) -> None:
        if len(self._found) < MAX_PROBLEMS:
            self._found.append(Problem(code, params, path))
        elif not self.is_full:
            self._found.append(Problem("more_problems", {}, ""))


class Fields:
    """The entries of one JSON object. Each is asked for once; `done` complains of those nobody asked for.

    What is wrong is added to PROBLEMS and read as None (or the default), so reading goes on.
    """

    def __init__(self, value: Any, path: str, problems: Problems) -> None:
        self.path = path
        self.problems = problems
        self.is_readable = isinstance(value, dict)
        self._value: dict[str, Any] = value if isinstance(value, dict) else {}
        self._asked: set[str] = set()
        if not self.is_readable:
            problems.add(path, "wrong_type", wanted="an object")

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        return self._value.get(key) is not None

    def add(self, key: str, code: str, **params: Any) -> None:
        self.problems.add(self.at(key), code, **params)

    def raw(self, key: str, *, is_required: bool = True) -> Any:
        """The value as it stands; null counts as missing."""
        self._asked.add(key)
        value = self._value.get(key)
        if value is None and is_required and self.is_readable:
            self.add(key, "required")
        return value

    def text(self, key: str, *, limit: int, is_required: bool = True, has_lines: bool = False) -> str:
        """Text without space around it, in Unicode's composed form (macOS types Hangul decomposed)."""
        value = self.raw(key, is_required=is_required)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.add(key, "wrong_type", wanted="text")
            return ""
        if len(value) > limit * 4:  # no need to look at it closer
            self.add(key, "too_long", limit=limit, length=len(value))
            return ""
        if found := (_UNSHOWABLE_IN_LINES if has_lines else _UNSHOWABLE).search(value):
            self.add(key, "control_character", character=f"U+{ord(found[0]):04X}")
            return ""
        value = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n")).strip()
        if len(value) > limit:
            self.add(key, "too_long", limit=limit, length=len(value))
        elif not value and is_required:
            self.add(key, "required")
        return value

    def matching(self, key: str, pattern: re.Pattern[str], example: str) -> str | None:
        """Text that fits PATTERN whole, or None when it is missing or wrong. Not required."""
        value = self.raw(key, is_required=False)
        if value is None:
            return None
        if not isinstance(value, str):
            self.add(key, "wrong_type", wanted="text")
        elif not pattern.fullmatch(value):
            self.add(key, "bad_format", example=example)
        else:
            return value
        return None

    def integer(self, key: str, *, low: int, high: int, default: int | None = None) -> int | None:
        """A whole number; true, 3.0 and "3" are none. Required unless there is a DEFAULT."""
        value = self.raw(key, is_required=default is None)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            self.add(key, "wrong_type", wanted="a whole number")
            return None
        if not low <= value <= high:
            self.add(key, "out_of_range", low=low, high=high)
            return None
        return value

    def flag(self, key: str, *, default: bool | None = None) -> bool | None:
        value = self.raw(key, is_required=default is None)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.add(key, "wrong_type", wanted="true or false")
            return None
        return value

    def choice(self, key: str, options: Sequence[str]) -> str:
        value = self.raw(key)
        if value is None:
            return ""
        if not isinstance(value, str) or value not in options:
            self.add(key, "not_an_option", options=", ".join(options))
            return ""
        return value

    def moment(self, key: str) -> datetime | None:
        """A time with its offset from UTC."""
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, str) or not 10 <= len(value) <= 40:
            self.add(key, "not_a_time")
            return None
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.add(key, "not_a_time")
            return None
        if moment.tzinfo is None:
            self.add(key, "naive_time")
            return None
        if not EARLIEST <= moment <= LATEST:
            self.add(key, "out_of_range", low=EARLIEST.date().isoformat(), high=LATEST.date().isoformat())
            return None
        return moment

    def object(self, key: str) -> Fields | None:
        value = self.raw(key)
        return None if value is None else Fields(value, self.at(key), self.problems)

    def items(self, key: str, *, low: int = 0, high: int) -> list[tuple[str, Any]]:
        """The path and value of each entry of a list; a list that is too long is not looked into."""
        value = self.raw(key, is_required=low > 0)
        if value is None:
            return []
        if not isinstance(value, list):
            self.add(key, "wrong_type", wanted="a list")
            return []
        if len(value) > high:
            self.add(key, "too_many", limit=high, count=len(value))
            return []
        if len(value) < low:
            self.add(key, "too_few", limit=low)
        return [(f"{self.at(key)}[{index}]", item) for index, item in enumerate(value)]

    def objects(self, key: str, *, low: int = 0, high: int) -> list[Fields]:
        """The entries of a list of objects."""
        return [Fields(item, path, self.problems) for path, item in self.items(key, low=low, high=high)]

    def done(self) -> None:
        """Complain of entries that nobody asked for."""
        for key in self._value:
            if not isinstance(key, str) or key not in self._asked:
                self.add(str(key)[:60], "unknown_key")


def is_number(value: Any, limit: float) -> bool:
    """A finite number within ±LIMIT, and not true or false."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -limit <= value <= limit and math.isfinite(value)
