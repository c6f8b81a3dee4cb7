"""Accounts that were closed by a release before the audit trail forgot their names."""

from __future__ import annotations

import pytest
from django.utils import timezone

from controlplane.accounts.models import User
from controlplane.jobs import tasks
from controlplane.lib import audit
from controlplane.lib.models import AuditRow
from controlplane.systems.models import BookingSystem, Operation, OperationStep

pytestmark = pytest.mark.django_db


def closed_once(email: str, system: BookingSystem, generation: int) -> User:
    """An account as an older release left it: it had held a rollout, given it up, and was closed."""
    user = User.objects.create_user(email)
    audit.record("user.sign_up", user, acting_user=user)
    operation = Operation.objects.create(
        system=system, kind="restart", state="failed", generation=generation, reason_code="abandoned", reason_params={"who": email}
    )
    OperationStep.objects.create(
        operation=operation, name="pause", message_code="step_paused", message=f"Held by {email}", message_params={"who": email}
    )
    User.objects.filter(pk=user.pk).update(email=f"closed-{user.pk}@invalid", is_active=False)
    return user


def test_their_names_go_and_everybody_elses_stay(db: None) -> None:
    seller = User.objects.create_user("seller@example.kr")
    system = BookingSystem.objects.create(seller=seller, slug="x", title="X", live_at=timezone.now())
    users = [closed_once("one@example.kr", system, 1), closed_once("two@example.kr", system, 2)]
    # The address was free again, and somebody else's since.
    again = User.objects.create_user("one@example.kr")
    audit.record("user.sign_up", again, acting_user=again)

    for _ in range(2):
        tasks.forget_unnamed()

    labels = list(AuditRow.objects.order_by("pk").values_list("actor_label", flat=True))
    assert labels == [f"closed-{users[0].pk}@invalid", f"closed-{users[1].pk}@invalid", "one@example.kr"]
    steps = list(OperationStep.objects.order_by("pk").values_list("message", "message_params"))
    assert steps == [(f"Held by closed-{user.pk}@invalid", {"who": f"closed-{user.pk}@invalid"}) for user in users]
    reasons = list(Operation.objects.order_by("pk").values_list("reason", flat=True))
    assert reasons == [f"closed-{user.pk}@invalid gave it up. What was live before serves on." for user in users]
