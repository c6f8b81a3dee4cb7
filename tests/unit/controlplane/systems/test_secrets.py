"""Keys and secrets: generated once, kept sealed, tied to who may use them."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet, InvalidToken
from joserfc import jwt
from joserfc.jwk import OKPKey

from controlplane.accounts.models import User
from controlplane.rendering.plan import Plan
from controlplane.systems import keys, planning, secrets, services
from controlplane.systems.models import BookingSystem, SystemSecret
from controlplane.systems.planning import stored_requirement
from tests.controlplane import numbered_requirement

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def with_mail(settings: Any) -> None:
    settings.PLATFORM_SECRETS = settings.PLATFORM_SECRETS | {"mail": "smtp://clove:geheim@mail.example.kr"}


@pytest.fixture
def system(seller: User) -> BookingSystem:
    return services.system_create(requirement=numbered_requirement(), acting_user=seller)


@pytest.fixture
def plan(system: BookingSystem) -> Plan:
    requirement = stored_requirement(system)
    assert requirement
    return planning.plan_for(requirement, planning.site_of(system)).plan


def test_every_file_that_the_plan_names_is_there_and_stays_the_same(system: BookingSystem, plan: Plan) -> None:
    made = secrets.secrets_for(system, plan)

    assert secrets.secrets_for(system, plan) == made
    assert set(made) == {*(service.secret for service in plan.services), "trust"}
    for service in plan.services:
        assert set(made[service.secret]) == set(service.secret_files)
        assert all(made[service.secret].values())
    texts = [text for files in made.values() for name, text in files.items() if name != "kakaopay-secret-key"]
    assert len(texts) == len(set(texts))


def test_each_trusted_key_may_sign_for_one_issuer_and_a_tickets_key_for_none(system: BookingSystem, plan: Plan) -> None:
    made = secrets.secrets_for(system, plan)
    trusted = {key["kid"]: key for key in json.loads(made["trust"]["jwks.json"])["keys"]}

    def issuer(secret: str, name: str) -> str | None:
        return trusted.get(json.loads(made[secret][name])["kid"], {}).get("clove_iss")

    assert issuer("seat-secrets", "service-key.json") == f"{system.namespace}/seat"
    assert issuer("auth-secrets", "token-key.json") == f"{system.namespace}/auth"
    assert issuer("ticket-secrets", "ticket-key.json") is None
    assert trusted[keys.staff_key()["kid"]]["clove_iss"] == "clove"
    assert not [key for key in trusted.values() if "d" in key]


def test_what_is_kept_is_sealed(system: BookingSystem, plan: Plan) -> None:
    made = secrets.secrets_for(system, plan)

    for row in SystemSecret.objects.all():
        assert not [text for text in made[row.name].values() if text.encode() in bytes(row.sealed)]


def test_a_sealing_key_is_replaced_while_the_old_one_still_opens(system: BookingSystem, plan: Plan, settings: Any) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.SECRET_KEYS = [old]
    made = secrets.secrets_for(system, plan)

    settings.SECRET_KEYS = [new, old]
    assert secrets.secrets_for(system, plan) == made
    settings.SECRET_KEYS = [new]
    with pytest.raises(InvalidToken):
        secrets.secrets_for(system, plan)


def test_a_secret_of_the_platforms_is_not_kept_and_follows_the_settings(system: BookingSystem, plan: Plan, settings: Any) -> None:
    secrets.secrets_for(system, plan)
    settings.PLATFORM_SECRETS = settings.PLATFORM_SECRETS | {"kakaopay": "another"}

    assert secrets.secrets_for(system, plan)["ticket-secrets"]["kakaopay-secret-key"] == "another"


def test_a_new_version_of_an_image_may_ask_for_one_more(system: BookingSystem, plan: Plan) -> None:
    before = secrets.secrets_for(system, plan)
    seat = plan.service("seat")
    assert seat
    seat.secret_files["scan-key.json"] = "signing-key"

    after = secrets.secrets_for(system, plan)

    assert set(after["seat-secrets"]) == {*before["seat-secrets"], "scan-key.json"}
    assert after["seat-secrets"]["service-key.json"] == before["seat-secrets"]["service-key.json"]


def test_an_unknown_kind_is_refused(system: BookingSystem, plan: Plan) -> None:
    seat = plan.service("seat")
    assert seat
    seat.secret_files["x"] = "magic"

    with pytest.raises(secrets.UnknownKind):
        secrets.secrets_for(system, plan)


def test_destroyed_is_destroyed(system: BookingSystem, plan: Plan) -> None:
    made = secrets.secrets_for(system, plan)
    secrets.destroy(system)

    assert not SystemSecret.objects.exists()
    assert secrets.secrets_for(system, plan)["seat-secrets"] != made["seat-secrets"]


def test_a_staff_token_names_who_where_and_for_what(system: BookingSystem, seller: User) -> None:
    token = services.staff_token(system=system, user=seller, scopes=["attendees"])
    claims = jwt.decode(token, OKPKey.import_key(keys.public_part(keys.staff_key())), algorithms=["EdDSA"]).claims

    assert {name: claims[name] for name in ("iss", "aud", "sub", "role", "scope")} == {
        "iss": "clove",
        "aud": system.namespace,
        "sub": f"user:{seller.pk}",
        "role": "staff",
        "scope": ["attendees"],
    }
    assert 0 < claims["exp"] - claims["iat"] <= 600


def test_the_platforms_keys_are_for_their_owner_alone(system: BookingSystem, plan: Plan, private_home: Path) -> None:
    secrets.secrets_for(system, plan)

    files = list((private_home / "keys").iterdir())
    assert {file.name for file in files} == {"staff-key.json", "fernet-keys"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_worker_that_comes_late_takes_what_is_in_use_already(system: BookingSystem, plan: Plan) -> None:
    """It read that there was nothing, was stopped, and another took over meanwhile."""
    late = BookingSystem.objects.prefetch_related("secrets").get(pk=system.pk)
    assert not late.secrets.all()
    made = secrets.secrets_for(system, plan)

    assert secrets.secrets_for(late, plan) == made
    assert secrets.secrets_for(BookingSystem.objects.get(pk=system.pk), plan) == made
