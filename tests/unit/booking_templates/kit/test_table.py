"""A table by plain SQL: it sends what the ORM would send, and reads what the ORM would read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import IntegrityError
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TransactionTestCase

from booking_templates.kit.models import Lease, OutboxMessage
from booking_templates.kit.table import table

SEOUL = timezone(timedelta(hours=9))
MOMENT = datetime(2027, 1, 10, 19, 30, 0, 123456, SEOUL)

moments = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1), timezones=st.sampled_from([UTC, SEOUL]))
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
payloads = st.dictionaries(texts, st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts, max_size=4)


def message(**fields: object) -> OutboxMessage:
    return OutboxMessage(
        **{"peer": "seat", "method": "POST", "path": "/", "payload": {}, "created_at": MOMENT, "next_at": MOMENT, **fields}
    )


class RowsOfAnyContent(TransactionTestCase):
    @given(path=texts, payload=payloads, next_at=moments, attempts=st.integers(0, 2**31 - 1))
    @settings(max_examples=30, deadline=None)
    def test_come_back_by_the_orm_and_by_the_table_as_they_were(self, path, payload, next_at, attempts):
        OutboxMessage.objects.all().delete()
        table(OutboxMessage).insert([message(path=path, payload=payload, next_at=next_at, attempts=attempts)])
        expected = (path, payload, next_at, attempts)
        for row in (OutboxMessage.objects.get(), *table(OutboxMessage).rows(path=path)):
            assert (row.path, row.payload, row.next_at, row.attempts) == expected


@pytest.mark.django_db(transaction=True)
def test_only_the_rows_that_match_are_changed_and_counted():
    table(Lease).insert([Lease(name=name, holder="a", expires_at=MOMENT) for name in "xyz"])
    assert table(Lease).update({"holder": "b", "expires_at": MOMENT + timedelta(days=1)}, name="y", holder="a") == 1
    assert table(Lease).update({"holder": "c"}, name="y", holder="a") == 0
    assert [(row.name, row.holder) for row in Lease.objects.order_by("name")] == [("x", "a"), ("y", "b"), ("z", "a")]
    assert table(Lease).get(name="y").expires_at == MOMENT + timedelta(days=1)  # type: ignore[union-attr]
    assert table(Lease).get(name="w") is None


@pytest.mark.django_db(transaction=True)
def test_the_first_rows_are_by_their_key_and_no_more_than_asked_for():
    assert table(Lease).first(2) == []
    table(Lease).insert([Lease(name=name, holder="a", expires_at=MOMENT) for name in "zxy"])
    assert [(row.name, row.expires_at) for row in table(Lease).first(2)] == [("x", MOMENT), ("y", MOMENT)]


@pytest.mark.django_db(transaction=True)
def test_a_time_is_found_again_by_itself_in_any_zone():
    table(Lease).insert([Lease(name="x", holder="a", expires_at=MOMENT)])
    assert [row.name for row in table(Lease).rows(expires_at=MOMENT.astimezone(UTC))] == ["x"]
    assert Lease.objects.filter(expires_at=MOMENT).exists()


@pytest.mark.django_db(transaction=True)
def test_a_time_without_its_offset_is_refused():
    with pytest.raises(ValueError, match="offset"):
        table(Lease).insert([Lease(name="x", holder="a", expires_at=MOMENT.replace(tzinfo=None))])


@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_there_is_refused():
    row = Lease(name="x", holder="a", expires_at=MOMENT)
    table(Lease).insert([row])
    assert not row._state.adding
    with pytest.raises(IntegrityError):
        table(Lease).insert([Lease(name="x", holder="b", expires_at=MOMENT)])
