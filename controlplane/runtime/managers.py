"""Who may change what Clove applied: a tool in somebody's hand is put right, any other manager is told of by its name. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

BY_HAND = (
    *("kubectl", "kubectl-*", "k9s", "OpenAPI-Generator"),
    # By the name of their HTTP client: Lens and Headlamp, dashboards in a browser, scripts.
    *("node-fetch", "Mozilla", "python-requests", "curl", "HTTPie", "PostmanRuntime"),
)
"""Managers that stand for somebody's hand: what they changed of ours is drift and put right. Any other manager is a controller with a
purpose, and is told of instead of fought."""


@dataclass(frozen=True)
class Hands:
    """Which managers count as somebody's hand: BY_HAND, and those that match one of MORE, patterns as of files."""

    more: tuple[str, ...] = ()

    def have(self, manager: str) -> bool:
        """MANAGER is a tool in somebody's hand."""
        return any(fnmatchcase(manager, pattern) for pattern in (*BY_HAND, *self.more))


PLAIN = Hands()


def managers_of(owner: str) -> list[str]:
    """The managers that OwnedByAnother names as OWNER."""
    return owner.split(", ")


def is_taken(takes: Collection[tuple[str, str]], object_name: str, managers: Iterable[str]) -> bool:
    """TAKES, as of `Runtime.apply`, names each of MANAGERS for OBJECT_NAME."""
    return any(name == object_name and set(managers) <= set(managers_of(owner)) for name, owner in takes)
