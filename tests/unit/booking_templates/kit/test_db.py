"""Transactions that are tried again, and the database's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from booking_templates.kit import db, env
from booking_templates.kit.models import Lease


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "error", [(1213, "Deadlock found"), (1205, "Lock wait timeout"), (1020, "Record has changed"), ("database is locked",)]
)
def test_a_transaction_is_run_again_when_the_database_asks_for_it(error):
    runs = []

    @db.retry_transaction
    def change():
        runs.append(1)
        Lease.objects.create(name="a", holder="h", expires_at=db.db_now())
        if len(runs) < 3:
            raise OperationalError(*error)

    change()
    assert len(runs) == 3
    assert Lease.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_gives_up_in_the_end_and_at_once_for_another_error():
    runs = []

    def fail(*error):
        runs.append(1)
        raise OperationalError(*error)

    with pytest.raises(OperationalError):
        db.retry_transaction(fail)(1213, "Deadlock found")
    assert len(runs) == db.TRIES
    runs.clear()
    with pytest.raises(OperationalError):
        db.retry_transaction(fail)(2006, "Server has gone away")
    assert len(runs) == 1


@pytest.mark.django_db(transaction=True)
def test_inside_another_transaction_the_outer_one_decides():
    runs = []

    @db.retry_transaction
    def inner():
        runs.append(1)
        raise OperationalError(1213, "Deadlock found")

    with pytest.raises(OperationalError), transaction.atomic():
        inner()
    assert len(runs) == 1


@pytest.mark.django_db
def test_the_databases_clock_is_aware_and_runs():
    first, second = db.db_now(), db.db_now()
    assert first.tzinfo is UTC
    assert first <= second
    assert abs(datetime.now(UTC) - first) < timedelta(minutes=1)


@pytest.mark.django_db
def test_sqlite_is_set_up_for_money():
    if connection.vendor != "sqlite":
        pytest.skip("another database")
    with connection.cursor() as cursor:
        values = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_mysql_address_is_taken_apart():
    entry = env.database_settings("mysql://clove%40seat:p%2Fw@mariadb:3307/seat", "")
    assert (entry["USER"], entry["PASSWORD"], entry["HOST"], entry["PORT"], entry["NAME"]) == (
        "clove@seat",
        "p/w",
        "mariadb",
        "3307",
        "seat",
    )
    assert entry["OPTIONS"]["isolation_level"] == "read committed"


def test_an_sqlite_path_lies_below_the_root():
    assert env.database_settings("sqlite:////var/lib/clove/db.sqlite3", "/tmp/r")["NAME"] == "/tmp/r/var/lib/clove/db.sqlite3"
    assert env.database_settings("sqlite:////var/lib/clove/db.sqlite3", "")["NAME"] == "/var/lib/clove/db.sqlite3"
    assert env.database_settings("sqlite://:memory:", "/tmp/r")["NAME"] == ":memory:"


def test_another_kind_of_database_is_refused_in_words():
    with pytest.raises(ValueError, match="use sqlite or mysql"):
        env.database_settings("postgres://x/y", "")
    assert env.database_settings("", "")["ENGINE"] == "django.db.backends.dummy"


def test_the_environment_is_read_with_its_defaults(tmp_path):
    (tmp_path / "database").write_text("mysql://u:p@h/n\n")
    read = env.load(
        {"CLOVE_SERVICE": "seat", "CLOVE_DATABASE_FILE": "/database", "CLOVE_ROOT": str(tmp_path), "CLOVE_PEER_AUTH": "http://auth:8000/"}
    )
    assert (read.database_url, read.port, read.language, read.runs_worker) == ("mysql://u:p@h/n", 8000, "ko", True)
    assert read.peers == {"auth": "http://auth:8000"}
    assert read.secrets_dir == tmp_path / "etc/clove/secrets"
    assert not read.is_https
    with pytest.raises(KeyError):
        env.load({})


@pytest.mark.django_db(transaction=True)
def test_what_is_to_be_acted_on_is_followed_by_a_write_in_its_transaction():
    Lease.objects.create(name="a", holder="h", expires_at=db.db_now())
    with CaptureQueriesContext(connection) as caught:
        assert [lease.name for lease in db.durably(lambda: list(Lease.objects.filter(name="a")))] == ["a"]
        assert db.durably(lambda: list(Lease.objects.filter(name="b"))) == []
    kinds = [query["sql"].split()[0] for query in caught]
    if connection.vendor == "mysql":
        assert kinds == ["BEGIN", "SELECT", "INSERT", "COMMIT", "BEGIN", "SELECT", "COMMIT"]
    else:
        assert kinds == ["SELECT", "SELECT"]


@pytest.mark.django_db
def test_the_clock_in_milliseconds_is_the_same_clock():
    before, ms, after = db.clock(), db.clock_ms(), db.clock()
    assert int(before.timestamp() * 1000) - 1 <= ms <= int(after.timestamp() * 1000) + 1
