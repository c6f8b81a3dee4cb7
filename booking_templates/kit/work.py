"""What is to be done in a transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Statement = tuple[str, Sequence[Any]]
"""SQL with `%s` for each parameter, and no other per cent sign."""
Values = tuple[Any, ...]
Done = tuple[list[int], list[Values]]
"""How many rows each statement found, and the rows of the query."""


@dataclass(frozen=True)
class Work:
    """STATEMENTS; what REST says once the only one of them found a row; and QUERY, after all that is committed."""

    statements: Sequence[Statement]
    rest: Callable[[], Sequence[Statement]] | None = None
    query: Statement | None = None

    @property
    def is_one_statement(self) -> bool:
        return len(self.statements) == 1 and self.rest is None
