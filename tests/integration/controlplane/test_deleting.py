"""A booking system is deleted, and what stands against it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from controlplane.portal import drafts
from controlplane.runtime.errors import Forbidden, Rejected
from controlplane.runtime.port import Health
from controlplane.systems import access, databases, services
from controlplane.systems.converge import converge
from controlplane.systems.errors import DeletionRefused
from controlplane.systems.models import Desired, State
from controlplane.systems.sealed import secret_keep
from tests.controlplane import Site, SiteRuntime, areas_requirement, numbered_requirement
from tests.integration.controlplane.looks import deployed, last, settle

pytestmark = pytest.mark.django_db(transaction=True)


def test_deleting_takes_everything_down_and_frees_the_address(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    runtime.deletes_after(system.namespace, looks=2)

    services.system_delete(system=system, typed_name="작은 뮤지컬", acting_user=seller)
    settle(system, runtime)

    assert (system.state, system.slug, system.desired_state) == (State.DELETED, None, Desired.DELETED)
    assert system.archive.state == "complete"
    assert runtime.observe(system.ref).health is Health.ABSENT
    assert not system.secrets.exists()
    assert not access.systems_of(seller).exists()
    assert deployed(seller, runtime).slug == "little"


def test_deleting_is_refused_for_another_name(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)

    with pytest.raises(DeletionRefused) as caught:
        services.system_delete(system=system, typed_name="작은 뮤지", acting_user=seller)

    assert caught.value.reason.code == "name_differs"


def test_deleting_is_refused_while_paid_tickets_stand_and_says_how_many(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    site.answers["GET", "/api/ticket/open"] = (200, {"paid_tickets_for_coming": 7, "open_payments": 1})

    with pytest.raises(DeletionRefused) as caught:
        services.system_delete(system=system, typed_name="little", acting_user=seller)

    assert (caught.value.reason.code, caught.value.reason.params) == ("paid_tickets_stand", {"tickets": 7, "payments": 1})
    assert system.operations.count() == 1


def test_deleting_is_refused_when_nobody_knows_what_was_sold_and_an_admin_may_insist(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    site.answers["GET", "/api/ticket/open"] = (503, {})

    with pytest.raises(DeletionRefused) as caught:
        services.system_delete(system=system, typed_name="little", acting_user=seller, force=True)
    assert caught.value.reason.code == "tickets_unknown"

    seller.role = "admin"
    services.system_delete(system=system, typed_name="little", acting_user=seller, force=True)
    assert settle(system, runtime).state == State.DELETED


def test_what_is_sold_between_asking_and_deleting_stops_the_deletion(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    services.system_delete(system=system, typed_name="little", acting_user=seller)
    site.answers["GET", "/api/ticket/open"] = (200, {"paid_tickets_for_coming": 1, "open_payments": 0})

    settle(system, runtime)

    assert (system.state, system.desired_state, system.reason_code) == (State.LIVE, Desired.LIVE, "paid_tickets_stand")
    assert runtime.observe(system.ref).health is Health.READY


def test_a_system_that_never_went_live_is_deleted_without_asking(seller: Any, runtime: SiteRuntime) -> None:
    system = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True)
    runtime.will_fail(system.namespace, "seat")
    settle(system, runtime)

    services.system_delete(system=system, typed_name="river", acting_user=seller)

    assert settle(system, runtime).state == State.DELETED


def test_a_deletion_the_runtime_refuses_fails_and_can_be_tried_again(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    runtime.raises("delete", Forbidden("no verb delete"))
    services.system_delete(system=system, typed_name="little", acting_user=seller)
    settle(system, runtime)
    assert (system.state, system.reason_code) == (State.FAILED, "forbidden")

    services.system_retry(system=system, acting_user=seller)

    assert settle(system, runtime).state == State.DELETED


def test_a_draft_is_deleted_at_once(seller: Any) -> None:
    system = services.system_create(requirement=areas_requirement(), acting_user=seller)

    assert services.system_delete(system=system, typed_name="river", acting_user=seller) is None
    system.refresh_from_db()
    assert (system.state, system.slug) == (State.DELETED, None)


def test_a_removal_that_hangs_says_what_keeps_it_and_is_finished_whenever_it_ends(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    runtime.deletes_after(system.namespace, looks=3, blocked_by="Some content has finalizers remaining: example.org/hold")
    services.system_delete(system=system, typed_name="little", acting_user=seller)
    converge(system.pk, runtime=runtime)

    operation = last(system)
    assert "example.org/hold" in operation.steps.get(name="remove").message
    long_ago = timezone.now() - timedelta(hours=1)
    system.operations.filter(pk=operation.pk).update(progress_at=long_ago, started_at=long_ago)
    converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    assert (system.state, last(system).state) == (State.DELETING, "running")

    assert settle(system, runtime).state == State.DELETED


def test_what_found_its_namespace_taken_is_deleted_and_the_strangers_stays(seller: Any, runtime: SiteRuntime) -> None:
    system = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True)
    runtime.owned_by(system.namespace, "somebody else")
    settle(system, runtime)
    assert (system.state, system.reason_code) == (State.FAILED, "owned_by_another")

    services.system_delete(system=system, typed_name="river", acting_user=seller)

    assert settle(system, runtime).state == State.DELETED
    assert ("delete", system.namespace) not in runtime.calls


def test_every_schema_that_a_revision_brought_to_a_server_outside_is_dropped(
    seller: Any, runtime: SiteRuntime, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, dropped = set[str](), set[str]()
    monkeypatch.setattr(databases, "make_outside", lambda database, passwords: made.update(database.schemas[name] for name in passwords))
    monkeypatch.setattr(databases, "drop_outside", lambda database: dropped.update(database.schemas.values()))
    settings.BOOKING_DATABASE, settings.BOOKING_DATABASE_ADMIN = "mysql", {"HOST": "10.1.2.3", "PORT": "3306"}
    without = {"merchandise": False, "products": []}
    system = deployed(seller, runtime, numbered_requirement(**without))
    runtime.raises("apply", Rejected("no such field"))
    services.system_update(system=system, requirement=numbered_requirement(), acting_user=seller)
    settle(system, runtime)
    services.system_update(system=system, requirement=numbered_requirement(**without, limit_per_buyer=3), acting_user=seller)
    assert settle(system, runtime).state == State.LIVE

    services.system_delete(system=system, typed_name="little", acting_user=seller)

    assert settle(system, runtime).state == State.DELETED
    assert [name for name in made if name.startswith(system.namespace) and name.endswith("-merch")]
    assert dropped == made


def test_what_was_typed_to_change_it_goes_with_its_secrets(seller: Any, runtime: SiteRuntime) -> None:
    system = deployed(seller, runtime)
    draft = drafts.draft_of_system(user=seller, system=system)
    form = drafts.form_of(draft)
    form.values["oidc_secret_ref"] = secret_keep(owner=seller, text="geheim").reference
    drafts.draft_save(draft=draft, form=form, version=draft.version)

    services.system_delete(system=system, typed_name="little", acting_user=seller)
    settle(system, runtime)

    assert system.state == State.DELETED
    assert not drafts.RequirementDraft.objects.exists()


def test_what_a_worker_that_comes_late_applies_of_a_deleted_system_goes_again(seller: Any, runtime: SiteRuntime) -> None:
    """It was stopped for longer than its lease, just before it called the runtime; nobody would look after what it made."""
    system = deployed(seller, runtime)
    known = runtime.systems[system.namespace]
    objects, secrets = known.objects, known.secrets
    services.system_delete(system=system, typed_name="little", acting_user=seller)
    assert settle(system, runtime).state == State.DELETED

    runtime.apply(system.ref, objects, secrets)
    converge(system.pk, runtime=runtime)

    assert runtime.observe(system.ref).health is Health.ABSENT
    system.refresh_from_db()
    assert (system.state, system.slug) == (State.DELETED, None)
