"""Migrations only expand: while a release is rolled out, and after it is taken back, the one before it runs on the new schema."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import models
from django.db.migrations import Migration
from django.db.migrations.operations import AddField, AddIndex, AlterField, CreateModel, RemoveIndex

ROOT = Path(__file__).resolve().parents[2]
BEFORE_THE_FIRST_RELEASE = {
    ("accounts", "0002_phone_and_api_tokens", "phone"),
    ("systems", "0002_health_workloads", "health_workloads"),
    ("systems", "0005_adjustments", "adjustments"),
}
"""Columns that a release before them could not have left out."""


def migrations_of(migrations: Path) -> Iterator[tuple[str, type[Migration]]]:
    for path in sorted(migrations.glob("0*.py")):
        package = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield path.stem, importlib.import_module(package).Migration


def narrowings(app: str, migrations: Iterator[tuple[str, type[Migration]]]) -> list[str]:
    """What the release before each of MIGRATIONS could not live with. Before the first there was none."""
    fields: dict[tuple[str, str], models.Field[Any, Any]] = {}
    found = []
    for number, (name, migration) in enumerate(migrations):
        for operation in migration.operations:
            if isinstance(operation, CreateModel):
                fields |= {(operation.name.lower(), field): kind for field, kind in operation.fields if isinstance(kind, models.Field)}
                continue
            if isinstance(operation, AddIndex | RemoveIndex) or (number == 0 and not isinstance(operation, AddField)):
                continue
            what = f"{app}.{name}: {operation.describe()}"
            if not isinstance(operation, AddField | AlterField):
                found.append(what)
                continue
            key, new = (operation.model_name.lower(), operation.name), operation.field
            before = fields.get(key)
            fields[key] = new
            if before is None:
                can_be_left_out = new.null or new.has_db_default() or new.many_to_many
                if number and not can_be_left_out and (app, name, operation.name) not in BEFORE_THE_FIRST_RELEASE:
                    found.append(what)
            elif not _is_as_wide(new, before):
                found.append(what)
    return found


def _is_as_wide(new: models.Field[Any, Any], before: models.Field[Any, Any]) -> bool:
    if not issubclass(type(new), type(before)):
        return False
    lengths = (getattr(field, "max_length", None) or 0 for field in (new, before))
    return next(lengths) >= next(lengths) and (new.null or not before.null) and new.unique <= before.unique


ALL = [path for half in ("booking_templates", "controlplane") for path in sorted(ROOT.glob(f"{half}/*/migrations"))]


@pytest.mark.parametrize("migrations", [path for path in ALL if len(list(path.glob("0*.py"))) > 1], ids=lambda path: path.parent.name)
def test_the_release_before_lives_with_every_migration(migrations: Path) -> None:
    assert narrowings(migrations.parent.name, migrations_of(migrations)) == []


class First(Migration):
    initial = True
    operations = [CreateModel("Seat", [("id", models.AutoField(primary_key=True)), ("label", models.CharField(max_length=40))])]


@pytest.mark.parametrize(
    ("operation", "is_allowed"),
    [
        (AddField("seat", "note", models.CharField(max_length=9, null=True)), True),
        (AddField("seat", "note", models.CharField(max_length=9, db_default="")), True),
        (AddField("seat", "note", models.CharField(max_length=9, default="")), False),
        (AlterField("seat", "label", models.CharField(max_length=80)), True),
        (AlterField("seat", "label", models.CharField(max_length=20)), False),
        (AlterField("seat", "label", models.CharField(max_length=40, unique=True)), False),
    ],
    ids=["nullable", "the database's default", "Django's default alone", "longer", "shorter", "unique"],
)
def test_what_would_stop_it_is_found(operation: Any, is_allowed: bool) -> None:
    second = type("Second", (Migration,), {"operations": [operation]})
    assert (narrowings("seat", iter([("0001", First), ("0002", second)])) == []) is is_allowed
