"""The platform's mail reaches the auth service of every booking system, and its password is in no revision."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controlplane.accounts.models import User
from controlplane.rendering.plan import from_json
from controlplane.systems import services
from controlplane.systems.converge import converge
from tests.controlplane import SiteRuntime, areas_requirement

pytestmark = pytest.mark.django_db(transaction=True)

MAIL = "smtp://clove:geheim@mail.example.kr:587?from=tickets@example.kr"


def deployed(seller: User, runtime: SiteRuntime) -> tuple[Any, Any]:
    """The live revision, and the secrets that the runtime was given."""
    system = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True)
    for _ in range(3):
        converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    assert system.is_live
    return system.live_revision, runtime.systems[system.namespace].secrets


def test_auth_is_given_the_address_as_a_secret_file_and_may_call_outside(seller: User, runtime: SiteRuntime, settings: Any) -> None:
    settings.MAIL_URL = MAIL
    settings.PLATFORM_SECRETS = settings.PLATFORM_SECRETS | {"mail": MAIL}

    revision, secrets = deployed(seller, runtime)

    auth = from_json(revision.plan).service("auth")
    assert auth is not None
    assert auth.env["CLOVE_MAIL_FILE"] == "/etc/clove/secrets/mail-url"
    assert auth.calls_outside
    assert secrets["auth-secrets"]["mail-url"] == MAIL
    assert "geheim" not in json.dumps([revision.plan, revision.manifests, revision.requirement.data])
    assert [name for name, files in secrets.items() if "geheim" in json.dumps(files)] == ["auth-secrets"]


def test_without_mail_nothing_is_offered_and_no_way_out_is_open(seller: User, runtime: SiteRuntime) -> None:
    revision, secrets = deployed(seller, runtime)

    auth = from_json(revision.plan).service("auth")
    assert auth is not None
    assert "CLOVE_MAIL_FILE" not in auth.env
    assert not auth.calls_outside
    assert secrets["auth-secrets"]["mail-url"] == ""
