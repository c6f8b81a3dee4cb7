"""A model's table by plain SQL, for statements that run at every turn.

To compose one of them through the ORM costs several times what the database takes to run it. What is here is what the ORM would send;
columns and conversions come from the model, so there is one description of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache, cached_property
from operator import attrgetter
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import DateTimeField, Field, JSONField, Model

from booking_templates.kit import batch
from booking_templates.kit.batch import Statement

Row = TypeVar("Row", bound=Model)

Converter = Callable[[Any], Any]


class Table(Generic[Row]):
    """Rows of MODEL. Column names are the model's own; values are parameters, always."""

    def __init__(self, model: type[Row]) -> None:
        self.model = model
        fields: list[Field[Any, Any]] = list(model._meta.concrete_fields)
        quote = connection.ops.quote_name
        self._names = [field.attname for field in fields]
        self._quoted = {field.attname: quote(str(field.column)) for field in fields}
        self._senders = {field.attname: sender for field in fields if (sender := _sender(field))}
        self._given = [field.attname for field in fields if field is not model._meta.auto_field]
        self._given_of = attrgetter(*self._given)
        self._given_senders = [(self._given.index(name), send) for name, send in self._senders.items()]
        name, key = quote(model._meta.db_table), self._quoted[str(model._meta.pk.attname)]
        columns = ", ".join(self._quoted[each] for each in self._given)
        self._insert = f"INSERT INTO {name} ({columns}) VALUES "  # noqa: S608 - names of columns, here and below
        self._values = f"({', '.join(['%s'] * len(self._given))})"
        self._update = f"UPDATE {name} SET "  # noqa: S608
        self._all = f"SELECT {', '.join(self._quoted.values())} FROM {name}"  # noqa: S608
        self._select = f"{self._all} WHERE "
        self._ordered = f" ORDER BY {key}"

    def insert(self, rows: Sequence[Row]) -> None:
        """Insert ROWS in one statement. Raises IntegrityError. A key that the database makes is not read back."""
        batch.run([self.insertion(rows)])
        for row in rows:
            row._state.adding = False

    def insertion(self, rows: Sequence[Row]) -> Statement:
        """The statement that inserts ROWS."""
        parameters = []
        for row in rows:
            values = list(self._given_of(row))
            for index, send in self._given_senders:
                if values[index] is not None:
                    values[index] = send(values[index])
            parameters += values
        return self._insert + ", ".join([self._values] * len(rows)), parameters

    def update(self, changes: dict[str, Any], **where: Any) -> int:
        """Set CHANGES where all of WHERE are equal; the number of rows that matched."""
        return batch.run([self.change(changes, **where)])[0]

    def change(self, changes: dict[str, Any], *, counter: str = "", **where: Any) -> Statement:
        """The statement that does so; COUNTER, a column, rises by one."""
        sets = ", ".join([f"{self._quoted[name]} = %s" for name in changes])
        if counter:
            sets += f", {self._quoted[counter]} = {self._quoted[counter]} + 1"
        parameters = [self._sent(name, value) for values in (changes, where) for name, value in values.items()]
        return f"{self._update}{sets} WHERE {self._condition(where)}", parameters

    def get(self, **where: Any) -> Row | None:
        """The one row where all of WHERE are equal."""
        found = self.rows(**where)
        return found[0] if found else None

    def rows(self, **where: Any) -> list[Row]:
        """The rows where all of WHERE are equal, by primary key."""
        return self.read(batch.read(self.query(**where))[0])

    def first(self, most: int) -> list[Row]:
        """The first rows of all by primary key, MOST of them."""
        return self.read(batch.read((f"{self._all}{self._ordered} LIMIT {int(most)}", []))[0])

    def query(self, **where: Any) -> Statement:
        """The statement that reads them."""
        return self._select + self._condition(where) + self._ordered, [self._sent(*each) for each in where.items()]

    def read(self, found: Sequence[Sequence[Any]]) -> list[Row]:
        """What `query` FOUND, as rows."""
        return [self._row(values) for values in found]

    def _row(self, values: Sequence[Any]) -> Row:
        read = list(values)
        for index, convert in self._received:
            if read[index] is not None:
                read[index] = convert(read[index])
        return self.model.from_db(None, self._names, read)

    def _condition(self, where: dict[str, Any]) -> str:
        return " AND ".join([f"{self._quoted[name]} = %s" for name in where])

    def _sent(self, name: str, value: Any) -> Any:
        send = self._senders.get(name)
        return value if send is None or value is None else send(value)

    @cached_property
    def _received(self) -> list[tuple[int, Converter]]:
        """For the columns whose values do not come as the model has them: index, and what makes them so."""
        found = []
        for index, field in enumerate(self.model._meta.concrete_fields):
            column = field.cached_col
            steps = [*connection.ops.get_db_converters(column), *field.get_db_converters(connection)]
            if steps:
                found.append((index, _chain(steps, column)))
        return found


def _sender(field: Field[Any, Any]) -> Converter | None:
    """What makes FIELD's values such as the database has them; None where they are."""
    if isinstance(field, DateTimeField):
        return _utc
    if isinstance(field, JSONField):
        return lambda value: field.get_db_prep_save(value, connection)
    return None


def _utc(moment: datetime) -> str:
    """As Django writes it into a database whose times are UTC: those of all services are (`kit.env`)."""
    if moment.tzinfo is None:
        raise ValueError("a time without its offset")
    return str(moment.astimezone(UTC).replace(tzinfo=None))


def _chain(steps: list[Callable[..., Any]], column: Any) -> Converter:
    def convert(value: Any) -> Any:
        for step in steps:
            value = step(value, column, connection)
        return value

    return convert


@cache
def table(model: type[Row]) -> Table[Row]:
    """The table of MODEL."""
    return Table(model)
