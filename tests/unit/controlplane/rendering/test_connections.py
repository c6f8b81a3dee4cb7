"""The database server bears what services may ask of it, however many replicas an admin lets them have."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking_templates import catalog
from controlplane.rendering.adjustments import MAX_REPLICAS, Adjustments, Autoscale
from controlplane.rendering.connections import OTHERS, SMALLEST, connections_of, memory_mib
from controlplane.rendering.database import ServerPlan
from controlplane.rendering.images import DEFAULT_CONNECTIONS, BadLabels, PoolImage, from_labels
from controlplane.rendering.plan import Plan, from_json
from controlplane.rendering.render import render
from tests.unit.controlplane.rendering.test_database import INSIDE, POOL, STATEFUL, plan_of

COUNTS = st.integers(min_value=1, max_value=MAX_REPLICAS)
SCALED = st.dictionaries(st.sampled_from(sorted(STATEFUL)), COUNTS)
CHOSEN = {service.image_name for service in plan_of(INSIDE).services}
IMAGES = [image for image in POOL if image.name in CHOSEN]


def image(**labels: str) -> PoolImage:
    named = {"service": "seat", "version": "1", **labels}
    return from_labels(ref="own/seat:1", labels={f"dev.clove.{key}": value for key, value in named.items()})


def server_of(plan: Plan) -> ServerPlan:
    assert plan.database
    assert plan.database.server
    return plan.database.server


def live_with(most: int) -> Plan:
    """A system that runs on a server of MOST connections."""
    plan = plan_of(INSIDE)
    assert plan.database
    server = dataclasses.replace(ServerPlan(**{**vars(server_of(plan)), "max_connections": most}), resources=ServerPlan.resources)
    return dataclasses.replace(plan, database=dataclasses.replace(plan.database, server=server))


def scaled(**replicas: int) -> Adjustments:
    asked = Adjustments()
    for service, count in replicas.items():
        asked = asked.changed(service, replicas=count)
    return asked


def test_no_bundled_service_has_more_threads_than_connections_are_counted_for() -> None:
    for entry in catalog.IMAGES:
        counted = from_labels(ref=entry.ref, labels=entry.labels).connections
        # 8 is what the services have without the variable; one more for their passes.
        assert counted >= int(entry.env.get("CLOVE_THREADS", "8")) + 1, entry.name


@given(SCALED)
def test_a_new_systems_server_bears_all_that_an_admin_may_ask_for_and_is_not_restarted_for_it(replicas: dict[str, int]) -> None:
    new = plan_of(INSIDE)
    after = plan_of(INSIDE, live=new, adjustments=scaled(**replicas))

    assert server_of(after) == server_of(new)
    assert server_of(new).max_connections >= connections_of(IMAGES, replicas)


def test_while_replicas_are_replaced_there_are_more_of_them() -> None:
    ten = image(connections="10")

    assert connections_of([ten], {}) == OTHERS + 20
    assert connections_of([ten], {"seat": 2}) == OTHERS + 40
    assert connections_of([ten], {"seat": 20}) == OTHERS + 240
    assert connections_of([ten], {"seat": 0}) == OTHERS
    assert connections_of([image(stateful="no")], {"seat": 20}) == OTHERS


def test_the_memory_is_enough_for_the_connections_beside_the_buffer_pool() -> None:
    server = server_of(plan_of(INSIDE))

    assert server.max_connections > SMALLEST
    assert server.resources.memory_limit_mib >= memory_mib(server.max_connections, buffer_share=0.4)
    assert server.resources.memory_limit_mib - server.buffer_pool_mib >= 128 + 0.14 * server.max_connections


def test_the_server_is_told_what_it_has_to_bear() -> None:
    plan = plan_of(INSIDE)
    container = next(item for item in render(plan) if item["kind"] == "StatefulSet")["spec"]["template"]["spec"]["containers"][0]

    assert f"--max-connections={server_of(plan).max_connections}" in container["args"]
    assert container["resources"]["limits"]["memory"] == f"{server_of(plan).resources.memory_limit_mib}Mi"


def test_a_server_of_before_stays_as_it_is_while_it_bears_what_is_asked() -> None:
    live = live_with(SMALLEST)

    assert server_of(plan_of(INSIDE, live=live)) == server_of(live)
    assert server_of(plan_of(INSIDE, live=live, adjustments=scaled(web=MAX_REPLICAS))) == server_of(live)


@pytest.mark.parametrize(
    "asked",
    [scaled(ticket=MAX_REPLICAS), Adjustments().changed("ticket", autoscale=Autoscale(1, MAX_REPLICAS, 70))],
    ids=["copies", "an autoscaler"],
)
def test_a_server_of_before_is_given_room_for_all_once_more_is_asked_than_it_bears(asked: Adjustments) -> None:
    assert server_of(plan_of(INSIDE, live=live_with(SMALLEST), adjustments=asked)) == server_of(plan_of(INSIDE))


def test_an_image_says_how_many_connections_it_has_or_as_many_as_any_bundled_one_are_counted() -> None:
    assert image().connections == DEFAULT_CONNECTIONS
    assert image(connections="9").connections == 9


@pytest.mark.parametrize("value", ["0", "-1", "many", "201", "9.5"])
def test_a_number_of_connections_that_makes_no_sense_is_refused(value: str) -> None:
    with pytest.raises(BadLabels):
        image(connections=value)


def test_a_plan_of_before_reads_on_with_the_number_that_it_was_applied_with() -> None:
    document: dict[str, Any] = plan_of(INSIDE).to_json()
    del document["database"]["server"]["max_connections"]

    assert server_of(from_json(document)).max_connections == SMALLEST
