"""The databases' accounts: one each, kept, and handed to those alone that use them."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.accounts.models import User
from controlplane.lib.env import BadEnvironment, choice
from controlplane.rendering.plan import Plan
from controlplane.rendering.render import render, to_yaml
from controlplane.systems import databases, planning, secrets, services
from controlplane.systems.models import BookingSystem, Revision, SystemSecret
from controlplane.systems.planning import stored_requirement
from tests.controlplane import numbered_requirement

pytestmark = pytest.mark.django_db


@pytest.fixture
def system(seller: User, settings: Any) -> BookingSystem:
    settings.BOOKING_DATABASE = "mariadb"
    return services.system_create(requirement=numbered_requirement(), acting_user=seller)


def plan_of(system: BookingSystem, *, live: Plan | None = None) -> Plan:
    if live:
        revision = Revision(system=system, number=1, requirement=system.requirement, plan=live.to_json(), manifests=[])
        revision.save()
        system.live_revision = revision
    requirement = stored_requirement(system)
    assert requirement
    return planning.plan_for(requirement, planning.site_of(system), system=system).plan


def test_every_service_has_an_address_with_a_password_of_its_own_that_stays(system: BookingSystem) -> None:
    plan = plan_of(system)
    made = secrets.secrets_for(system, plan)
    addresses = {service.name: made[service.secret].get("database-url") for service in plan.services}

    assert addresses["web"] is None
    assert addresses["seat"]
    assert addresses["seat"].startswith("mysql://seat:")
    assert addresses["seat"].endswith("@mariadb:3306/seat")
    passwords = [address.split(":")[2].split("@")[0] for address in addresses.values() if address]
    assert len(set(passwords)) == 5
    assert secrets.secrets_for(system, plan) == made


def test_no_services_secret_holds_anothers_password_or_the_servers(system: BookingSystem) -> None:
    plan = plan_of(system)
    made = secrets.secrets_for(system, plan)
    passwords = secrets.database_passwords(system, plan)
    root = made["mariadb-secrets"]["root-password"]

    for service in plan.services:
        text = "".join(made[service.secret].values())
        assert root not in text
        assert not [other for other, password in passwords.items() if other != service.name and password in text]
    assert root not in made["mariadb-backup"]["client.cnf"]


def test_no_password_is_in_a_manifest_or_readable_in_the_platforms_database(system: BookingSystem) -> None:
    plan = plan_of(system)
    made = secrets.secrets_for(system, plan)
    texts = [made["mariadb-secrets"]["root-password"], *secrets.database_passwords(system, plan).values()]

    manifests = to_yaml(render(plan))
    assert not [text for text in texts if text in manifests]
    assert not [row for row in SystemSecret.objects.all() for text in texts if text.encode() in bytes(row.sealed)]


def test_the_user_of_a_service_that_left_keeps_its_password(system: BookingSystem) -> None:
    before = plan_of(system)
    secrets.secrets_for(system, before)
    passwords = secrets.database_passwords(system, before)
    services.system_update(system=system, requirement=numbered_requirement(merchandise=False, products=[]), acting_user=system.seller)

    after = plan_of(system, live=before)

    made = secrets.secrets_for(system, after)
    assert after.service("merch") is None
    assert secrets.database_passwords(system, after) == passwords
    assert passwords["merch"] in made["mariadb-secrets"]["setup.sql"]


def test_the_setup_gives_each_user_its_own_schema_alone(system: BookingSystem) -> None:
    statements = databases.setup_statements(plan_of(system).database, {"seat": "p"})  # type: ignore[arg-type]

    assert [statement for statement in statements if statement.startswith("GRANT")] == ["GRANT ALL PRIVILEGES ON `seat`.* TO 'seat'@'%'"]


def test_no_database_choice_leaves_files(seller: User) -> None:
    system = services.system_create(requirement=numbered_requirement(), acting_user=seller)
    made = secrets.secrets_for(system, plan_of(system))

    assert not [name for name in made if "mariadb" in name]
    assert "database-url" not in made["seat-secrets"]


def test_an_unknown_choice_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOVE_BOOKING_DATABASE", "oracle")

    with pytest.raises(BadEnvironment, match="CLOVE_BOOKING_DATABASE must be one of sqlite, mariadb"):
        choice("CLOVE_BOOKING_DATABASE", ("sqlite", "mariadb"), "mariadb")
    monkeypatch.delenv("CLOVE_BOOKING_DATABASE")
    assert choice("CLOVE_BOOKING_DATABASE", ("sqlite", "mariadb"), "mariadb") == "mariadb"
