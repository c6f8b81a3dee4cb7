"""Rendering: manifests from a plan, whatever a seller typed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from booking_templates import catalog
from controlplane.rendering import schema
from controlplane.rendering.choose import choose
from controlplane.rendering.diff import revision_diff
from controlplane.rendering.images import from_labels
from controlplane.rendering.plan import Plan, Platform, Site, from_json, make_plan
from controlplane.rendering.render import ORDER, TEMPLATES, as_json, render, to_yaml
from controlplane.rendering.requirement import Requirement, validate
from tests.controlplane import areas_requirement, numbered_requirement

SITE = Site(17, "clove-17", "3", "little", "little.localhost", "http://little.localhost:8080")
PLATFORM = Platform("Asia/Seoul", "ko", {"kakaopay": {"KAKAOPAY_URL": "http://127.0.0.1:8090"}}, "clove-gateway", "clove")
POOL = [from_labels(ref=entry.ref, labels=entry.labels) for entry in catalog.IMAGES]


def plan_of(document: dict[str, Any]) -> Plan:
    requirement = validate(document)
    assert isinstance(requirement, Requirement), requirement
    return make_plan(requirement, choose(POOL, requirement.facts).images, site=SITE, platform=PLATFORM)


PLAN = plan_of(numbered_requirement())


def of_kind(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {item["metadata"]["name"]: item for item in objects if item["kind"] == kind}


def structure(value: Any) -> Any:
    """VALUE with every text replaced by its type: what hostile text must not change."""
    if isinstance(value, dict):
        return {key: structure(item) for key, item in value.items()}
    if isinstance(value, list):
        return [structure(item) for item in value]
    return type(value).__name__


def test_the_same_plan_renders_to_the_same_bytes() -> None:
    assert to_yaml(render(PLAN)) == to_yaml(render(from_json(json.loads(json.dumps(PLAN.to_json())))))


def test_a_plan_survives_its_json() -> None:
    assert from_json(json.loads(json.dumps(PLAN.to_json()))) == PLAN


def test_what_is_printed_reads_back_as_the_objects() -> None:
    assert list(yaml.safe_load_all(to_yaml(render(PLAN)))) == render(PLAN)


def test_objects_come_after_those_they_refer_to() -> None:
    kinds = [item["kind"].lower() for item in render(PLAN)]

    assert kinds == sorted(kinds, key=ORDER.index)
    assert kinds[0] == "namespace"


def test_every_template_is_rendered() -> None:
    assert {path.name.removesuffix(".yaml.j2") for path in TEMPLATES.iterdir()} == set(ORDER)


def test_every_object_but_the_namespace_lies_in_it_and_carries_the_labels() -> None:
    for item in render(PLAN):
        labels = item["metadata"]["labels"]
        assert item["kind"] == "Namespace" or item["metadata"]["namespace"] == "clove-17"
        assert labels["app.kubernetes.io/managed-by"] == "clove"
        assert (labels["clove.dev/system"], labels["clove.dev/seller"]) == ("17", "3")


@pytest.fixture(scope="module")
def harmless() -> Any:
    return structure(render(PLAN))


@given(title=st.text(min_size=1, max_size=200))
def test_no_title_changes_the_structure_or_itself(harmless: Any, title: str) -> None:
    hostile = render(dataclasses.replace(PLAN, title=title))

    assert structure(hostile) == harmless
    assert hostile[0]["metadata"]["annotations"]["clove.dev/title"] == title


@pytest.mark.parametrize(
    "title",
    [
        'x"}}\nkind: Secret',
        "---\napiVersion: v1",
        "{{ plan.namespace }}{% raw %}",
        "!!python/object/apply:os.system [id]",
        "&a [*a]",
        "a\u2028b\u2029c\x85d\x7fe\ufefff\ufffe",
        "\U0001f600 🎭 뮤지컬",
        "y",
        "null",
        "~",
        "0x1F",
        "  leading: and trailing # ",
        "\\u0000 \\n",
    ],
)
def test_known_tricks_stay_text(title: str) -> None:
    hostile = render(dataclasses.replace(PLAN, title=title))

    assert structure(hostile) == structure(render(PLAN))
    assert hostile[0]["metadata"]["annotations"]["clove.dev/title"] == title
    assert list(yaml.safe_load_all(to_yaml(hostile))) == hostile


def test_a_value_that_is_not_there_stops_the_rendering() -> None:
    with pytest.raises(ValueError, match="not there"):
        as_json(None)


def test_a_template_that_names_what_is_not_there_fails() -> None:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, finalize=as_json, autoescape=False)  # as render's

    with pytest.raises(jinja2.UndefinedError):
        environment.from_string("{{ plan.nothing }}").render(plan=PLAN)


def test_pods_are_restricted_bounded_and_probed() -> None:
    deployments = of_kind(render(PLAN), "Deployment")

    assert set(deployments) == {"auth", "event", "merch", "seat", "ticket", "web"}
    for deployment in deployments.values():
        pod = deployment["spec"]["template"]["spec"]
        container = pod["containers"][0]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsUser"] >= 10_000
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        for amounts in container["resources"].values():
            assert set(amounts) == {"cpu", "memory", "ephemeral-storage"}
        assert {container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "startupProbe")} == {"/healthz"}
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert container["lifecycle"]["preStop"]["sleep"]["seconds"] < pod["terminationGracePeriodSeconds"]
        assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_secrets_are_referred_to_and_never_written() -> None:
    objects = render(PLAN)
    volumes = of_kind(objects, "Deployment")["auth"]["spec"]["template"]["spec"]["volumes"]

    assert [volume["secret"]["secretName"] for volume in volumes if "secret" in volume] == ["auth-secrets", "trust"]
    assert not of_kind(objects, "Secret")
    assert PLAN.service("auth").secret_files == {  # type: ignore[union-attr]
        "django-secret": "random",
        "mail-url": "mail",
        "service-key.json": "service-key",
        "token-key.json": "token-key",
    }


def test_a_service_gets_the_address_of_each_peer_that_is_there_and_the_providers_only_if_it_pays() -> None:
    def env(plan: Plan, service: str) -> dict[str, str]:
        container = of_kind(render(plan), "Deployment")[service]["spec"]["template"]["spec"]["containers"][0]
        return {item["name"]: item["value"] for item in container["env"]}

    without_merch = plan_of(numbered_requirement(merchandise=False, products=[]))

    assert env(PLAN, "auth")["CLOVE_PEER_MERCH"] == "http://merch:8000"
    assert "CLOVE_PEER_MERCH" not in env(without_merch, "auth")
    assert "KAKAOPAY_URL" in env(PLAN, "ticket")
    assert "KAKAOPAY_URL" not in env(PLAN, "seat")
    assert env(PLAN, "seat")["CLOVE_DATABASE"] == "sqlite:////var/lib/clove/db.sqlite3"
    assert "CLOVE_DATABASE" not in env(PLAN, "web")


def test_stateful_services_have_a_volume_and_the_pages_have_none() -> None:
    assert set(of_kind(render(PLAN), "PersistentVolumeClaim")) == {
        "auth-data",
        "event-data",
        "merch-data",
        "seat-data",
        "ticket-data",
    }


def test_only_the_needed_ways_are_open() -> None:
    policies = of_kind(render(PLAN), "NetworkPolicy")
    shut = policies["default-deny"]["spec"]

    def name(peer: dict[str, Any]) -> str:
        if "ipBlock" in peer:
            return "outside"
        if "namespaceSelector" in peer:
            return peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        return peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"]

    def ways(service: str, direction: str, end: str) -> set[str]:
        return {name(peer) for rule in policies[service]["spec"].get(direction, []) for peer in rule[end]}

    assert shut == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert ways("web", "ingress", "from") == {"clove-gateway"}
    assert ways("seat", "egress", "to") == set()
    assert "outside" in ways("ticket", "egress", "to")
    for service in PLAN.services:
        assert ways(service.name, "egress", "to") - {"outside"} == set(service.calls)
        assert ways(service.name, "ingress", "from") == {"clove-gateway", *PLAN.callers_of(service.name)}


def test_the_quota_has_room_for_a_rollout_of_everything_at_once_and_no_more() -> None:
    hard = of_kind(render(PLAN), "ResourceQuota")["booking"]["spec"]["hard"]
    total = PLAN.total(surge=True)

    assert hard["pods"] == "18"
    assert hard["limits.memory"] == f"{total['memory_limit_mib']}Mi"
    assert hard["requests.storage"] == f"{5 * 1024}Mi"


@pytest.mark.parametrize("replicas", [1, 2])
def test_the_quota_counts_old_copies_that_end_beside_the_new_ones(replicas: int) -> None:
    plan = dataclasses.replace(PLAN, services=tuple(dataclasses.replace(service, replicas=replicas) for service in PLAN.services))
    hard = of_kind(render(plan), "ResourceQuota")["booking"]["spec"]["hard"]
    # Of two, one is being replaced while the other, replaced, ends; of one, the copy of the rollout before ends while the next comes.
    at_once = replicas + 2

    assert int(hard["pods"]) >= at_once * len(plan.services)
    for amount, value in (("limits.memory", "memory_limit_mib"), ("requests.memory", "memory_request_mib")):
        needed = at_once * sum(getattr(service.resources, value) for service in plan.services)
        assert int(hard[amount].removesuffix("Mi")) >= needed
    for amount, value in (("limits.cpu", "cpu_limit_m"), ("requests.cpu", "cpu_request_m")):
        assert int(hard[amount].removesuffix("m")) >= at_once * sum(getattr(service.resources, value) for service in plan.services)


def test_the_route_sends_each_path_to_its_service_and_the_rest_to_the_pages() -> None:
    spec = of_kind(render(PLAN), "HTTPRoute")["booking"]["spec"]
    ways = [(rule["matches"][0]["path"]["value"], rule["backendRefs"][0]["name"]) for rule in spec["rules"]]

    assert spec["hostnames"] == ["little.localhost"]
    assert ways[-1] == ("/", "web")
    assert dict(ways[:-1]) == {f"/api/{name}": name for name in ("auth", "event", "merch", "seat", "ticket")}


def test_a_disruption_budget_comes_with_the_second_replica() -> None:
    services = tuple(dataclasses.replace(service, replicas=2 if service.name == "seat" else 1) for service in PLAN.services)

    assert not of_kind(render(PLAN), "PodDisruptionBudget")
    assert set(of_kind(render(dataclasses.replace(PLAN, services=services)), "PodDisruptionBudget")) == {"seat"}


def test_a_changed_configuration_replaces_the_pods() -> None:
    def mark(plan: Plan) -> str:
        return of_kind(render(plan), "Deployment")["web"]["spec"]["template"]["metadata"]["annotations"]["clove.dev/config"]

    moved = dataclasses.replace(PLAN, config=PLAN.config | {"CLOVE_LANGUAGE": "en"})

    assert mark(PLAN) == mark(plan_of(numbered_requirement(title="another")))
    assert mark(PLAN) != mark(moved)


def _broken(change: Callable[[dict[str, Any]], None]) -> list[dict[str, Any]]:
    deployment = of_kind(render(PLAN), "Deployment")["seat"]
    change(deployment)
    return [deployment]


@pytest.mark.parametrize(
    "change",
    [
        lambda item: item.update(kind="DaemonSet"),
        lambda item: item["metadata"].update(name="Seat_1"),
        lambda item: item["spec"].update(replicas="1"),
        lambda item: item["spec"].update(paused=True),
        lambda item: item["spec"]["template"]["spec"].update(hostNetwork=True),
        lambda item: item["spec"]["template"]["spec"]["securityContext"].update(runAsUser=0),
        lambda item: item["spec"]["template"]["spec"]["containers"][0]["securityContext"].update(allowPrivilegeEscalation=True),
        lambda item: item["spec"]["template"]["spec"]["containers"][0].update(image="a b"),
        lambda item: item["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"].pop("memory"),
        lambda item: item["spec"]["template"]["spec"]["volumes"].append({"name": "x", "hostPath": {"path": "/"}}),
    ],
)
def test_an_object_of_another_shape_is_refused_by_name(change: Callable[[dict[str, Any]], None]) -> None:
    with pytest.raises(schema.BadObject, match=r"Deployment seat|DaemonSet seat|Seat_1"):
        schema.check(_broken(change))


def test_a_diff_names_the_object_the_field_and_both_values() -> None:
    services = tuple(dataclasses.replace(service, replicas=2 if service.name == "seat" else 1) for service in PLAN.services)
    without_merch = plan_of(numbered_requirement(merchandise=False, products=[]))

    scaled = revision_diff(render(PLAN), render(dataclasses.replace(PLAN, services=services)))
    removed = revision_diff(render(PLAN), render(without_merch))

    seat = next(item for item in scaled if (item["kind"], item["name"]) == ("Deployment", "seat"))
    assert seat["change"] == "update"
    assert {"path": "spec.replicas", "before": 1, "after": 2} in seat["fields"]
    assert ("delete", "Deployment", "merch") in [(item["change"], item["kind"], item["name"]) for item in removed]
    assert revision_diff(render(PLAN), render(PLAN)) == []


def test_rendering_imports_neither_django_nor_a_client(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = "import sys, controlplane.rendering.render, controlplane.rendering.example; print(*sorted(sys.modules))"
    root = Path(__file__).resolve().parents[4]
    loaded = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout.split()

    assert not {"django", "requests", "kubernetes", "celery"} & set(loaded)


def test_areas_and_no_payment_leave_out_what_they_do_not_need() -> None:
    plan = plan_of(areas_requirement(payment="none"))

    assert [service.image_name for service in plan.services] == [
        "be-auth",
        "be-event",
        "be-seat-no-number-no-kakao",
        "be-ticket-no-kakao",
        "fe-ticket",
    ]
    assert not any(service.calls_outside for service in plan.services)
