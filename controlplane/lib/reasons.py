"""Reasons for people: a stable code and parameters; the words stand once, in English, and pages translate them.

A package declares its words with `declare`; `gettext_noop` only marks them for makemessages. No Django here: rendering uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_TEMPLATES: dict[str, str] = {}


def gettext_noop(words: str) -> str:
    return words


def declare(templates: Mapping[str, str]) -> None:
    """Make the words of codes known: code -> text with `%(name)s` for parameters."""
    if twice := _TEMPLATES.keys() & templates.keys():
        raise ValueError(f"declared twice: {sorted(twice)}")
    _TEMPLATES.update(templates)


class _Long(int):
    def __str__(self) -> str:
        return f"{int(self):,}"


def _shown(value: Any) -> Any:
    """Long numbers are read in groups of three. Shorter ones may be ports and statuses, which are not."""
    return _Long(value) if type(value) is int and abs(value) >= 100_000 else value


def words(code: str, params: Mapping[str, Any], translate: Callable[[str], str] = str, *, otherwise: str = "") -> str:
    """CODE in words, by way of TRANSLATE (gettext, say); OTHERWISE for a code or parameters nobody knows."""
    template = _TEMPLATES.get(code)
    if template is None:
        return otherwise or code
    try:
        return translate(template) % {name: _shown(value) for name, value in params.items()}
    except (KeyError, TypeError, ValueError):
        return otherwise or template


@dataclass(frozen=True)
class Reason:
    """Why something is so."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """In English, for APIs, logs and the command line."""
        return words(self.code, self.params)

    def text(self, translate: Callable[[str], str]) -> str:
        """In the language of TRANSLATE."""
        return words(self.code, self.params, translate)


@dataclass(frozen=True)
class Problem(Reason):
    """What is wrong with one value of a document; `path` as in `grades[1].price_krw`, empty for the document itself."""

    path: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "code": self.code, "message": self.message, "params": dict(self.params)}
