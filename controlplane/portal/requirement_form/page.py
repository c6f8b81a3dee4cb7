"""What the form's template shows: values, rows and messages by the name of their input."""

from __future__ import annotations

from collections.abc import Sequence

from controlplane.portal.requirement_form.fields import FormProblem
from controlplane.portal.requirement_form.state import ROWS, FormState, Row
from controlplane.rendering.seating import MARKS

PATTERN_KEY = "__key__"


class FormPage:
    def __init__(self, state: FormState, problems: Sequence[FormProblem] = ()) -> None:
        self.state = state
        self.problems = list(problems)
        self.errors: dict[str, list[str]] = {}
        for problem in problems:
            self.errors.setdefault(problem.input, []).append(problem.message)
        self.sections_with_problems = {problem.section for problem in problems}
        self._rows = {(name, row.key): row for name, rows in state.rows.items() for row in rows}

    @property
    def rows(self) -> dict[str, list[Row]]:
        return self.state.rows

    @property
    def has_marks(self) -> bool:
        """Whether anything is said of single seats, or wrong with it."""
        return any(self.state[name] or name in self.errors for name in MARKS)

    @property
    def patterns(self) -> dict[str, Row]:
        """An empty row of each list, from which a script makes new ones."""
        return {name: Row(PATTERN_KEY, {}) for name in ROWS}

    def value(self, name: str) -> str:
        """The text of an input; empty for a pattern's."""
        rows, _, rest = name.partition(".")
        if not rest:
            return self.state.values.get(name, "")
        key, _, column = rest.partition(".")
        row = self._rows.get((rows, key))
        return row[column] if row else ""
