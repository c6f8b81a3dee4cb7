"""What an admin does with a booking system from the console: asked, looked at, confirmed."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from controlplane import bootstrap
from controlplane.accounts.models import Role
from controlplane.lib.models import AuditRow
from controlplane.rendering.adjustments import Autoscale
from controlplane.runtime.errors import QuotaFull
from controlplane.runtime.port import Backup, Node
from controlplane.systems import operating, services
from controlplane.systems.converge import converge
from controlplane.systems.models import BookingSystem, Operation, State
from tests.controlplane import UNMEASURED, SiteRuntime, areas_requirement
from tests.unit.controlplane.pages import client_of, deployed, person, without_static_files

pytestmark = pytest.mark.django_db
SIZES = {"cpu_request_m": 50, "cpu_limit_m": 1000, "memory_request_mib": 96, "memory_limit_mib": 256, "scratch_mib": 128}
NUMBER = {"by": "number", "replicas": "1", "lowest": "1", "highest": "3", "cpu_percent": "70"}
ACTIONS = [
    "scale/web/",
    "move/web/",
    "restart/web/",
    "rotate/",
    "suspend/",
    "resume/",
    "rollback/1/",
    "pause/",
    "unpause/",
    "abandon/",
    "leave/",
    "mend/",
    "restore/",
    "reopen/",
]


@pytest.fixture(autouse=True)
def on_a_cluster(settings: Any) -> None:
    without_static_files(settings)
    settings.RUNTIME, settings.BOOKING_DATABASE = "fake", "mariadb"


@pytest.fixture
def fake(site: Any, monkeypatch: pytest.MonkeyPatch) -> SiteRuntime:
    ready = [Node(name, name != "n3", cpu_m=4000, memory_bytes=8 << 30) for name in ("n1", "n2", "n3")]
    runtime = SiteRuntime(site, nodes=tuple(ready))
    monkeypatch.setattr(bootstrap, "runtime", lambda: runtime)
    return runtime


@pytest.fixture
def live(seller: Any, fake: SiteRuntime) -> BookingSystem:
    return deployed(areas_requirement(), seller, fake)


@pytest.fixture
def admin(db: None) -> Client:
    return client_of(person("root@example.kr", role=Role.ADMIN))


def sizes_of(live: BookingSystem, service: str) -> dict[str, Any]:
    found = next(item for item in live.live_revision.plan["services"] if item["name"] == service)  # type: ignore[union-attr]
    return dict(found["resources"])


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def confirmation(answer: Any) -> dict[str, str]:
    """What the confirmation's form would send."""
    html = answer.content.decode().partition('class="confirm"')[2]
    hidden = re.findall(r'<input type="hidden"\s+name="([^"]+)"\s+value="([^"]*)">', html)
    return {**dict(hidden), "confirm": "yes"}


def test_the_page_shows_each_service_and_what_can_be_done(admin: Client, live: BookingSystem) -> None:
    shown = text_of(admin.get(f"/console/systems/{live.pk}/"))

    for word in ("Healthy", "1/1", "CPU", "n1", "Scale", "Move", "Restart", "Suspend", "Revision 1", "system.create", "Deploy"):
        assert word in shown


def test_an_autoscaler_that_does_nothing_is_told_beside_its_limits(
    admin: Client, live: BookingSystem, fake: SiteRuntime, seller: Any
) -> None:
    operating.system_scale(system=live, service="web", autoscale=Autoscale(1, 3, 70), acting_user=seller)
    for _ in range(3):
        converge(live.pk, runtime=fake)
    assert "scale by itself" not in text_of(admin.get(f"/console/systems/{live.pk}/"))
    fake.autoscaler_says(live.namespace, "web", UNMEASURED)

    shown = text_of(admin.get(f"/console/systems/{live.pk}/"))
    assert "1 to 3 at 70 % of the processor It does not scale by itself, for nothing measures what it uses (FailedGetResource" in shown
    korean = text_of(admin.get(f"/console/systems/{live.pk}/", headers={"Accept-Language": "ko"}))
    assert "자동으로 늘거나 줄지 않습니다. 사용량을 재는 것이 없습니다 (FailedGetResourceMetric)" in korean


def test_scaling_is_looked_at_and_then_done(admin: Client, live: BookingSystem, fake: SiteRuntime) -> None:
    address = f"/console/systems/{live.pk}/scale/web/"
    assert admin.get(address).status_code == 200

    looked = admin.post(address, {**NUMBER, **sizes_of(live, "web"), "replicas": "3"})

    assert "spec.replicas 1 3" in text_of(looked)
    assert "won a month" in text_of(looked)
    assert live.operations.count() == 1
    done = admin.post(address, confirmation(looked))
    assert done["Location"] == f"/console/systems/{live.pk}/"
    converge(live.pk, runtime=fake)
    live.refresh_from_db()
    assert live.adjustments["services"]["web"]["replicas"] == 3
    assert live.operations.first().kind == "scale"  # type: ignore[union-attr]
    assert "3/3" in text_of(admin.get(f"/console/systems/{live.pk}/"))


def test_an_autoscaler_takes_over_and_hands_back(admin: Client, live: BookingSystem, fake: SiteRuntime) -> None:
    address = f"/console/systems/{live.pk}/scale/web/"
    asked = {**NUMBER, **sizes_of(live, "web"), "by": "autoscale", "lowest": "2", "highest": "6", "cpu_percent": "60"}
    looked = admin.post(address, asked)
    assert "HorizontalPodAutoscaler web" in text_of(looked)
    admin.post(address, confirmation(looked))
    for _ in range(3):
        converge(live.pk, runtime=fake)
    assert "2 to 6 at 60 %" in text_of(admin.get(f"/console/systems/{live.pk}/"))

    looked = admin.post(address, {**asked, "by": "number", "replicas": "2"})
    assert "removed HorizontalPodAutoscaler web" in text_of(looked)


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        ({"replicas": "0"}, "replicas", "greater than or equal to 1"),
        ({"replicas": ""}, "replicas", "This is needed."),
        ({"replicas": "many"}, "replicas", "whole number"),
        ({"by": "autoscale", "lowest": "4", "highest": "2"}, "highest", "above the highest"),
        ({"by": "autoscale", "cpu_percent": "101"}, "cpu_percent", "less than or equal to 100"),
        ({"cpu_limit_m": "1"}, "cpu_limit_m", "less than what is requested"),
        ({"memory_limit_mib": ""}, "memory_limit_mib", "required"),
        ({"replicas": "11"}, "replicas", "10 is the most"),
        ({"by": "autoscale", "highest": "11"}, "highest", "10 is the most"),
        ({"cpu_limit_m": "64000"}, "cpu_limit_m", "one booking system may have 64"),
        ({"memory_limit_mib": "262144"}, "memory_limit_mib", "one booking system may have 32"),
    ],
)
def test_what_cannot_be_is_told_beside_its_field_and_stays_typed(
    admin: Client, live: BookingSystem, asked: dict[str, str], field: str, words: str
) -> None:
    typed = {**NUMBER, **sizes_of(live, "web"), "scratch_mib": "77", **asked}

    answer = admin.post(f"/console/systems/{live.pk}/scale/web/", typed)

    assert answer.status_code == 422
    beside = answer.content.decode().partition(f'id="id_{field}-error"')[2].partition("</p>")[0]
    assert words in beside
    assert 'value="77"' in answer.content.decode()
    assert live.operations.count() == 1


def test_nothing_to_change_is_said(admin: Client, live: BookingSystem) -> None:
    answer = admin.post(f"/console/systems/{live.pk}/scale/web/", {**NUMBER, **sizes_of(live, "web")})
    assert "how it runs already" in text_of(answer)
    assert "how it runs already" in text_of(admin.post(f"/console/systems/{live.pk}/move/web/", {"node": ""}))


def test_a_move_shows_the_nodes_with_what_runs_there(admin: Client, live: BookingSystem, fake: SiteRuntime) -> None:
    converge(live.pk, runtime=fake)
    address = f"/console/systems/{live.pk}/move/web/"

    shown = text_of(admin.get(address))

    assert "강변 페스티벌 : auth" in shown
    assert "4 cores, 8.0 GiB" in shown
    assert "not ready" in shown
    looked = admin.post(address, {"node": "n2"})
    assert "nodeAffinity" in text_of(looked)
    admin.post(address, confirmation(looked))
    live.refresh_from_db()
    assert live.adjustments["services"]["web"]["node"] == "n2"
    assert "no node n3" in text_of(admin.post(address, {"node": "n3"}))


@pytest.mark.parametrize(
    ("action", "kind"), [("restart/web/", "restart"), ("rotate/", "rotate"), ("suspend/", "suspend"), ("rollback/1/", "rollback")]
)
def test_what_needs_no_form_is_looked_at_at_once(admin: Client, live: BookingSystem, fake: SiteRuntime, action: str, kind: str) -> None:
    operating.system_scale(system=live, service="web", replicas=2, acting_user=live.seller)
    for _ in range(3):
        converge(live.pk, runtime=fake)
    address = f"/console/systems/{live.pk}/{action}"

    looked = admin.get(address)

    assert "Deployment web" in text_of(looked)
    assert live.operations.count() == 2
    assert admin.post(address, confirmation(looked)).status_code == 302
    assert live.operations.first().kind == kind  # type: ignore[union-attr]
    assert AuditRow.objects.filter(action=f"system.{kind}", actor__email="root@example.kr").exists()


def test_a_rollout_is_held_goes_on_and_is_given_up(admin: Client, live: BookingSystem, fake: SiteRuntime) -> None:
    page = f"/console/systems/{live.pk}/"
    fake.ready_after = 50
    operating.system_restart(system=live, service="web", acting_user=live.seller)
    converge(live.pk, runtime=fake)
    assert "Hold the rollout" in text_of(admin.get(page))

    looked = admin.get(f"{page}pause/")
    assert "goes on serving" in text_of(looked)
    assert admin.post(f"{page}pause/", confirmation(looked)).status_code == 302
    converge(live.pk, runtime=fake)
    shown = text_of(admin.get(page))
    assert "held since" in shown
    assert "2: 0/1 fe-ticket:1.0.0" in shown
    assert "Held by root@example.kr" in shown
    assert "Go on" in shown
    live.operations.filter(state="running").update(progress_at=live.created_at - timedelta(hours=1))
    overview = text_of(admin.get("/console/overview/"))
    assert "held" in overview
    assert "nothing moves" not in overview

    admin.post(f"{page}unpause/", confirmation(admin.get(f"{page}unpause/")))
    assert "under way since" in text_of(admin.get(page))
    operation = live.operations.first()
    assert operation
    assert "Held for" in text_of(admin.get(f"/console/systems/operation/{operation.pk}/change/"))
    admin.post(f"{page}abandon/", confirmation(admin.get(f"{page}abandon/")))
    shown = text_of(admin.get(page))
    assert "root@example.kr gave it up" in shown
    assert "system.abandon" in shown
    live.refresh_from_db()
    answer = admin.post(f"{page}pause/", {"confirm": "yes", "generation": live.generation})
    assert "No change is being rolled out" in text_of(answer)


def test_what_was_decided_about_an_older_state_is_not_done(admin: Client, live: BookingSystem) -> None:
    looked = admin.get(f"/console/systems/{live.pk}/restart/web/")
    services.system_update(system=live, requirement=areas_requirement(title="Another"), acting_user=live.seller)

    answer = admin.post(f"/console/systems/{live.pk}/restart/web/", confirmation(looked))

    assert answer.status_code == 422
    assert "changed meanwhile" in text_of(answer)
    assert live.operations.first().kind == "update"  # type: ignore[union-attr]


def test_what_the_runtime_would_refuse_is_said_before_anything_is_done(admin: Client, live: BookingSystem, fake: SiteRuntime) -> None:
    fake.raises("preview", QuotaFull("requests.cpu: used 3, limited 4"))
    assert "limited 4" in text_of(admin.get(f"/console/systems/{live.pk}/restart/web/"))
    fake.unavailable_for(1)
    assert "does not answer" in text_of(admin.get(f"/console/systems/{live.pk}/restart/web/"))
    fake.unavailable_for(1)
    assert "seen last" in text_of(admin.get(f"/console/systems/{live.pk}/"))


def test_a_refusal_is_shown_and_nothing_is_done(admin: Client, live: BookingSystem, seller: Any) -> None:
    assert "not suspended" in text_of(admin.get(f"/console/systems/{live.pk}/resume/"))
    draft = services.system_create(requirement=areas_requirement(slug="draft"), acting_user=seller)
    assert admin.get(f"/console/systems/{draft.pk}/").status_code == 200
    assert "never deployed" in text_of(admin.get(f"/console/systems/{draft.pk}/suspend/"))


def test_one_machine_offers_no_autoscaler(admin: Client, live: BookingSystem, settings: Any) -> None:
    settings.RUNTIME = "local"
    assert "here is one machine" in text_of(admin.get(f"/console/systems/{live.pk}/scale/web/"))
    answer = admin.post(f"/console/systems/{live.pk}/scale/web/", {**NUMBER, **sizes_of(live, "web"), "by": "autoscale"})
    assert "here is one machine" in text_of(answer)


@pytest.mark.parametrize("action", ["", *ACTIONS])
def test_nobody_but_an_admin_looks_or_acts(live: BookingSystem, seller: Any, action: str) -> None:
    address = f"/console/systems/{live.pk}/{action}"
    for client in (client_of(seller), Client()):
        for answer in (client.get(address), client.post(address, {"confirm": "yes", "generation": live.generation})):
            assert answer.status_code in (302, 403)
    assert live.operations.count() == 1


@pytest.mark.parametrize(
    "address", ["99999/", "99999/suspend/", "{pk}/explode/", "{pk}/scale/", "{pk}/scale/nothing/", "{pk}/rollback/99/", "{pk}/suspend/web/"]
)
def test_what_is_not_there_is_not_found(admin: Client, live: BookingSystem, address: str) -> None:
    assert admin.get(f"/console/systems/{address.format(pk=live.pk)}").status_code == 404


def test_a_confirmation_without_a_token_of_this_site_is_refused(live: BookingSystem) -> None:
    strict = client_of(person("other-root@example.kr", role=Role.ADMIN), enforce_csrf_checks=True)
    answer = strict.post(f"/console/systems/{live.pk}/suspend/", {"confirm": "yes", "generation": live.generation})
    assert answer.status_code == 403


def test_the_operations_page_says_health_in_words(admin: Client, live: BookingSystem, fake: SiteRuntime) -> None:
    converge(live.pk, runtime=fake)
    shown = text_of(admin.get("/console/overview/"))
    assert "Healthy: 1" in shown
    assert "ready: 1" not in shown


def test_what_hands_change_is_left_and_put_right_as_the_admin_says(admin: Client, live: BookingSystem, fake: SiteRuntime) -> None:
    page = f"/console/systems/{live.pk}/"
    admin.post(f"{page}leave/", confirmation(admin.get(f"{page}leave/")))
    fake.changed_by("kubectl-edit", live.namespace, "Deployment", "seat", "spec.replicas", 2)
    converge(live.pk, runtime=fake)
    shown = text_of(admin.get(page))
    assert "Deployment seat was changed by kubectl-edit." in shown
    assert "Put right what is changed by hand" in shown

    admin.post(f"{page}mend/", confirmation(admin.get(f"{page}mend/")))
    converge(live.pk, runtime=fake)

    assert "was changed by" not in text_of(admin.get(page)).partition("Audit trail")[0]
    assert [row.action for row in AuditRow.objects.order_by("-pk")[:3]] == ["system.repair", "system.mend_drift", "system.leave_drift"]


def test_what_a_controller_manages_is_named_and_taken_back_by_an_admin(admin: Client, live: BookingSystem, fake: SiteRuntime) -> None:
    page = f"/console/systems/{live.pk}/"
    assert "Nobody stands in its way any more." in text_of(admin.get(f"{page}take/"))
    fake.changed_by("their-operator", live.namespace, "Deployment", "seat", "spec.replicas", 3)
    converge(live.pk, runtime=fake)
    said = "Deployment seat: .spec.replicas is managed by their-operator."
    assert said in text_of(admin.get(page))
    asked = admin.get(f"{page}take/")
    assert said in text_of(asked)

    admin.post(f"{page}take/", confirmation(asked))
    converge(live.pk, runtime=fake)

    assert not fake.observe(live.ref).drift
    assert "is managed by" not in text_of(admin.get(page)).partition("Audit trail")[0]
    row = AuditRow.objects.get(action="system.take_back")
    assert (row.subject_id, row.details["owner"]) == (str(live.pk), "their-operator")
    assert admin.post(f"{page}take/", {"confirm": "yes", "generation": live.generation}).status_code == 422


@pytest.fixture
def bereft(live: BookingSystem, fake: SiteRuntime) -> BookingSystem:
    """A system whose namespace somebody deleted."""
    converge(live.pk, runtime=fake)
    fake.delete(live.ref)
    converge(live.pk, runtime=fake)
    live.refresh_from_db()
    assert live.state == State.DATA_GONE
    return live


def test_what_is_left_of_a_system_without_its_data_is_said_with_the_ways_on(admin: Client, bereft: BookingSystem) -> None:
    html = admin.get(f"/console/systems/{bereft.pk}/").content.decode()

    assert "not there any more (mariadb-data)" in html
    assert "The volume with its backups is gone as well" in html
    for address in (f"/console/systems/{bereft.pk}/restore/", f"/console/systems/{bereft.pk}/reopen/", f"/systems/{bereft.pk}/delete"):
        assert f'href="{address}"' in html
    assert f'href="/console/systems/{bereft.pk}/suspend/"' not in html
    assert bereft.title in text_of(admin.get("/console/overview/"))


def test_a_backup_is_put_back_after_it_was_confirmed(admin: Client, bereft: BookingSystem, fake: SiteRuntime) -> None:
    address = f"/console/systems/{bereft.pk}/restore/"
    assert 'value="latest"' in admin.get(address).content.decode()
    refused = admin.post(address, {"backup": "../x", "confirm": "yes", "generation": bereft.generation})
    assert (refused.status_code, "not the name of a backup" in text_of(refused)) == (422, True)

    looked = admin.post(address, {"backup": "latest"})
    assert "What was sold since that backup is in no record" in text_of(looked)
    assert not bereft.operations.filter(kind=Operation.Kind.RESTORE).exists()
    assert admin.post(address, confirmation(looked)).status_code == 302

    assert bereft.operations.get(kind=Operation.Kind.RESTORE).result["backup"] == "latest"


def test_a_backup_is_put_back_into_a_system_that_rests(admin: Client, live: BookingSystem, fake: SiteRuntime) -> None:
    page, address = f"/console/systems/{live.pk}/", f"/console/systems/{live.pk}/restore/"
    assert f'href="{address}"' not in admin.get(page).content.decode()
    refused = admin.post(address, {"backup": "latest", "confirm": "yes", "generation": live.generation})
    assert (refused.status_code, "Suspend it first" in text_of(refused)) == (422, True)

    operating.system_suspend(system=live, acting_user=live.seller)
    for _ in range(3):
        converge(live.pk, runtime=fake)
    assert f'href="{address}"' in admin.get(page).content.decode()
    assert admin.post(address, confirmation(admin.post(address, {"backup": "latest"}))).status_code == 302
    resumed = admin.post(f"/console/systems/{live.pk}/resume/", {})
    assert (resumed.status_code, "A backup is being put back" in text_of(resumed)) == (422, True)


def test_going_on_without_data_wants_the_title_typed_and_is_confirmed(admin: Client, bereft: BookingSystem, fake: SiteRuntime) -> None:
    address = f"/console/systems/{bereft.pk}/reopen/"
    assert admin.post(address, {"typed_name": "another"}).status_code == 422

    looked = admin.post(address, {"typed_name": bereft.title, "rests": "on"})
    assert "every seat is for sale again" in text_of(looked)
    assert "Let its services rest: yes" in text_of(looked)
    assert admin.post(address, confirmation(looked)).status_code == 302
    for _ in range(3):
        converge(bereft.pk, runtime=fake)

    bereft.refresh_from_db()
    assert bereft.state == State.SUSPENDED


def test_a_system_that_has_its_data_is_not_opened_without_them(admin: Client, live: BookingSystem) -> None:
    answer = admin.post(f"/console/systems/{live.pk}/reopen/", {"typed_name": live.title, "confirm": "yes", "generation": live.generation})

    assert (answer.status_code, "Its data are there" in text_of(answer)) == (422, True)


def test_backups_that_fail_or_are_overdue_are_shown_to_the_admin(admin: Client, live: BookingSystem, fake: SiteRuntime) -> None:
    fake.backs_up(live.namespace, Backup("2026-11-20T19:00:00Z", "2026-11-21T19:00:30Z", "The volume for the backups is full."))
    converge(live.pk, runtime=fake)
    page, overview = text_of(admin.get(f"/console/systems/{live.pk}/")), text_of(admin.get("/console/overview/"))
    assert "The backup of 2026-11-22 04:00 failed. The volume for the backups is full." in page
    assert "Last good backup: 2026-11-21 04:00" in page
    assert "The volume for the backups is full." in overview

    fake.backs_up(live.namespace, Backup(timezone.now().isoformat()))
    converge(live.pk, runtime=fake)
    assert "backup" not in text_of(admin.get("/console/overview/"))
    BookingSystem.objects.filter(pk=live.pk).update(
        live_at=timezone.now() - timedelta(days=9), backup=asdict(Backup("2026-11-01T19:00:00Z"))
    )
    assert "No backup was made for more than a day." in text_of(admin.get("/console/overview/"))


def test_an_admin_gives_one_seller_other_limits(admin: Client, live: BookingSystem) -> None:
    address = f"/console/sellers/{live.seller_id}/limits/"
    page = text_of(admin.get(address))
    assert "Booking systems: 1 of 60 run" in page
    assert "Everybody: 60" in page
    assert address in admin.get(f"/console/accounts/user/{live.seller_id}/change/").content.decode()

    said = {"systems": "3", "cpu": "", "memory_gib": "", "system_cpu": "", "system_memory_gib": "", "copies": "12"}
    assert admin.post(address, said).status_code == 302
    assert "Booking systems: 1 of 3 run" in text_of(admin.get(address))
    row = AuditRow.objects.get(action="user.caps")
    assert row.details["after"] == {"systems": 3, "copies": 12}
    operating.system_scale(system=live, service="web", replicas=12, acting_user=live.seller)


@pytest.mark.parametrize("wrong", [{"systems": "-1"}, {"copies": "21"}, {"cpu": "many"}])
def test_limits_that_cannot_be_are_told_beside_their_field(admin: Client, live: BookingSystem, wrong: dict[str, str]) -> None:
    answer = admin.post(f"/console/sellers/{live.seller_id}/limits/", wrong)

    assert answer.status_code == 422
    assert "field--wrong" in answer.content.decode()
    assert not AuditRow.objects.filter(action="user.caps").exists()


def test_limits_are_an_admins_to_see_and_change(live: BookingSystem) -> None:
    address = f"/console/sellers/{live.seller_id}/limits/"
    browser = client_of(live.seller)

    assert [browser.get(address).status_code, browser.post(address, {"systems": "9"}).status_code] in ([302, 302], [403, 403])
    assert not AuditRow.objects.filter(action="user.caps").exists()
    assert client_of(person("root2@example.kr", role=Role.ADMIN)).get("/console/sellers/999999/limits/").status_code == 404
