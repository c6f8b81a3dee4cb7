"""Who may talk to whom: every pair of pods over two booking systems, judged by the rendered NetworkPolicies as Kubernetes judges them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import pytest

from booking_templates import catalog
from controlplane.rendering import images
from controlplane.rendering.choose import choose
from controlplane.rendering.database import CLIENT, SERVER, DatabaseChoice
from controlplane.rendering.plan import Plan, Platform, Site, make_plan
from controlplane.rendering.render import render
from controlplane.rendering.requirement import validate
from tests.controlplane import areas_requirement

PLATFORM = Platform("Asia/Seoul", "ko", {}, "clove-gateway", "clove", DatabaseChoice(image="docker.io/library/mariadb:11.4"))


@dataclass(frozen=True)
class Pod:
    """A pod as policies see it."""

    namespace: str
    name: str
    labels: tuple[tuple[str, str], ...]


def plan_of(number: int) -> Plan:
    requirement = validate(areas_requirement(payment="kakaopay", merchandise=True))
    assert not isinstance(requirement, list), requirement
    pool = [images.from_labels(ref=entry.ref, labels=entry.labels) for entry in catalog.IMAGES]
    site = Site(number, f"clove-{number}", f"seller-{number}", f"s{number}", f"s{number}.localhost", f"http://s{number}.localhost")
    return make_plan(requirement, choose(pool, requirement.facts).images, site=site, platform=PLATFORM)


def template_of(item: dict[str, Any]) -> dict[str, Any]:
    """The pod template of a workload."""
    spec = item["spec"]["jobTemplate"]["spec"] if item["kind"] == "CronJob" else item["spec"]
    template: dict[str, Any] = spec["template"]
    return template


PLANS = [plan_of(1), plan_of(2)]
OBJECTS = {plan.namespace: render(plan) for plan in PLANS}
POLICIES = [item for objects in OBJECTS.values() for item in objects if item["kind"] == "NetworkPolicy"]
PODS = [
    Pod(namespace, item["metadata"]["name"], tuple(sorted(template_of(item)["metadata"]["labels"].items())))
    for namespace, objects in OBJECTS.items()
    for item in objects
    if item["kind"] in ("Deployment", "StatefulSet", "Job", "CronJob")
]
DATABASES = [pod for pod in PODS if pod.name == SERVER]
GATEWAY = Pod("clove-gateway", "gateway", (("app", "gateway"),))
DNS = Pod("kube-system", "dns", (("k8s-app", "kube-dns"),))
STRANGER = Pod("default", "stranger", (("app.kubernetes.io/name", "ticket"), ("app.kubernetes.io/instance", "clove-1")))
OUTSIDE = (GATEWAY, DNS, STRANGER)


def may_talk(source: Pod, target: Pod, port: int, protocol: str = "TCP") -> bool:
    """A connection passes when the source's egress and the target's ingress both let it."""
    return _lets("Egress", source, target, port, protocol) and _lets("Ingress", target, source, port, protocol)


def _lets(direction: str, subject: Pod, peer: Pod, port: int, protocol: str) -> bool:
    applying = [
        policy["spec"]
        for policy in POLICIES
        if policy["metadata"]["namespace"] == subject.namespace
        and direction in policy["spec"]["policyTypes"]
        and _matches(policy["spec"]["podSelector"], dict(subject.labels))
    ]
    if not applying:
        return True
    field, side = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    rules = [(spec, rule) for spec in applying for rule in spec.get(field) or ()]
    return any(
        any(_is_peer(one, subject, peer) for one in rule[side]) and {"port": port, "protocol": protocol} in rule["ports"]
        for _, rule in rules
    )


def _is_peer(described: dict[str, Any], subject: Pod, peer: Pod) -> bool:
    if "ipBlock" in described:
        return False  # pods have private addresses, which the block must leave out: see below
    if "namespaceSelector" in described:
        if not _matches(described["namespaceSelector"], {"kubernetes.io/metadata.name": peer.namespace}):
            return False
    elif peer.namespace != subject.namespace:
        return False
    return _matches(described.get("podSelector", {}), dict(peer.labels))


def _matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}
    return all(labels.get(name) == value for name, value in selector.get("matchLabels", {}).items())


def expected(source: Pod, target: Pod) -> bool:
    if source == GATEWAY:
        return target in PODS and not target.name.startswith(SERVER)
    if source.namespace != target.namespace or source not in PODS:
        return False
    plan = next(plan for plan in PLANS if plan.namespace == source.namespace)
    service = plan.service(source.name)
    return service is not None and target.name in service.calls


def uses_database(source: Pod, target: Pod) -> bool:
    """A service with a schema, or what sets up and backs up, of the same system."""
    if target not in DATABASES or source.namespace != target.namespace or source not in PODS:
        return False
    plan = next(plan for plan in PLANS if plan.namespace == source.namespace)
    is_client = dict(source.labels)["app.kubernetes.io/name"] == CLIENT
    return is_client or (plan.database is not None and source.name in plan.database.schemas)


@pytest.mark.parametrize(
    ("source", "target"),
    [pair for pair in itertools.permutations((*PODS, *OUTSIDE), 2) if set(pair) & set(PODS) and DNS not in pair],
    ids=lambda pod: f"{pod.namespace}.{pod.name}",
)
def test_a_pod_reaches_another_exactly_when_its_service_calls_that_one(source: Pod, target: Pod) -> None:
    assert may_talk(source, target, 8000) is expected(source, target)
    assert may_talk(source, target, 3306) is uses_database(source, target)
    assert not may_talk(source, target, 8000, "UDP")


@pytest.mark.parametrize("pod", PODS, ids=lambda pod: f"{pod.namespace}.{pod.name}")
def test_every_pod_may_ask_for_names_and_the_clusters_dns_alone_answers(pod: Pod) -> None:
    assert may_talk(pod, DNS, 53, "UDP")
    assert may_talk(pod, DNS, 53, "TCP")
    assert not may_talk(pod, STRANGER, 53, "UDP")
    assert not may_talk(pod, DNS, 8000)


def test_only_what_pays_may_call_outside_and_never_a_private_address() -> None:
    opening = {}
    for policy in POLICIES:
        for rule in policy["spec"].get("egress") or ():
            for peer in rule["to"]:
                if "ipBlock" in peer:
                    opening[policy["metadata"]["namespace"], policy["metadata"]["name"]] = (peer["ipBlock"], rule["ports"])

    assert {name for _, name in opening} == {"merch", "ticket"}
    for block, ports in opening.values():
        assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"} <= set(block["except"])
        assert ports == [{"protocol": "TCP", "port": 443}]
