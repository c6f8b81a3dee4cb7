"""One's own account."""

from __future__ import annotations

import json
import re

import pytest
from axes.models import AccessAttempt, AccessLog
from django.test import Client

from controlplane.accounts.models import ApiToken, Role, User
from controlplane.accounts.selectors import user_of_token
from controlplane.lib import audit
from controlplane.lib.models import AuditRow
from controlplane.portal import drafts
from controlplane.portal.models import RequirementDraft
from controlplane.systems import operating, rollouts
from controlplane.systems.models import BookingSystem, Operation, OperationStep, Picture, SellerSecret
from controlplane.systems.pictures import picture_keep
from controlplane.systems.sealed import secret_keep
from tests.pictures import png
from tests.unit.controlplane.pages import PASSWORD, client_of, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return person("me@example.kr", name="나")


@pytest.fixture
def mine(user):
    return client_of(user)


def test_the_profile_is_changed(mine, user):
    assert mine.post("/account/profile", {"name": "새 이름", "phone": "010-1234-5678"})["Location"] == "/account"
    user.refresh_from_db()
    assert (user.name, user.phone) == ("새 이름", "010-1234-5678")


def test_a_bad_profile_changes_nothing_and_keeps_what_was_typed(mine, user):
    response = mine.post("/account/profile", {"name": "", "phone": "call me"})
    assert response.status_code == 422
    assert 'value="call me"' in response.content.decode()
    user.refresh_from_db()
    assert user.name == "나"


def test_a_new_password_ends_the_other_sessions(mine, user):
    elsewhere = client_of(user)
    typed = {"old_password": PASSWORD, "new_password1": "five other quiet words", "new_password2": "five other quiet words"}

    assert mine.post("/account/password", typed)["Location"] == "/account"

    assert mine.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302


@pytest.mark.parametrize(
    "changes", [{"old_password": "wrong"}, {"new_password2": "another"}, {"new_password1": "short", "new_password2": "short"}]
)
def test_a_password_is_not_changed_when_anything_is_wrong(mine, user, changes):
    typed = {"old_password": PASSWORD, "new_password1": "five other quiet words", "new_password2": "five other quiet words", **changes}
    assert mine.post("/account/password", typed).status_code == 422
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_a_token_is_shown_once(mine, user):
    page = mine.post("/account/tokens", {"name": "script", "days": "30"}).content.decode()
    shown = re.search(r"<code>(clove_[\w-]{40,})</code>", page)
    assert shown
    assert user_of_token(shown[1]) == user
    assert shown[1] not in mine.get("/account").content.decode()


@pytest.mark.parametrize("typed", [{"name": "", "days": "30"}, {"name": "x", "days": "31"}, {"name": "x" * 61, "days": "30"}, {}])
def test_a_bad_token_form_makes_none(mine, typed):
    assert mine.post("/account/tokens", typed).status_code == 422
    assert not ApiToken.objects.exists()


def test_a_token_is_revoked_once_and_by_its_owner_only(mine):
    mine.post("/account/tokens", {"name": "script", "days": "0"})
    token = ApiToken.objects.get()
    assert token.expires_at is None

    assert client_of(person("other@example.kr")).post(f"/account/tokens/{token.pk}/revoke").status_code == 404
    assert mine.post(f"/account/tokens/{token.pk}/revoke").status_code == 302
    assert mine.post(f"/account/tokens/{token.pk}/revoke").status_code == 404


def test_closing_asks_for_the_password(mine, user):
    assert mine.post("/account/close", {"password": "wrong"}).status_code == 422
    assert User.objects.get(pk=user.pk).is_active


def test_closing_logs_out_and_erases(mine, user):
    response = mine.post("/account/close", {"password": PASSWORD}, follow=True)
    assert response.redirect_chain == [("/", 302)]
    assert "erased" in response.content.decode()
    assert not User.objects.filter(email="me@example.kr").exists()
    assert mine.get("/account").status_code == 302


def test_closing_takes_the_name_out_of_what_was_written_down_and_two_closed_accounts_stay_two(mine, user, live):
    other = person("you@example.kr")
    for who in (user, other):
        audit.record("system.restart", live, acting_user=who)
    operating.system_restart(system=live, service="seat", acting_user=user)
    rollouts.rollout_pause(system=live, acting_user=user)
    rollouts.rollout_abandon(system=live, acting_user=user)
    live.refresh_from_db()
    assert "me@example.kr" in live.reason

    mine.post("/account/close", {"password": PASSWORD})
    client_of(other).post("/account/close", {"password": PASSWORD})

    closed = [f"closed-{who.pk}@invalid" for who in (user, other)]
    did = AuditRow.objects.filter(action="system.restart").order_by("pk")
    assert [row.actor_label for row in did] == [closed[0], closed[1], closed[0]]
    assert [row.actor_id for row in did] == [user.pk, other.pk, user.pk]
    live.refresh_from_db()
    assert live.reason == f"{closed[0]} gave it up. What was live before serves on."
    assert live.reason_params == {"who": closed[0]}
    for model in (AuditRow, Operation, OperationStep, BookingSystem):
        assert "@example.kr" not in json.dumps(list(model.objects.exclude(pk=0).values()), default=str).replace("seller@example.kr", "")


def test_closing_throws_away_what_was_typed_and_given(mine, user):
    kept, secret = picture_keep(owner=user, content=png()), secret_keep(owner=user, text="geheim")
    draft = drafts.draft_start(user=user)
    form = drafts.form_of(draft)
    form.add("products", name="티셔츠", picture=kept.digest)
    form.values |= {"sign_in": "yes", "oidc_secret_ref": secret.reference}
    drafts.draft_save(draft=draft, form=form, version=draft.version)

    mine.post("/account/close", {"password": PASSWORD})

    assert [model.objects.count() for model in (RequirementDraft, Picture, SellerSecret)] == [0, 0, 0]


def test_closing_is_refused_while_booking_systems_stand_and_names_them(live, seller):
    seller.set_password(PASSWORD)
    seller.save()
    response = client_of(seller).post("/account/close", {"password": PASSWORD})
    assert response.status_code == 422
    assert "강변 페스티벌" in response.content.decode()
    assert User.objects.get(pk=seller.pk).is_active


def test_an_admin_is_not_closed_here(db):
    admin = person("root@example.kr", role=Role.ADMIN)
    response = client_of(admin).post("/account/close", {"password": PASSWORD})
    assert response.status_code == 422
    assert User.objects.get(pk=admin.pk).is_active


def test_closing_forgets_when_and_from_where_somebody_logged_in(user):
    browser = Client(headers={"Accept-Language": "en"})
    for password in ("wrong", PASSWORD):
        browser.post("/login", {"username": "Me@example.kr", "password": password})
    assert AccessLog.objects.filter(username=user.email).exists()

    browser.post("/account/close", {"password": PASSWORD})

    user.refresh_from_db()
    assert not user.is_active
    assert not AccessLog.objects.filter(username="me@example.kr").exists()
    assert not AccessAttempt.objects.filter(username="me@example.kr").exists()
