"""The database in a plan and in the manifests: a server in the namespace, or schemas on one outside."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking_templates import catalog
from controlplane.rendering import render as rendering
from controlplane.rendering.adjustments import Adjustments
from controlplane.rendering.choose import choose
from controlplane.rendering.database import DatabaseChoice, outside_schema, script, standing
from controlplane.rendering.images import from_labels
from controlplane.rendering.plan import Plan, Platform, Restore, Site, from_json, make_plan
from controlplane.rendering.render import amounts, render
from controlplane.rendering.requirement import Requirement, validate
from controlplane.rendering.schema import BadObject
from tests.controlplane import areas_requirement, numbered_requirement

IMAGE = "registry.example/mariadb@sha256:" + "ab" * 32
INSIDE = DatabaseChoice(image=IMAGE)
OUTSIDE = DatabaseChoice(host="db.example", port=3307, networks=("203.0.113.0/24",))
SITE = Site(77, "clove-77", "3", "little", "little.localhost", "http://little.localhost:8080")
POOL = [from_labels(ref=entry.ref, labels=entry.labels) for entry in catalog.IMAGES]
STATEFUL = {"auth", "event", "merch", "seat", "ticket"}


def plan_of(choice: DatabaseChoice | None, *, live: Plan | None = None, adjustments: Adjustments | None = None, **changes: Any) -> Plan:
    requirement = validate(numbered_requirement(**changes))
    assert isinstance(requirement, Requirement), requirement
    platform = Platform("Asia/Seoul", "ko", {}, "clove-gateway", "clove", choice)
    images = choose(POOL, requirement.facts).images
    return make_plan(requirement, images, site=SITE, platform=platform, live=live, adjustments=adjustments)


def objects_of(plan: Plan) -> dict[tuple[str, str], dict[str, Any]]:
    return {(item["kind"], item["metadata"]["name"]): item for item in render(plan)}


def test_without_a_choice_every_service_keeps_a_file_and_nothing_of_a_server_is_rendered() -> None:
    plan = plan_of(None)

    assert plan.database is None
    assert not {"StatefulSet", "Job", "CronJob"} & {item["kind"] for item in render(plan)}
    assert all("CLOVE_DATABASE" in service.env for service in plan.services if service.name in STATEFUL)


def test_each_stateful_service_has_its_address_in_its_own_secret_and_no_volume() -> None:
    plan = plan_of(INSIDE)
    objects = objects_of(plan)

    for service in plan.services:
        is_stateful = service.name in STATEFUL
        assert service.env.get("CLOVE_DATABASE_FILE") == ("/etc/clove/secrets/database-url" if is_stateful else None)
        assert service.secret_files.get("database-url") == ("database-url" if is_stateful else None)
        assert "CLOVE_DATABASE" not in service.env
    assert {name for kind, name in objects if kind == "PersistentVolumeClaim"} == {"mariadb-data", "mariadb-backups"}


def test_only_the_pods_of_the_server_mount_its_secrets() -> None:
    mounted: dict[str, set[str]] = {}
    for (kind, name), item in objects_of(plan_of(INSIDE)).items():
        spec = item["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else item.get("spec", {})
        if "template" in spec:
            volumes = spec["template"]["spec"]["volumes"]
            mounted[name] = {volume["secret"]["secretName"] for volume in volumes if "secret" in volume}

    assert {name for name, secrets in mounted.items() if "mariadb-secrets" in secrets} == {"mariadb", setup_of(plan_of(INSIDE))}
    assert mounted["mariadb-backup"] == {"mariadb-backup"}
    assert all(mounted[name] == {f"{name}-secrets", "trust"} for name in (*STATEFUL, "web"))


def test_every_pod_of_the_database_is_restricted_and_bounded() -> None:
    objects = objects_of(plan_of(INSIDE))
    pods = [item["spec"]["template"]["spec"] for (kind, _), item in objects.items() if kind in ("StatefulSet", "Job")]
    pods += [item["spec"]["jobTemplate"]["spec"]["template"]["spec"] for (kind, _), item in objects.items() if kind == "CronJob"]

    assert len(pods) == 3
    for pod in pods:
        container = pod["containers"][0]
        assert pod["securityContext"]["runAsUser"] >= 10_000
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert set(container["resources"]["limits"]) == {"cpu", "memory", "ephemeral-storage"}
        assert container["image"] == IMAGE


def test_the_quota_and_the_limits_have_room_for_the_server_its_setup_and_a_backup() -> None:
    inside, files = plan_of(INSIDE), plan_of(None)
    objects = objects_of(inside)
    hard = objects["ResourceQuota", "booking"]["spec"]["hard"]

    assert int(hard["pods"]) == files.total(surge=True)["pods"] + 3
    assert hard["persistentvolumeclaims"] == "2"
    server = objects["StatefulSet", "mariadb"]["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert objects["LimitRange", "booking"]["spec"]["limits"][0]["max"] == server


def setup_of(plan: Plan) -> str:
    """Name of the Job that makes schemas and users."""
    (name,) = (name for kind, name in objects_of(plan) if kind == "Job")
    return name


def test_the_setup_is_another_job_when_the_schemas_are_others() -> None:
    with_shop, without_shop = plan_of(INSIDE), plan_of(INSIDE, merchandise=False, products=[])

    assert setup_of(with_shop) == setup_of(plan_of(INSIDE, title="another"))
    assert setup_of(with_shop) != setup_of(without_shop)


def test_the_setup_is_another_job_when_a_release_renders_it_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Job never changes: every later change of a live system would be refused."""
    now = setup_of(plan_of(INSIDE))
    monkeypatch.setattr(rendering, "amounts", lambda resources: amounts(dataclasses.replace(resources, scratch_mib=77)))
    assert setup_of(plan_of(INSIDE)) != now


def test_a_system_stays_where_its_data_are_whatever_the_platform_chooses_now() -> None:
    files, inside, outside = plan_of(None), plan_of(INSIDE), plan_of(OUTSIDE)

    assert plan_of(INSIDE, live=files) == files
    assert plan_of(None, live=inside) == inside
    assert plan_of(OUTSIDE, live=inside) == inside
    assert plan_of(INSIDE, live=outside) == outside


def test_the_schema_of_a_service_that_left_stays_and_is_backed_up_and_no_volume_shrinks() -> None:
    before = plan_of(INSIDE)
    after = plan_of(INSIDE, live=before, merchandise=False, products=[])
    assert before.database
    assert before.database.server
    assert after.database
    assert after.database.server

    assert after.service("merch") is None
    assert after.database.schemas == before.database.schemas
    assert after.database.server.storage_mib == before.database.server.storage_mib
    backup = objects_of(after)["CronJob", "mariadb-backup"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "SCHEMAS", "value": "auth event merch seat ticket"} in backup["env"]


def test_another_image_reaches_a_system_at_its_next_change() -> None:
    newer = DatabaseChoice(image="registry.example/mariadb@sha256:" + "cd" * 32, backups_kept=3)
    after = plan_of(newer, live=plan_of(INSIDE)).database
    assert after
    assert after.server

    assert (after.server.image, after.server.backups_kept) == (newer.image, 3)


@pytest.mark.parametrize(
    ("runs", "chosen", "wanted"),
    [
        ("mariadb:11.8", "mariadb:11.4", "mariadb:11.8"),
        (
            "docker.io/library/mariadb:11.10.2@sha256:" + "a" * 64,
            "docker.io/library/mariadb:11.9",
            "docker.io/library/mariadb:11.10.2@sha256:" + "a" * 64,
        ),
        ("mariadb:11.4", "mariadb:11.8", "mariadb:11.8"),
        ("mariadb:11.4", "mariadb:11", "mariadb:11"),
        ("mariadb:11.4", "mirror.example:5000/mariadb:11.4", "mirror.example:5000/mariadb:11.4"),
        ("mirror.example:5000/mariadb", "mariadb:11.4", "mariadb:11.4"),
        ("mysql:9.1", "mariadb:11.4", "mariadb:11.4"),
        (IMAGE, "mariadb:11.4", "mariadb:11.4"),
    ],
)
def test_a_server_never_becomes_an_older_one_as_far_as_tags_tell(runs: str, chosen: str, wanted: str) -> None:
    after = plan_of(DatabaseChoice(image=chosen), live=plan_of(DatabaseChoice(image=runs))).database
    assert after
    assert after.server

    assert after.server.image == wanted


def test_what_goes_back_keeps_the_server_its_room_and_every_schema() -> None:
    old = plan_of(INSIDE, merchandise=False, products=[]).database
    stands = plan_of(DatabaseChoice(image="mariadb:11.8"), live=plan_of(INSIDE)).database
    assert old
    assert stands
    assert stands.server

    assert standing(old, stands) == stands
    assert standing(stands, old) == dataclasses.replace(old, schemas=stands.schemas)
    assert standing(None, stands) is None
    assert standing(old, None) == old


def test_a_server_outside_is_reached_at_its_networks_alone_and_nothing_runs_in_the_namespace() -> None:
    plan = plan_of(OUTSIDE)
    objects = objects_of(plan)

    assert not {"StatefulSet", "Job", "CronJob", "PersistentVolumeClaim"} & {kind for kind, _ in objects}
    assert {"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}], "ports": [{"protocol": "TCP", "port": 3307}]} in objects[
        "NetworkPolicy", "seat"
    ]["spec"]["egress"]
    assert "egress" not in objects["NetworkPolicy", "web"]["spec"] or not [
        rule for rule in objects["NetworkPolicy", "web"]["spec"]["egress"] if rule["ports"][0]["port"] == 3307
    ]


@given(st.integers(min_value=1, max_value=10**9), st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?\Z"))
def test_names_on_a_shared_server_are_short_and_nobody_elses(number: int, service: str) -> None:
    name = outside_schema(f"clove-{number}", service)

    assert len(name) <= 32
    assert name != outside_schema(f"clove-{number + 1}", service)
    assert name != outside_schema(f"clove-{number}", f"{service}x")
    marked = outside_schema(f"clove-{number}", service, "0a1b2c")
    assert len(marked) <= 32
    assert len({name, marked, outside_schema(f"clove-{number}", service, "0a1b2d")}) == 3


def test_a_system_keeps_the_names_of_its_schemas_and_a_service_that_joins_gets_one_of_this_platform() -> None:
    live = plan_of(OUTSIDE, merchandise=False, products=[])
    now = plan_of(dataclasses.replace(OUTSIDE, mark="0a1b2c"), live=live)

    assert live.database
    assert now.database
    assert now.database.schemas == live.database.schemas | {"merch": "clove-77-0a1b2c-merch"}


def test_a_plan_of_before_has_no_database_and_reads_on() -> None:
    document = plan_of(None).to_json()
    del document["database"]

    assert from_json(json.loads(json.dumps(document))) == plan_of(None)
    assert from_json(json.loads(json.dumps(plan_of(INSIDE).to_json()))) == plan_of(INSIDE)


def test_a_server_of_before_starts_as_it_did_and_so_is_not_restarted() -> None:
    plan = plan_of(INSIDE)
    document = json.loads(json.dumps(plan.to_json()))
    del document["database"]["server"]["is_made_whole"]
    before = from_json(document)
    new, old = (objects_of(each)["StatefulSet", "mariadb"]["spec"]["template"]["spec"] for each in (plan, before))

    assert new["containers"][0]["command"] == ["bash", "/etc/clove/scripts/start.sh"]
    assert {item["key"] for volume in new["volumes"] for item in volume.get("secret", {}).get("items", [])} == {"first.sql", "probe.cnf"}
    assert "command" not in old["containers"][0]
    assert {item["key"] for volume in old["volumes"] for item in volume.get("secret", {}).get("items", [])} == {
        "root-password",
        "probe.cnf",
    }
    carried = plan_of(INSIDE, live=before)
    assert objects_of(carried)["StatefulSet", "mariadb"] == objects_of(before)["StatefulSet", "mariadb"]


def test_a_sellers_text_is_nowhere_in_what_the_databases_pods_run() -> None:
    plan = dataclasses.replace(plan_of(INSIDE), title="$(reboot)")
    kinds = ("StatefulSet", "Job", "CronJob", "ConfigMap")

    assert "reboot" not in json.dumps([item for (kind, _), item in objects_of(plan).items() if kind in kinds])


@pytest.mark.parametrize("name", ["setup.sh", "start.sh", "backup.sh", "restore.sh"])
def test_scripts_stop_at_the_first_thing_that_fails(name: str) -> None:
    assert script(name).startswith("#!/bin/bash\n")
    assert "\nset -euo pipefail\n" in script(name)


def test_areas_without_payment_have_schemas_for_what_they_run() -> None:
    requirement = validate(areas_requirement(payment="none"))
    assert isinstance(requirement, Requirement)
    platform = Platform("Asia/Seoul", "ko", {}, "clove-gateway", "clove", INSIDE)
    plan = make_plan(requirement, choose(POOL, requirement.facts).images, site=SITE, platform=platform)
    assert plan.database

    assert set(plan.database.schemas) == STATEFUL - {"merch"}


def with_restore(backup: str, choice: DatabaseChoice | None = INSIDE) -> Plan:
    return dataclasses.replace(plan_of(choice), restore=Restore(backup, 41))


def test_a_restore_runs_as_restricted_as_the_rest_and_its_name_of_a_file_cannot_be_another() -> None:
    jobs = {item["metadata"]["name"]: item for item in render(with_restore("clove-20270110T040000Z.sql.gz")) if item["kind"] == "Job"}
    job, setup = jobs["mariadb-restore-41"], jobs[setup_of(plan_of(INSIDE))]
    pod, other = job["spec"]["template"]["spec"], setup["spec"]["template"]["spec"]

    assert {"name": "BACKUP", "value": "clove-20270110T040000Z.sql.gz"} in pod["containers"][0]["env"]
    assert {"name": "RESTORE", "value": "41"} in pod["containers"][0]["env"]
    assert {"name": "SCHEMAS", "value": "auth event merch seat ticket"} in pod["containers"][0]["env"]
    assert pod["securityContext"] == other["securityContext"]
    assert pod["containers"][0]["securityContext"] == other["containers"][0]["securityContext"]
    for name in ("../x", "clove-20270110T040000Z.sql", "latest; reboot", ""):
        with pytest.raises(BadObject, match="not the name of a backup"):
            render(with_restore(name))
    with pytest.raises(BadObject, match="no database server"):
        render(with_restore("latest", None))


def test_a_plan_that_begins_with_a_backup_has_its_job_among_what_is_waited_for() -> None:
    plain = plan_of(INSIDE)
    plan = from_json(with_restore("latest").to_json())

    (job,) = [item for item in render(plan) if item not in render(plain)]

    assert job["metadata"]["name"] == "mariadb-restore-41"
    assert job["metadata"]["labels"] == job["spec"]["template"]["metadata"]["labels"]
    assert job["metadata"]["labels"]["clove.dev/system"] == str(plan.system_id)
    older = plain.to_json()
    del older["restore"]
    assert from_json(older) == plain


def test_a_server_outside_that_is_somewhere_unknown_is_reached_by_nobody_and_all_the_rest_is_as_ever() -> None:
    unknown = objects_of(plan_of(dataclasses.replace(OUTSIDE, networks=())))
    known = objects_of(plan_of(OUTSIDE))

    assert known.keys() == unknown.keys()
    for name in STATEFUL:
        ways = unknown["NetworkPolicy", name]["spec"].get("egress", [])
        assert [way for way in known["NetworkPolicy", name]["spec"]["egress"] if way not in ways] == [
            {"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}], "ports": [{"protocol": "TCP", "port": 3307}]}
        ]


def test_the_server_comes_back_though_the_one_in_its_place_never_started() -> None:
    # https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
    assert objects_of(plan_of(INSIDE))["StatefulSet", "mariadb"]["spec"]["podManagementPolicy"] == "Parallel"
