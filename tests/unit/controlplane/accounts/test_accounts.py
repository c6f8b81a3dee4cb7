from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import authenticate
from django.test import RequestFactory
from django.utils import timezone

from controlplane.accounts import selectors, services
from controlplane.accounts.errors import AdminStays, EmailTaken, NoSuchToken, NotOneself, SystemsStanding, TooManyTokens
from controlplane.accounts.forms import SignUpForm
from controlplane.accounts.models import ApiToken, Role, User
from controlplane.lib.models import AuditRow
from tests.unit.controlplane.pages import PASSWORD, person

pytestmark = pytest.mark.django_db


def test_who_signs_up_is_a_seller_and_can_log_in():
    user = services.user_sign_up(email="New@Example.kr", password=PASSWORD, name="새 판매자")

    assert user.role == Role.SELLER
    assert authenticate(RequestFactory().post("/login"), username="new@example.KR", password=PASSWORD) == user


def test_an_address_signs_up_once_whatever_its_capitals():
    services.user_sign_up(email="a@example.kr", password=PASSWORD, name="A")

    with pytest.raises(EmailTaken):
        services.user_sign_up(email="A@Example.kr", password=PASSWORD, name="B")
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not an address"),
        ("email", ""),
        ("name", ""),
        ("name", "n" * 101),
        ("password", "short"),
        ("password", "password1234"),
        ("password", "seller@example.kr"),
        ("phone", "call me"),
    ],
)
def test_a_bad_field_of_the_sign_up_is_named(field, value):
    form = SignUpForm({"email": "seller@example.kr", "name": "판매자", "password": PASSWORD, "phone": "", field: value})

    assert not form.is_valid()
    assert list(form.errors) == [field]


def test_closing_erases_personal_data_and_ends_every_way_in():
    user = person("a@example.kr", name="판매자", phone="010-1234-5678")
    _token, text = services.token_create(user=user, name="script")

    services.user_close(user=user, standing=[])

    user.refresh_from_db()
    assert (user.name, user.phone, user.is_active, user.has_usable_password()) == ("", "", False, False)
    assert "a@example.kr" not in user.email
    assert selectors.user_of_token(text) is None
    services.user_sign_up(email="a@example.kr", password=PASSWORD, name="again")


def test_an_account_with_booking_systems_is_not_closed():
    user = person("a@example.kr")

    with pytest.raises(SystemsStanding) as refused:
        services.user_close(user=user, standing=["별의 정거장"])
    assert refused.value.names == ("별의 정거장",)
    user.refresh_from_db()
    assert user.is_active


def test_an_admin_does_not_close_their_account():
    with pytest.raises(AdminStays):
        services.user_close(user=person("root@example.kr", role=Role.ADMIN), standing=[])


def test_a_token_stands_for_its_owner_and_is_kept_as_a_hash_only():
    user = person("a@example.kr")
    token, text = services.token_create(user=user, name="script", days=30)

    assert selectors.user_of_token(text) == user
    row = ApiToken.objects.values().get(pk=token.pk)
    assert text not in map(str, row.values())
    assert text.startswith(token.hint)


def test_an_expired_token_is_nobodys():
    with time_machine.travel("2027-01-01T00:00:00Z", tick=False) as clock:
        _token, text = services.token_create(user=person("a@example.kr"), name="script", days=30)
        clock.shift(timedelta(days=30, seconds=1))
        assert selectors.user_of_token(text) is None


@pytest.mark.parametrize("text", ["", "clove_", "clove_wrong", "Bearer x", "clove_\x00"])
def test_an_unknown_token_is_nobodys(text):
    assert selectors.user_of_token(text) is None


def test_the_use_of_a_token_is_noted_at_most_every_five_minutes(django_assert_num_queries):
    with time_machine.travel("2027-01-01T00:00:00Z", tick=False) as clock:
        token, text = services.token_create(user=person("a@example.kr"), name="script")
        selectors.user_of_token(text)
        with django_assert_num_queries(1):
            selectors.user_of_token(text)
        clock.shift(timedelta(minutes=6))
        selectors.user_of_token(text)
        token.refresh_from_db()
        assert token.last_used_at == timezone.now()


def test_a_revoked_token_is_nobodys_and_is_revoked_once():
    user = person("a@example.kr")
    token, text = services.token_create(user=user, name="script")

    services.token_revoke(user=user, token_id=token.pk)

    assert selectors.user_of_token(text) is None
    with pytest.raises(NoSuchToken):
        services.token_revoke(user=user, token_id=token.pk)


def test_somebody_elses_token_cannot_be_revoked():
    token, text = services.token_create(user=person("a@example.kr"), name="script")

    with pytest.raises(NoSuchToken):
        services.token_revoke(user=person("b@example.kr"), token_id=token.pk)
    assert selectors.user_of_token(text)


def test_nobody_has_more_tokens_than_the_limit(monkeypatch):
    monkeypatch.setattr(services, "TOKENS_AT_MOST", 2)
    user = person("a@example.kr")
    services.token_create(user=user, name="1")
    services.token_create(user=user, name="2")

    with pytest.raises(TooManyTokens):
        services.token_create(user=user, name="3")


def test_an_admin_changes_others_and_leaves_a_trace():
    admin, user = person("root@example.kr", role=Role.ADMIN), person("a@example.kr")

    services.user_set(user=user, acting_user=admin, is_active=False)
    services.user_set(user=user, acting_user=admin, is_active=False)

    user.refresh_from_db()
    assert not user.is_active
    assert AuditRow.objects.filter(action="user.set").count() == 1
    with pytest.raises(NotOneself):
        services.user_set(user=admin, acting_user=admin, role=Role.SELLER)
