"""Live booking systems are given the platform's addresses of today when somebody says so."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command

from controlplane.rendering.dns import read as read_dns
from controlplane.rendering.plan import from_json
from controlplane.runtime.errors import QuotaFull
from controlplane.systems import operating, services
from controlplane.systems.models import BookingSystem, State
from controlplane.systems.refreshing import systems_refresh
from tests.controlplane import Site, SiteRuntime, areas_requirement, numbered_requirement
from tests.integration.controlplane.looks import deployed, last, settle

pytestmark = pytest.mark.django_db(transaction=True)


def given(system: BookingSystem) -> tuple[str, str]:
    """Where the live services send buyers, and the tickets' one to be paid."""
    assert system.live_revision
    plan = from_json(system.live_revision.plan)
    ticket = plan.service("ticket")
    assert ticket
    return plan.config["CLOVE_PUBLIC_URL"], ticket.env["KAKAOPAY_URL"]


def test_moved_ports_reach_what_is_live_and_nothing_else_changes(seller: Any, runtime: SiteRuntime, settings: Any, site: Site) -> None:
    system = deployed(seller, runtime)
    assert systems_refresh() == ([], [])
    settings.PUBLIC_PORT, settings.KAKAOPAY_URL = 18080, "http://127.0.0.1:18090"
    content = dict(site.content)

    call_command("refresh_systems")
    settle(system, runtime)

    assert (system.state, last(system).kind, last(system).state) == (State.LIVE, "update", "succeeded")
    assert given(system) == ("http://little.localhost:18080", "http://127.0.0.1:18090")
    assert site.content == content
    assert systems_refresh() == ([], [])


def test_where_pods_ask_for_names_from_now_on_reaches_what_is_live(seller: Any, runtime: SiteRuntime, settings: Any) -> None:
    system = deployed(seller, runtime)
    settings.DNS = read_dns(pods="", ports="", networks="169.254.20.10/32")

    assert [each.pk for each in systems_refresh()[0]] == [system.pk]
    settle(system, runtime)

    assert system.live_revision
    policy = next(item for item in system.live_revision.manifests if (item["kind"], item["metadata"]["name"]) == ("NetworkPolicy", "dns"))
    assert {"ipBlock": {"cidr": "169.254.20.10/32"}} in policy["spec"]["egress"][0]["to"]
    assert systems_refresh() == ([], [])


def test_one_whose_last_change_failed_or_goes_on_is_left_as_it_is(seller: Any, runtime: SiteRuntime, settings: Any) -> None:
    failed, changing = deployed(seller, runtime), deployed(seller, runtime, areas_requirement())
    runtime.will_fail(failed.namespace, "seat")
    services.system_update(system=failed, requirement=numbered_requirement(limit_per_buyer=2), acting_user=seller)
    settle(failed, runtime)
    services.system_update(system=changing, requirement=areas_requirement(limit_per_buyer=2), acting_user=seller)
    settings.PUBLIC_PORT = 18080

    updated, left = systems_refresh()

    assert (updated, {system.pk for system in left}) == ([], {failed.pk, changing.pk})
    assert failed.operations.count() == 2


def test_what_came_to_nothing_before_is_not_brought_along(seller: Any, runtime: SiteRuntime, settings: Any, site: Site) -> None:
    system = deployed(seller, runtime)
    runtime.raises("preview", QuotaFull("no room"))
    services.system_update(system=system, requirement=numbered_requirement(title="Another"), acting_user=seller)
    settle(system, runtime)
    operating.system_restart(system=system, service="web", acting_user=seller)
    settle(system, runtime)
    settings.PUBLIC_PORT = 18080

    assert [each.pk for each in systems_refresh()[0]] == [system.pk]
    settle(system, runtime)

    assert (last(system).kind, last(system).state, site.content["event"]["title"]) == ("update", "succeeded", "작은 뮤지컬")
