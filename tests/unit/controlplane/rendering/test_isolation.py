"""Who may talk to whom: every pair of pods over two booking systems, judged by the rendered NetworkPolicies as Kubernetes judges them."""

from __future__ import annotations

import ipaddress
import itertools
from dataclasses import dataclass, replace
from typing import Any

import pytest

from booking_templates import catalog
from controlplane.rendering import images
from controlplane.rendering.choose import choose
from controlplane.rendering.database import CLIENT, SERVER, DatabaseChoice
from controlplane.rendering.dns import read as read_dns
from controlplane.rendering.plan import Plan, Platform, Site, make_plan
from controlplane.rendering.render import render
from controlplane.rendering.requirement import validate
from tests.controlplane import areas_requirement

ELSEWHERE = read_dns(
    pods="openshift-dns/dns.operator.openshift.io/daemonset-dns=default", ports="53 5353", networks="169.254.20.10/32, fd00::a/128"
)
PLATFORM = Platform("Asia/Seoul", "ko", {}, "clove-gateway", "clove", DatabaseChoice(image="docker.io/library/mariadb:11.4"))


@dataclass(frozen=True)
class Pod:
    """A pod as policies see it."""

    namespace: str
    name: str
    labels: tuple[tuple[str, str], ...]


def plan_of(number: int, platform: Platform = PLATFORM) -> Plan:
    requirement = validate(areas_requirement(payment="kakaopay", merchandise=True))
    assert not isinstance(requirement, list), requirement
    pool = [images.from_labels(ref=entry.ref, labels=entry.labels) for entry in catalog.IMAGES]
    site = Site(number, f"clove-{number}", f"seller-{number}", f"s{number}", f"s{number}.localhost", f"http://s{number}.localhost")
    return make_plan(requirement, choose(pool, requirement.facts).images, site=site, platform=platform)


def template_of(item: dict[str, Any]) -> dict[str, Any]:
    """The pod template of a workload."""
    spec = item["spec"]["jobTemplate"]["spec"] if item["kind"] == "CronJob" else item["spec"]
    template: dict[str, Any] = spec["template"]
    return template


PLANS = [plan_of(1), plan_of(2)]
OBJECTS = {plan.namespace: render(plan) for plan in PLANS}
POLICIES = [item for objects in OBJECTS.values() for item in objects if item["kind"] == "NetworkPolicy"]
POLICIES_ELSEWHERE = [
    item for number in (1, 2) for item in render(plan_of(number, replace(PLATFORM, dns=ELSEWHERE))) if item["kind"] == "NetworkPolicy"
]
"""Of the same booking systems in a cluster that asks for names elsewhere."""
PODS = [
    Pod(namespace, item["metadata"]["name"], tuple(sorted(template_of(item)["metadata"]["labels"].items())))
    for namespace, objects in OBJECTS.items()
    for item in objects
    if item["kind"] in ("Deployment", "StatefulSet", "Job", "CronJob")
]
DATABASES = [pod for pod in PODS if pod.name == SERVER]
GATEWAY = Pod("clove-gateway", "gateway", (("app", "gateway"),))
DNS = Pod("kube-system", "dns", (("k8s-app", "kube-dns"),))
DNS_ELSEWHERE = Pod("openshift-dns", "dns", (("dns.operator.openshift.io/daemonset-dns", "default"),))
STRANGER = Pod("default", "stranger", (("app.kubernetes.io/name", "ticket"), ("app.kubernetes.io/instance", "clove-1")))
OUTSIDE = (GATEWAY, DNS, DNS_ELSEWHERE, STRANGER)

Policies = list[dict[str, Any]]


def may_talk(source: Pod, target: Pod, port: int, protocol: str = "TCP", *, policies: Policies = POLICIES) -> bool:
    """A connection passes when the source's egress and the target's ingress both let it."""
    return _lets("Egress", source, target, port, protocol, policies) and _lets("Ingress", target, source, port, protocol, policies)


def _lets(direction: str, subject: Pod, peer: Pod | str, port: int, protocol: str, policies: Policies) -> bool:
    """PEER is a pod, or the address of a node or of somebody outside."""
    applying = [
        policy["spec"]
        for policy in policies
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


def _is_peer(described: dict[str, Any], subject: Pod, peer: Pod | str) -> bool:
    if isinstance(peer, str):
        block = described.get("ipBlock")
        return bool(block) and _is_in(peer, block["cidr"]) and not any(_is_in(peer, one) for one in block.get("except", ()))
    if "ipBlock" in described:
        return False  # pods have private addresses, which the block must leave out: see below
    if "namespaceSelector" in described:
        if not _matches(described["namespaceSelector"], {"kubernetes.io/metadata.name": peer.namespace}):
            return False
    elif peer.namespace != subject.namespace:
        return False
    return _matches(described.get("podSelector", {}), dict(peer.labels))


def _is_in(address: str, network: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network)


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
    [pair for pair in itertools.permutations((*PODS, *OUTSIDE), 2) if set(pair) & set(PODS)],
    ids=lambda pod: f"{pod.namespace}.{pod.name}",
)
def test_a_pod_reaches_another_exactly_when_its_service_calls_that_one(source: Pod, target: Pod) -> None:
    for policies, dns in ((POLICIES, DNS), (POLICIES_ELSEWHERE, DNS_ELSEWHERE)):
        assert may_talk(source, target, 8000, policies=policies) is expected(source, target)
        assert may_talk(source, target, 3306, policies=policies) is uses_database(source, target)
        assert not may_talk(source, target, 8000, "UDP", policies=policies)
        for protocol in ("UDP", "TCP"):
            assert may_talk(source, target, 53, protocol, policies=policies) is (target == dns)


@pytest.mark.parametrize("pod", PODS, ids=lambda pod: f"{pod.namespace}.{pod.name}")
def test_every_pod_may_ask_for_names_where_the_settings_say_and_nowhere_else(pod: Pod) -> None:
    for address in ("169.254.20.10", "fd00::a"):
        for protocol, port in itertools.product(("UDP", "TCP"), (53, 5353)):
            assert _lets("Egress", pod, address, port, protocol, POLICIES_ELSEWHERE)
            assert not _lets("Egress", pod, address, port, protocol, POLICIES)
        assert not _lets("Egress", pod, address, 80, "TCP", POLICIES_ELSEWHERE)
    for address in ("169.254.169.254", "169.254.20.11", "fd00::b"):
        assert not _lets("Egress", pod, address, 53, "UDP", POLICIES_ELSEWHERE)
    assert may_talk(pod, DNS_ELSEWHERE, 5353, "UDP", policies=POLICIES_ELSEWHERE)
    assert not may_talk(pod, DNS, 5353, "UDP")


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
