"""Changing the keys of a live system: known everywhere first, then used, and the old ones good until what they signed has run out."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import OKPKey

from controlplane.accounts.models import User
from controlplane.lib.models import AuditRow
from controlplane.rendering.plan import from_json
from controlplane.runtime.errors import QuotaFull, RuntimeUnavailable
from controlplane.systems import keys, operating, rollouts, secrets, services, settling, staff_keys
from controlplane.systems.converge import converge
from controlplane.systems.errors import Refused
from controlplane.systems.models import BookingSystem, Operation, State, SystemSecret
from controlplane.systems.rotating import KNOWN_AT, OLD_KEYS_STAY
from tests.controlplane import SiteRuntime, numbered_requirement
from tests.integration.controlplane.looks import deployed, last, settle

pytestmark = pytest.mark.django_db(transaction=True)

SERVICES = {"auth", "event", "merch", "seat", "ticket", "web"}


@pytest.fixture(autouse=True)
def at_once(settings: Any) -> None:
    settings.MOUNT_DELAY_S = 0


@pytest.fixture
def live(seller: User, runtime: SiteRuntime) -> BookingSystem:
    return deployed(seller, runtime)


def given(system: BookingSystem, runtime: SiteRuntime) -> dict[str, dict[str, Any]]:
    """The Secrets as the runtime has them: name -> file -> JSON, of the files that are."""
    found = runtime.systems[system.namespace].secrets
    return {name: {file: json.loads(text) for file, text in files.items() if file.endswith(".json")} for name, files in found.items()}


def signing(system: BookingSystem, runtime: SiteRuntime) -> dict[str, str]:
    """Secret and file -> the id of the key that signs."""
    files = given(system, runtime)
    return {
        f"{name}/{file}": key["kid"] for name, of_one in files.items() for file, key in of_one.items() if "kid" in key and name != "trust"
    }


def trusted(system: BookingSystem, runtime: SiteRuntime) -> dict[str, set[str]]:
    """Issuer -> the ids of the keys that may sign for it."""
    found: dict[str, set[str]] = {}
    for key in given(system, runtime)["trust"]["jwks.json"]["keys"]:
        assert "d" not in key
        found.setdefault(key["clove_iss"], set()).add(key["kid"])
    return found


def others(system: BookingSystem, runtime: SiteRuntime) -> list[str]:
    """The ids of the keys besides its own by which a ticket's code is good."""
    found = given(system, runtime)["ticket-secrets"]["ticket-key-others.json"]["keys"]
    assert not [key for key in found if "d" in key]
    return [key["kid"] for key in found]


def later(system: BookingSystem, runtime: SiteRuntime) -> BookingSystem:
    """The time of the old keys is over."""
    BookingSystem.objects.filter(pk=system.pk).update(old_keys_until=timezone.now() - timedelta(seconds=1))
    return settle(system, runtime)


def restarts(system: BookingSystem) -> dict[str, int]:
    assert system.live_revision
    return {service.name: service.restarts for service in from_json(system.live_revision.plan).services}


def test_every_key_is_another_one_and_every_copy_is_replaced(live: BookingSystem, runtime: SiteRuntime, seller: User) -> None:
    before, were_trusted = signing(live, runtime), trusted(live, runtime)

    operation = operating.system_rotate_keys(system=live, acting_user=seller)
    settle(live, runtime)

    operation.refresh_from_db()
    assert (operation.kind, operation.state, live.state) == ("rotate", "succeeded", State.LIVE)
    now = signing(live, runtime)
    assert now.keys() == before.keys()
    assert not {name for name in now if now[name] == before[name]}
    assert restarts(live) == dict.fromkeys(SERVICES, 1)
    assert [step.name for step in operation.steps.all()] == [
        *("plan", "render", "trust", "preview", "apply", "start", "content", "check", "live")
    ]
    # Both are trusted, each for the issuer it was made for.
    both = trusted(live, runtime)
    assert both.keys() == were_trusted.keys()
    for issuer, kids in both.items():
        assert len(kids) == 2 * len(were_trusted[issuer])
        assert were_trusted[issuer] < kids
    auths = [key for key in given(live, runtime)["trust"]["jwks.json"]["keys"] if key["clove_iss"].endswith("/auth")]
    kinds = {key["kid"]: key.get("clove_kind") for key in auths}
    assert kinds == {
        now["auth-secrets/service-key.json"]: None,
        now["auth-secrets/token-key.json"]: None,
        before["auth-secrets/service-key.json"]: "service-key",
        before["auth-secrets/token-key.json"]: "token-key",
    }
    assert others(live, runtime) == [before["ticket-secrets/ticket-key.json"]]
    assert AuditRow.objects.filter(action="system.rotate", actor=seller).exists()


def test_what_a_service_derives_from_its_own_secret_stays(live: BookingSystem, runtime: SiteRuntime, seller: User) -> None:
    """Presale codes that were given out, and places in the queue, go by it (docs/decisions/0034)."""
    before = runtime.systems[live.namespace].secrets["seat-secrets"]["django-secret"]

    operation = operating.system_rotate_keys(system=live, acting_user=seller)
    settle(live, runtime)

    operation.refresh_from_db()
    assert operation.state == Operation.State.SUCCEEDED
    assert runtime.systems[live.namespace].secrets["seat-secrets"]["django-secret"] == before


def test_what_the_old_keys_signed_is_good_until_it_has_run_out_and_tickets_for_ever(
    live: BookingSystem, runtime: SiteRuntime, seller: User
) -> None:
    before = signing(live, runtime)
    operating.system_rotate_keys(system=live, acting_user=seller)
    settle(live, runtime)
    assert live.old_keys_until
    assert timedelta(minutes=11) < live.old_keys_until - timezone.now() <= OLD_KEYS_STAY

    settle(live, runtime)
    assert len(trusted(live, runtime)["clove"]) == 2
    later(live, runtime)

    now = signing(live, runtime)
    assert live.old_keys_until is None
    expected = {f"{live.namespace}/{name}": {now[f"{name}-secrets/service-key.json"]} for name in SERVICES}
    expected[f"{live.namespace}/auth"].add(now["auth-secrets/token-key.json"])
    found = trusted(live, runtime)
    assert {issuer: kids for issuer, kids in found.items() if issuer != "clove"} == expected
    assert len(found["clove"]) == 1
    assert others(live, runtime) == [before["ticket-secrets/ticket-key.json"]]
    assert [row.action for row in AuditRow.objects.filter(action__in=("system.old_keys", "system.repair"))] == ["system.old_keys"]
    applied = runtime.calls.count(("apply", live.namespace))
    settle(live, runtime)
    assert runtime.calls.count(("apply", live.namespace)) == applied


def test_the_next_key_is_known_everywhere_before_it_signs(live: BookingSystem, runtime: SiteRuntime, seller: User, settings: Any) -> None:
    settings.MOUNT_DELAY_S = 100
    before = signing(live, runtime)

    operation = operating.system_rotate_keys(system=live, acting_user=seller)
    for _ in range(3):
        converge(live.pk, runtime=runtime)
    live.refresh_from_db()
    operation.refresh_from_db()

    assert signing(live, runtime) == before
    assert restarts(live) == dict.fromkeys(SERVICES, 0)
    assert {len(kids) for issuer, kids in trusted(live, runtime).items() if not issuer.endswith("/auth")} == {2}
    assert len(others(live, runtime)) == 1  # scanners learn of it before the first ticket shows it
    step = operation.steps.get(name="trust")
    assert (step.state, step.message_code, step.message_params) == ("running", "step_trusting", {"seconds": 100})
    assert runtime.calls.count(("apply", live.namespace)) == 2
    published = others(live, runtime)

    operation.result |= {KNOWN_AT: (timezone.now() - timedelta(seconds=101)).isoformat()}
    operation.save()
    settle(live, runtime)

    assert signing(live, runtime)["ticket-secrets/ticket-key.json"] == published[0]
    assert last(live).state == "succeeded"


def test_waiting_for_it_is_no_standstill(live: BookingSystem, runtime: SiteRuntime, seller: User, settings: Any) -> None:
    settings.MOUNT_DELAY_S = 600
    operation = operating.system_rotate_keys(system=live, acting_user=seller)
    converge(live.pk, runtime=runtime)

    for waited_s in range(60, 600, 60):
        operation.refresh_from_db()
        then = (timezone.now() - timedelta(seconds=waited_s)).isoformat()
        operation.result |= {KNOWN_AT: then}
        operation.progress_at = timezone.now() - timedelta(seconds=119)
        operation.save()
        converge(live.pk, runtime=runtime)
        operation.refresh_from_db()
        assert operation.state == "running"
        assert timezone.now() - operation.progress_at < timedelta(seconds=60)


def test_a_clock_that_is_put_back_lengthens_neither_the_wait_nor_the_life_of_old_keys(
    live: BookingSystem, runtime: SiteRuntime, seller: User, settings: Any
) -> None:
    settings.MOUNT_DELAY_S = 100
    operation = operating.system_rotate_keys(system=live, acting_user=seller)
    converge(live.pk, runtime=runtime)
    operation.refresh_from_db()
    operation.result |= {KNOWN_AT: (timezone.now() + timedelta(hours=1)).isoformat()}
    operation.save()
    converge(live.pk, runtime=runtime)
    operation.refresh_from_db()
    assert operation.steps.get(name="trust").message_params == {"seconds": 100}

    settings.MOUNT_DELAY_S = 0
    settle(live, runtime)
    BookingSystem.objects.filter(pk=live.pk).update(old_keys_until=timezone.now() + timedelta(hours=1))
    settle(live, runtime)
    assert live.old_keys_until
    assert live.old_keys_until - timezone.now() <= OLD_KEYS_STAY
    assert len(trusted(live, runtime)["clove"]) == 2


def test_staff_go_by_the_systems_own_key_from_then_on(live: BookingSystem, runtime: SiteRuntime, seller: User) -> None:
    old = services.staff_token(system=live, user=seller, scopes=["content"])
    platforms = keys.staff_key()["kid"]
    operating.system_rotate_keys(system=live, acting_user=seller)
    settle(live, runtime)
    new = services.staff_token(system=live, user=seller, scopes=["content"])

    def by(kid: str) -> Any:
        bundle = given(live, runtime)["trust"]["jwks.json"]["keys"]
        return OKPKey.import_key(next(key for key in bundle if key["kid"] == kid))

    mine = next(kid for kid in trusted(live, runtime)["clove"] if kid != platforms)
    assert jwt.decode(old, by(platforms), algorithms=["EdDSA"]).claims["aud"] == live.namespace
    assert jwt.decode(new, by(mine), algorithms=["EdDSA"]).claims["sub"] == f"user:{seller.pk}"
    with pytest.raises(BadSignatureError):
        jwt.decode(new, by(platforms), algorithms=["EdDSA"])
    assert staff_keys.SECRET not in runtime.systems[live.namespace].secrets
    second = deployed(seller, runtime, numbered_requirement(title="Another", slug="another"))
    assert trusted(second, runtime)["clove"] == {platforms}


@pytest.mark.parametrize("method", ["apply", "preview"])
def test_a_runtime_that_is_away_only_delays_it(live: BookingSystem, runtime: SiteRuntime, seller: User, method: str) -> None:
    before = signing(live, runtime)
    runtime.raises(method, RuntimeUnavailable("away"), namespace=live.namespace, times=2)

    operating.system_rotate_keys(system=live, acting_user=seller)
    settle(live, runtime)

    assert last(live).state == "succeeded"
    assert not {name for name, kid in signing(live, runtime).items() if before[name] == kid}
    assert len(trusted(live, runtime)["clove"]) == 2


def test_one_that_fails_before_the_keys_are_used_leaves_the_old_ones_signing(
    live: BookingSystem, runtime: SiteRuntime, seller: User
) -> None:
    before = signing(live, runtime)
    runtime.raises("preview", QuotaFull("no room"), namespace=live.namespace)

    operating.system_rotate_keys(system=live, acting_user=seller)
    settle(live, runtime)
    settle(live, runtime)

    assert (last(live).state, live.state, live.old_keys_until) == ("failed", State.LIVE, None)
    assert signing(live, runtime) == before
    assert restarts(live) == dict.fromkeys(SERVICES, 0)
    next_one = others(live, runtime)
    services.system_retry(system=live, acting_user=seller)
    settle(live, runtime)
    assert signing(live, runtime)["ticket-secrets/ticket-key.json"] == next_one[0]


def test_one_whose_new_copies_do_not_start_keeps_both_trusted_until_one_succeeds(
    live: BookingSystem, runtime: SiteRuntime, seller: User
) -> None:
    before = trusted(live, runtime)
    runtime.will_fail(live.namespace, "seat")
    operating.system_rotate_keys(system=live, acting_user=seller)
    settle(live, runtime)
    runtime.recovers(live.namespace, "seat")
    settle(live, runtime)

    assert (last(live).state, live.state, live.old_keys_until) == ("failed", State.LIVE, None)
    found = trusted(live, runtime)
    assert all(before[issuer] < kids for issuer, kids in found.items())

    operating.system_rotate_keys(system=live, acting_user=seller)
    settle(live, runtime)
    assert all(before[issuer] < kids for issuer, kids in trusted(live, runtime).items())
    later(live, runtime)
    assert {len(kids) for issuer, kids in trusted(live, runtime).items() if not issuer.endswith("/auth")} == {1}
    assert len(others(live, runtime)) == 2


def test_another_change_in_its_midst_takes_its_place_and_nothing_is_distrusted(
    live: BookingSystem, runtime: SiteRuntime, seller: User
) -> None:
    before = trusted(live, runtime)
    runtime.ready_after = 5
    operating.system_rotate_keys(system=live, acting_user=seller)
    converge(live.pk, runtime=runtime)
    converge(live.pk, runtime=runtime)
    assert last(live).steps.filter(name="apply", state="done").exists()
    runtime.ready_after = 1

    services.system_update(system=live, requirement=numbered_requirement(title="Another"), acting_user=seller)
    settle(live, runtime)

    assert (last(live).kind, last(live).state, live.old_keys_until) == ("update", "succeeded", None)
    assert all(before[issuer] < kids for issuer, kids in trusted(live, runtime).items())


def test_it_is_held_and_goes_on_like_a_restart(live: BookingSystem, runtime: SiteRuntime, seller: User) -> None:
    operating.system_rotate_keys(system=live, acting_user=seller)
    rollouts.rollout_pause(system=live, acting_user=seller)
    before = signing(live, runtime)
    for _ in range(3):
        converge(live.pk, runtime=runtime)
    assert last(live).state == "running"
    assert signing(live, runtime) == before

    rollouts.rollout_resume(system=live, acting_user=seller)
    settle(live, runtime)
    assert last(live).state == "succeeded"
    assert signing(live, runtime) != before


def test_what_is_changed_or_rests_or_is_new_is_not_rotated(live: BookingSystem, runtime: SiteRuntime, seller: User) -> None:
    services.system_update(system=live, requirement=numbered_requirement(title="Another"), acting_user=seller)
    with pytest.raises(Refused, match="being changed just now"):
        operating.system_rotate_keys(system=live, acting_user=seller)
    settle(live, runtime)
    operating.system_suspend(system=live, acting_user=seller)
    settle(live, runtime)
    with pytest.raises(Refused, match="It is suspended"):
        operating.system_rotate_keys(system=live, acting_user=seller)
    new = services.system_create(requirement=numbered_requirement(slug="new"), acting_user=seller)
    with pytest.raises(Refused, match="never deployed"):
        operating.system_rotate_keys(system=new, acting_user=seller)


def test_the_key_of_an_image_that_has_no_place_for_those_of_before_stays(
    live: BookingSystem, runtime: SiteRuntime, seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controlplane.systems.rotating.OTHERS_KIND", "nothing is of it")
    before = signing(live, runtime)

    operating.system_rotate_keys(system=live, acting_user=seller)
    settle(live, runtime)

    now = signing(live, runtime)
    assert {name for name in now if now[name] == before[name]} == {"ticket-secrets/ticket-key.json"}


def test_another_process_sees_that_old_keys_are_gone(live: BookingSystem, runtime: SiteRuntime, seller: User) -> None:
    """The worker that took them off died before it applied."""
    operating.system_rotate_keys(system=live, acting_user=seller)
    settle(live, runtime)
    BookingSystem.objects.filter(pk=live.pk).update(old_keys_until=timezone.now() - timedelta(seconds=1))
    runtime.raises("apply", RuntimeUnavailable("away"), namespace=live.namespace)
    converge(live.pk, runtime=runtime)
    assert len(trusted(live, runtime)["clove"]) == 2
    live.refresh_from_db()
    settling._verified[live.pk] = live.live_fingerprint  # what a process believes that saw the old ones

    settle(live, runtime)

    assert len(trusted(live, runtime)["clove"]) == 1


def test_all_of_it_is_kept_sealed_and_goes_with_the_system(live: BookingSystem, runtime: SiteRuntime, seller: User) -> None:
    operating.system_rotate_keys(system=live, acting_user=seller)
    settle(live, runtime)

    for row in SystemSecret.objects.filter(system=live):
        assert b'"d"' not in bytes(row.sealed)
    revision = live.live_revision
    assert revision
    assert '"d":' not in json.dumps([revision.manifests, revision.plan])
    secrets.destroy(live)
    assert not SystemSecret.objects.filter(system=live).exists()


def test_the_command_rotates_one_system_after_the_other(
    live: BookingSystem, runtime: SiteRuntime, seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = deployed(seller, runtime, numbered_requirement(title="Another", slug="another"))
    begun = []

    def slept(_: float) -> None:
        running = Operation.objects.filter(state="running")
        begun.append([operation.system_id for operation in running])
        for operation in running:
            settle(operation.system, runtime)

    monkeypatch.setattr("controlplane.systems.management.commands.rotate_keys.time.sleep", slept)
    out = StringIO()
    call_command("rotate_keys", "--all", stdout=out)

    assert out.getvalue() == "little: succeeded\nanother: succeeded\n"
    assert begun == [[live.pk], [second.pk]]
    with pytest.raises(CommandError, match="nowhere"):
        call_command("rotate_keys", "little", "nowhere")
    with pytest.raises(CommandError, match="say --all"):
        call_command("rotate_keys")


@pytest.mark.parametrize("is_known", [False, True], ids=["at once", "while the new keys are made known"])
def test_a_system_whose_data_are_gone_gets_neither_new_keys_nor_an_empty_volume(
    live: BookingSystem, runtime: SiteRuntime, seller: User, settings: Any, is_known: bool
) -> None:
    settings.MOUNT_DELAY_S = 100
    settle(live, runtime)
    before = signing(live, runtime)
    operation = operating.system_rotate_keys(system=live, acting_user=seller)
    if is_known:
        converge(live.pk, runtime=runtime)
        operation.refresh_from_db()
        operation.result |= {KNOWN_AT: (timezone.now() - timedelta(seconds=101)).isoformat()}
        operation.save()
    runtime.loses_object(live.namespace, "PersistentVolumeClaim", "ticket-data")

    settle(live, runtime)

    assert last(live).state == "failed"
    assert "ticket-data" in last(live).reason
    assert signing(live, runtime) == before
    assert "ticket-data" not in runtime.systems[live.namespace].volumes
