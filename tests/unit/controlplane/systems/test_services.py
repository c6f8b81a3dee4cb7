"""What a seller can wish: creating, updating, previewing; who is refused what."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.accounts.models import Role, User
from controlplane.lib.models import AuditRow
from controlplane.pool.models import Image
from controlplane.runtime.fake import FakeRuntime
from controlplane.systems import access, selectors, services
from controlplane.systems.access import Need
from controlplane.systems.errors import GenerationConflict, Refused, RequirementInvalid, SystemNotFound
from controlplane.systems.models import BookingSystem, Desired, Operation, Requirement, Revision, State
from tests.controlplane import areas_requirement, numbered_requirement, without
from tests.unit.controlplane.pages import deployed

pytestmark = pytest.mark.django_db(transaction=True)


def created(seller: User, **changes: Any) -> BookingSystem:
    return services.system_create(requirement=areas_requirement(**changes), acting_user=seller)


def codes(error: pytest.ExceptionInfo[RequirementInvalid]) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in error.value.problems]


def test_a_draft_is_stored_and_nobody_is_woken(seller: User, sent: list[Any]) -> None:
    system = created(seller)

    assert (system.state, system.desired_state, system.generation, system.slug) == (State.DRAFT, Desired.DRAFT, 0, "river")
    assert selectors.requirement_of(system)["hold_minutes"] == 7
    assert sent == []
    assert AuditRow.objects.filter(subject="systems.bookingsystem").get().action == "system.create"


def test_deploying_wakes_a_worker_once_the_wish_is_stored(seller: User, sent: list[Any]) -> None:
    system = created(seller)

    operation = services.system_deploy(system=system, acting_user=seller)

    assert sent == [("jobs.converge", {"system_id": system.pk}, 0.0)]
    assert (operation.kind, operation.generation, system.state) == ("deploy", 1, State.DEPLOYING)
    with pytest.raises(Refused):
        services.system_deploy(system=system, acting_user=seller)


def test_a_bad_requirement_stores_nothing(seller: User) -> None:
    with pytest.raises(RequirementInvalid) as caught:
        services.system_create(requirement={"title": "x"}, acting_user=seller, deploy=True)

    assert ("venue", "required") in codes(caught)
    assert not BookingSystem.objects.exists()
    assert not AuditRow.objects.filter(action="system.create").exists()


def test_an_address_is_given_to_one_only(seller: User) -> None:
    created(seller)

    with pytest.raises(RequirementInvalid) as caught:
        created(seller)

    assert codes(caught) == [("slug", "slug_taken")]


def test_two_that_want_one_address_at_the_same_moment_get_one_of_them_refused(seller: User, monkeypatch: pytest.MonkeyPatch) -> None:
    from controlplane.systems import planning

    asked = planning.read_requirement(areas_requirement(), owner=seller)
    created(seller)
    # The other's check came before our insert: the constraint is what decides.
    monkeypatch.setattr(services, "read_requirement", lambda *_, **__: asked)

    with pytest.raises(RequirementInvalid) as caught:
        created(seller)

    assert codes(caught) == [("slug", "slug_taken")]


def test_without_a_wish_an_address_is_found_in_the_title(seller: User) -> None:
    def slug(title: str) -> str:
        document = without(areas_requirement(title=title), "slug")
        return services.system_create(requirement=document, acting_user=seller).slug or ""

    assert slug("Phantom of the Opera!") == "phantom-of-the-opera"
    assert slug("Phantom of the Opera!") == "phantom-of-the-opera-2"
    assert slug("admin").startswith("admin-")
    assert slug("!!!").startswith("festival-")


def test_the_address_stays_when_the_title_changes_and_cannot_be_changed(seller: User) -> None:
    system = created(seller)

    services.system_update(system=system, requirement=without(areas_requirement(title="다른"), "slug"), acting_user=seller)
    assert (system.slug, system.title) == ("river", "다른")
    with pytest.raises(RequirementInvalid) as caught:
        services.system_update(system=system, requirement=areas_requirement(slug="lake"), acting_user=seller)
    assert codes(caught) == [("slug", "slug_fixed")]


def test_a_draft_is_rewritten_without_an_operation(seller: User, sent: list[Any]) -> None:
    system = created(seller)

    assert services.system_update(system=system, requirement=numbered_requirement(slug="river"), acting_user=seller) is None
    assert selectors.requirement_of(system)["title"] == "작은 뮤지컬"
    assert (system.requirements.count(), sent) == (2, [])


def test_of_two_updates_to_one_version_the_second_is_refused(seller: User) -> None:
    system = created(seller)
    services.system_deploy(system=system, acting_user=seller)
    services.system_update(system=system, requirement=areas_requirement(title="erst"), acting_user=seller, expected_generation=1)

    with pytest.raises(GenerationConflict) as caught:
        services.system_update(system=system, requirement=areas_requirement(title="dann"), acting_user=seller, expected_generation=1)

    assert caught.value.reason.params == {"current": 2, "expected": 1}
    assert BookingSystem.objects.get().title == "erst"


def test_what_is_being_deleted_takes_no_wishes(seller: User) -> None:
    system = created(seller)
    services.system_deploy(system=system, acting_user=seller)
    services.system_delete(system=system, typed_name="river", acting_user=seller)

    with pytest.raises(Refused):
        services.system_update(system=system, requirement=areas_requirement(), acting_user=seller)
    with pytest.raises(Refused):
        services.system_delete(system=system, typed_name="river", acting_user=seller)


def test_nothing_that_did_not_fail_is_tried_again(seller: User) -> None:
    system = created(seller)
    with pytest.raises(Refused):
        services.system_retry(system=system, acting_user=seller)

    services.system_deploy(system=system, acting_user=seller)
    with pytest.raises(Refused):
        services.system_retry(system=system, acting_user=seller)


def test_performances_keep_their_ids_over_an_update(seller: User) -> None:
    system = created(seller, performances=[{"id": "eve", "starts_at": "2090-01-10T19:30:00+09:00"}])

    times = [{"starts_at": "2090-01-09T19:30:00+09:00"}, {"starts_at": "2090-01-10T19:30:00+09:00"}]
    services.system_update(system=system, requirement=areas_requirement(performances=times), acting_user=seller)

    assert [item["id"] for item in selectors.requirement_of(system)["performances"]] == ["p1", "eve"]


@pytest.mark.parametrize("model", [Requirement, Revision])
def test_what_was_asked_and_what_was_rendered_is_never_changed(seller: User, model: type[Requirement] | type[Revision]) -> None:
    system = created(seller)
    stored = system.requirement
    assert stored
    if model is Revision:
        row: Requirement | Revision = Revision(system=system, number=1, requirement=stored, plan={}, manifests=[])
        row.save()
    else:
        row = stored

    with pytest.raises(TypeError, match="never changed"):
        row.save()
    with pytest.raises(TypeError, match="never changed"):
        model.objects.get(pk=row.pk).save()


def test_another_sellers_system_is_not_found_and_an_admin_finds_all(seller: User) -> None:
    system = created(seller)
    stranger = User.objects.create_user("b@example.kr")
    admin = User.objects.create_user("admin@example.kr", role=Role.ADMIN)

    assert access.system_for(seller, system.pk, Need.OWN) == access.system_for(admin, str(system.pk), Need.OWN) == system
    assert list(access.systems_of(stranger)) == []
    assert list(access.systems_of(admin)) == [system]
    for wrong in (system.pk, "x", "", -1, "1 OR 1=1", "9" * 30, "１"):
        with pytest.raises(SystemNotFound):
            access.system_for(stranger if wrong == system.pk else seller, wrong, Need.VIEW)


def test_another_systems_operation_is_not_found(seller: User) -> None:
    one, other = created(seller), created(seller, slug="lake")
    operation = services.system_deploy(system=other, acting_user=seller)

    assert selectors.operation_for(other, operation.pk) == operation
    assert selectors.running_operation(other) == operation
    with pytest.raises(SystemNotFound):
        selectors.operation_for(one, operation.pk)


def test_lists_do_not_load_plans(seller: User, django_assert_num_queries: Any) -> None:
    for number in range(3):
        created(seller, slug=f"river-{number}")

    with django_assert_num_queries(1) as queries:
        assert [system.requirement.summary["venue"] for system in access.systems_of(seller)] == ["난지공원"] * 3  # type: ignore[union-attr]
    assert '"data"' not in queries[0]["sql"]


def test_a_preview_tells_what_would_run_and_what_it_costs_and_writes_nothing(seller: User) -> None:
    before = (BookingSystem.objects.count(), AuditRow.objects.count(), Requirement.objects.count())

    preview = services.requirement_preview(requirement=numbered_requirement(), seller=seller)

    assert preview.problems == ()
    assert {image.service for image in preview.chosen} == {"auth", "event", "merch", "seat", "ticket", "web"}
    assert all(image.why for image in preview.chosen)
    assert all(image.why_not for image in preview.near_misses)
    assert preview.summary["capacity"] == 4
    assert preview.summary["public_url"] == "http://little.localhost:8080"
    assert preview.cost
    assert preview.cost.per_month_krw > 0
    assert (BookingSystem.objects.count(), AuditRow.objects.count(), Requirement.objects.count()) == before


def test_a_preview_tries_a_new_one_on_the_runtime_and_leaves_nothing_there(seller: User, runtime: FakeRuntime) -> None:
    preview = services.requirement_preview(requirement=numbered_requirement(), seller=seller, runtime=runtime)

    assert preview.trial
    assert preview.trial.objects > 20
    assert preview.trial.refused is None
    assert preview.changes == ()
    assert runtime.systems == {}


def test_a_preview_of_an_update_has_what_the_runtime_finds_beside_what_was_asked(seller: User, runtime: FakeRuntime) -> None:
    system = deployed(numbered_requirement(), seller, runtime)
    runtime.changed_by("kubectl-edit", system.namespace, "Deployment", "web", "spec.replicas", 0)

    preview = services.requirement_preview(requirement=numbered_requirement(), seller=seller, system=system, runtime=runtime)

    assert [(change["kind"], change["name"]) for change in preview.changes] == [("Deployment", "web")]


def test_where_the_runtime_does_not_answer_the_preview_says_so_and_shows_what_the_manifests_tell(
    seller: User, runtime: FakeRuntime
) -> None:
    system = deployed(numbered_requirement(), seller, runtime)
    runtime.unavailable_for(1)

    preview = services.requirement_preview(requirement=numbered_requirement(payment="none"), seller=seller, system=system, runtime=runtime)

    assert preview.problems == ()
    assert preview.trial
    assert preview.trial.refused
    assert (preview.trial.refused.code, preview.trial.is_passing) == ("runtime_unavailable", True)
    assert "ticket" in {change["name"] for change in preview.changes}


def test_a_preview_of_something_bad_has_its_problems_and_never_raises(seller: User) -> None:
    for document in (None, [], {}, {"title": float("nan")}, areas_requirement(payment="x")):
        assert services.requirement_preview(requirement=document, seller=seller).problems


def test_where_no_image_fits_the_preview_says_which_is_missing_and_why_the_others_do_not(seller: User) -> None:
    Image.objects.filter(name="be-ticket-kakao").delete()

    preview = services.requirement_preview(requirement=areas_requirement(), seller=seller)

    assert [problem.code for problem in preview.problems] == ["no_image_fits"]
    assert preview.problems[0].params == {"service": "ticket", "missing": "kakaopay=yes"}
    assert [image.name for image in preview.near_misses] == ["be-ticket-no-kakao"]
    with pytest.raises(RequirementInvalid):
        created(seller)


def test_all_operations_of_a_system_have_generations_of_their_own(seller: User) -> None:
    system = created(seller)
    services.system_deploy(system=system, acting_user=seller)
    for number in range(3):
        services.system_update(system=system, requirement=areas_requirement(title=f"t{number}"), acting_user=seller)

    assert list(system.operations.values_list("generation", "state")) == [
        (4, "running"),
        (3, "superseded"),
        (2, "superseded"),
        (1, "superseded"),
    ]
    assert Operation.objects.filter(state=Operation.State.RUNNING).count() == 1
