"""What the network lets out of a booking system: the ways to what its services are given, and no others."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from booking_templates import catalog
from controlplane.rendering import images
from controlplane.rendering.choose import choose
from controlplane.rendering.egress import WORLD, Way, way_to
from controlplane.rendering.plan import Plan, Platform, Site, from_json, make_plan
from controlplane.rendering.render import render
from controlplane.rendering.requirement import validate
from tests.controlplane import areas_requirement

SITE = Site(1, "clove-1", "seller-1", "s1", "s1.localhost", "http://s1.localhost")
PRIVATE = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "127.0.0.0/8"}


@pytest.mark.parametrize(
    ("url", "way"),
    [
        ("https://open-api.kakaopay.com", Way(443)),
        ("http://pay.example.kr:8090/path", Way(8090)),
        ("http://10.250.0.1:8090", Way(8090, network="10.250.0.1/32")),
        ("http://[fd00::1]:8090", Way(8090, network="fd00::1/128")),
        ("http://standin.clove.svc:8000", Way(8000, namespace="clove")),
        ("http://standin.clove.svc.cluster.local:8000", Way(8000, namespace="clove")),
        ("smtp://user:password@mail.example.kr", Way(587)),
        ("smtps://mail.example.kr", Way(465)),
        ("smtp+plain://192.0.2.7:2525", Way(2525, network="192.0.2.7/32")),
        ("file:///var/mail", None),
        ("", None),
    ],
)
def test_an_address_tells_where_it_leads(url: str, way: Way | None) -> None:
    assert way_to(url) == way


def plan_with(ways: dict[str, Way], *, mail: bool = False) -> Plan:
    config = {"kakaopay": {"KAKAOPAY_CID": "TC0ONETIME"}, "mail": {"CLOVE_MAIL_FILE": "/etc/clove/secrets/mail-url"} if mail else {}}
    platform = Platform("Asia/Seoul", "ko", config, "clove-gateway", "clove", outside=frozenset({"mail"}), ways=ways)
    requirement = validate(areas_requirement(payment="kakaopay", merchandise=True))
    assert not isinstance(requirement, list), requirement
    pool = [images.from_labels(ref=entry.ref, labels=entry.labels) for entry in catalog.IMAGES]
    return make_plan(requirement, choose(pool, requirement.facts).images, site=SITE, platform=platform)


def openings(plan: Plan) -> dict[str, list[Any]]:
    """Service -> the rules that let it out of the namespace; DNS is everybody's."""
    found: dict[str, list[Any]] = {}
    for policy in render(plan):
        for rule in policy["spec"].get("egress") or () if policy["kind"] == "NetworkPolicy" else ():
            if policy["metadata"]["name"] != "dns" and any("podSelector" not in peer for peer in rule["to"]):
                found.setdefault(policy["metadata"]["name"], []).append(rule)
    return found


def test_a_provider_at_an_address_is_reached_there_alone() -> None:
    found = openings(plan_with({"kakaopay": Way(8090, network="10.250.0.1/32")}))

    rule = {"to": [{"ipBlock": {"cidr": "10.250.0.1/32"}}], "ports": [{"protocol": "TCP", "port": 8090}]}
    assert found == {"merch": [rule], "ticket": [rule]}


def test_a_provider_in_the_cluster_is_reached_in_its_namespace_alone() -> None:
    found = openings(plan_with({"kakaopay": Way(8000, namespace="clove")}))

    to = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "clove"}}}]
    assert found == {name: [{"to": to, "ports": [{"protocol": "TCP", "port": 8000}]}] for name in ("merch", "ticket")}


def test_a_provider_in_the_world_is_reached_at_no_private_address() -> None:
    found = openings(plan_with({"kakaopay": Way(443)}))

    assert set(found) == {"merch", "ticket"}
    for (rule,) in found.values():
        assert set(rule["to"][0]["ipBlock"]["except"]) >= PRIVATE
        assert rule["ports"] == [{"protocol": "TCP", "port": 443}]


def test_mail_goes_by_the_port_of_its_server_and_only_from_what_sends_it() -> None:
    found = openings(plan_with({"kakaopay": Way(443), "mail": Way(587)}, mail=True))

    ports = {name: [port["port"] for rule in rules for port in rule["ports"]] for name, rules in found.items()}
    assert ports["auth"] == [587]
    assert 587 not in ports["merch"]


def test_a_plan_that_knows_no_ways_opens_what_it_did_when_it_was_made() -> None:
    document = plan_with({}).to_json()
    for service in document["services"]:
        del service["ways"]

    old = from_json(msgspec.json.decode(msgspec.json.encode(document)))

    assert {service.name: service.ways_outside for service in old.services if service.ways_outside} == {
        "merch": (WORLD,),
        "ticket": (WORLD,),
    }
