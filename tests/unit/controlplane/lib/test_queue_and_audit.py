"""Handing work over, and the audit trail."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from controlplane.lib import audit, queue
from controlplane.lib.models import AuditRow

pytestmark = pytest.mark.django_db(transaction=True)


def test_work_is_sent_on_commit_and_never_after_a_rollback(sent: list[Any]) -> None:
    with transaction.atomic():
        queue.send_on_commit("x", system_id=1)
        assert sent == []
    with transaction.atomic():
        queue.send_on_commit("x", system_id=2)
        transaction.set_rollback(True)

    assert sent == [("x", {"system_id": 1}, 0.0)]


def test_a_broker_that_is_away_breaks_nothing(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    class Away:
        def send_task(self, *_: Any, **__: Any) -> None:
            raise OSError("no broker")

    globals()["away"] = Away()
    settings.CELERY_APP = f"{__name__}.away"
    queue._celery.cache_clear()

    queue.send("x", system_id=1)

    assert "the sweep will see to it" in caplog.text


def test_an_audit_row_names_who_did_what_to_which_and_is_never_changed(seller: Any) -> None:
    row = audit.record("user.renamed", seller, acting_user=seller, name="새 이름")

    assert (row.actor_label, row.subject, row.subject_id) == ("seller@example.kr", "accounts.user", str(seller.pk))
    with pytest.raises(TypeError):
        row.save()
    with pytest.raises(TypeError):
        row.delete()


def test_an_audit_row_outlives_the_account(seller: Any) -> None:
    audit.record("user.renamed", seller, acting_user=seller)
    seller.delete()

    row = AuditRow.objects.get(action="user.renamed")
    assert (row.actor, row.actor_label) == (None, "seller@example.kr")
