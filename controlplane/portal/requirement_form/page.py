"""What the form's template shows: values, rows and messages by the name of their input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from controlplane.portal.requirement_form.fields import FormProblem
from controlplane.portal.requirement_form.state import ROWS, FormState, Row
from controlplane.rendering.seating import MARKS

PATTERN_KEY = "__key__"


@dataclass(frozen=True)
class Choice:
    """A box to tick. `of` is the row that it is of; empty for one that is not there any more, and was ticked."""

    of: str
    value: str
    is_chosen: bool


class FormPage:
    """OFFERED is what can be ticked in a column of boxes, where it is not what stands in the form's own rows."""

    def __init__(self, state: FormState, problems: Sequence[FormProblem] = (), offered: Mapping[str, Sequence[str]] | None = None) -> None:
        self.state = state
        self._offered = {column: [(value, value) for value in values] for column, values in offered.items()} if offered else _own(state)
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

    def choices(self, row: Row, column: str) -> list[Choice]:
        """The boxes of ROW's COLUMN: what there is, and what was ticked while it was there, so that it can be taken out."""
        chosen = row[column].splitlines() if column in row.values else []
        offered = self._offered.get(column, [])
        gone = [value for value in chosen if value not in {value for _, value in offered}]
        return [Choice(of, value, value in chosen) for of, value in offered] + [Choice("", value, True) for value in gone]

    def value(self, name: str) -> str:
        """The text of an input; empty for a pattern's."""
        rows, _, rest = name.partition(".")
        if not rest:
            return self.state.values.get(name, "")
        key, _, column = rest.partition(".")
        row = self._rows.get((rows, key))
        return row[column] if row else ""


def _own(state: FormState) -> dict[str, list[tuple[str, str]]]:
    """What concessions can be for, by the form as it stands: (row, value) of each."""
    grades = state.rows["plan_grades" if state.is_numbered() else "grades"]
    return {
        "grades": [(row.key, row["name"].strip()) for row in grades if row["name"].strip()],
        "performances": [(row.key, row["starts_at"]) for row in state.rows["performances"] if row["starts_at"]],
    }
