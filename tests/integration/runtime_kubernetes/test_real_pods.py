"""A booking system with its real images on a real cluster: sells, is broken and heals, is updated under load, moves, and is gone.

Needs KUBECONFIG with CLOVE_TEST_CLUSTER=1, the images of the pool (python -m docker.build) and of MariaDB in the cluster, and this machine
to be a node of it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import urllib3

from booking_templates import catalog
from controlplane.rendering import images
from controlplane.rendering.choose import choose
from controlplane.rendering.database import DatabaseChoice
from controlplane.rendering.plan import Plan, Platform, Restore, Site, make_plan
from controlplane.rendering.render import render
from controlplane.rendering.requirement import validate
from controlplane.runtime.errors import DataGone
from controlplane.runtime.fingerprint import fingerprint
from controlplane.runtime.kubernetes import Api, KubernetesRuntime
from controlplane.runtime.kubernetes.resources import BY_KIND, NAMESPACE, POD
from controlplane.runtime.kubernetes.volumes import CLAIM
from controlplane.runtime.port import GOING, Health, Observation, SystemRef
from controlplane.systems import databases
from tests.booking_keys import Keyring, new_key
from tests.controlplane import areas_requirement
from tests.controlplane import plan as hall
from tests.integration.booking.shopping import Buyer, open_sales, seats_content
from tests.integration.runtime_kubernetes.cluster import Cluster
from tests.runtime_contract import on_kubernetes, supervised
from tests.runtime_contract.on_kubernetes import BOUND_S, LOOK_EVERY_S

pytestmark = pytest.mark.timeout(3 * BOUND_S)
T = TypeVar("T")
SYSTEM = SystemRef(901, "clove-901", "seller-1")
PLATFORM = Platform("Asia/Seoul", "ko", {}, "clove-gateway", "clove", DatabaseChoice(image="docker.io/library/mariadb:11.4"))
VOLUME_MIB = 512
MOUNT_DELAY_S = 150
"""What the settings say by themselves."""
SITE = Site(901, SYSTEM.namespace, SYSTEM.seller, "phantom", "phantom.localhost", "http://phantom.localhost:8080")


def eventually(look: Callable[[], T], *, until: Callable[[T], bool] = bool) -> T:
    return supervised.eventually(look, until=until, bound_s=BOUND_S, every_s=LOOK_EVERY_S)


class OnCluster:
    """A booking system as the buyers of `tests.integration.booking` know one: each service at its cluster address."""

    payment = "none"

    def __init__(self, api: Api, directory: Path) -> None:
        self.api, self.runtime = api, KubernetesRuntime(api, on_kubernetes.ROUTING)
        self.keys = Keyring(SYSTEM.namespace)
        self.plan = _plan()
        self.services = [service.name for service in self.plan.services]
        self.secrets = _secrets(self.keys, self.plan, directory)
        self._urls: dict[str, str] = {}

    def apply(self, plan: Plan) -> Observation:
        """Until it is ready."""
        objects = render(plan)
        self.runtime.apply(SYSTEM, objects, self.secrets)
        seen = self.await_health(Health.READY)
        if not seen.fingerprint:  # What left room for larger pods of before is applied once more, as a converge does.
            self.runtime.apply(SYSTEM, objects, self.secrets)
            seen = self.await_health(Health.READY)
        assert seen.fingerprint == fingerprint(objects, self.secrets)
        # A node learns of a Service's new endpoints a moment after they are ready.
        for service in self.services:
            eventually(lambda service=service: self.ask(service), until=lambda seen: seen[1] == "200")  # type: ignore[misc]
        return seen

    def ask(self, service: str) -> tuple[str, str]:
        """SERVICE, and the status that it answers with or what went wrong."""
        try:
            # Not kept open: before the node knows the Service, somebody else may have answered at its address.
            headers = {"Connection": "close"}
            return service, str(urllib3.request("GET", self.url(service) + "/readyz", headers=headers, timeout=5, retries=False).status)
        except urllib3.exceptions.HTTPError as error:
            return service, str(error)

    def await_health(self, health: Health) -> Observation:
        return eventually(lambda: self.runtime.observe(SYSTEM), until=lambda seen: seen.health is health)

    def url(self, service: str) -> str:
        if service not in self._urls:
            found = self.api.get(BY_KIND["Service"], service, SYSTEM.namespace)
            assert found is not None
            self._urls[service] = f"http://{found['spec']['clusterIP']}:8000"
        return self._urls[service]

    def staff_token(self, *scopes: str) -> str:
        return self.keys.staff_token(*scopes)


def _plan() -> Plan:
    document = areas_requirement(
        seating={"numbered": True, "plan": hall(40)}, grades=[{"name": "R", "price_krw": 150_000}], payment="none", merchandise=True
    )
    requirement = validate(document)
    assert not isinstance(requirement, list), requirement
    pool = [images.from_labels(ref=entry.ref, labels=entry.labels) for entry in catalog.IMAGES]
    plan = make_plan(requirement, choose(pool, requirement.facts).images, site=SITE, platform=PLATFORM)
    assert plan.database
    assert plan.database.server
    server = dataclasses.replace(plan.database.server, storage_mib=VOLUME_MIB, backup_mib=VOLUME_MIB)
    return dataclasses.replace(plan, database=dataclasses.replace(plan.database, server=server))


def _secrets(keys: Keyring, plan: Plan, directory: Path) -> dict[str, dict[str, str]]:
    for service in plan.services:
        keys.write_secrets(directory / service.secret, service.name)
    keys.write_trust(directory / "trust")
    made = {path.name: {file.name: file.read_text() for file in path.iterdir()} for path in directory.iterdir()}
    assert plan.database
    passwords = {service: databases.new_password() for service in plan.database.schemas}
    for service, password in passwords.items():
        made[f"{service}-secrets"]["database-url"] = databases.service_url(plan.database, service, password)
    own = {"root-password": databases.new_password(), "backup-password": databases.new_password()}
    return made | databases.server_secrets(plan.database, own, passwords)


def changed(plan: Plan, service: str, **fields: Any) -> Plan:
    """PLAN with FIELDS of SERVICE replaced."""
    services = tuple(dataclasses.replace(one, **fields) if one.name == service else one for one in plan.services)
    return dataclasses.replace(plan, services=services)


@pytest.fixture(scope="module")
def booking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnCluster]:
    api = on_kubernetes.cluster()
    with on_kubernetes.volumes(api):
        made = OnCluster(api, tmp_path_factory.mktemp("secrets"))
        try:
            yield made
        finally:
            made.runtime.delete(SYSTEM)
            eventually(lambda: api.get(NAMESPACE, SYSTEM.namespace) is None)


@pytest.fixture(scope="module")
def selling(booking: OnCluster) -> OnCluster:
    booking.apply(booking.plan)
    open_sales(booking, seats_content(seats=40))  # type: ignore[arg-type]
    return booking


def test_a_preview_persists_nothing_and_finds_nothing_wrong(booking: OnCluster) -> None:
    changes = booking.runtime.preview(SYSTEM, render(booking.plan))

    assert len(changes) == len([item for item in render(booking.plan) if item["kind"] != "HTTPRoute"])
    assert not [change.warning for change in changes if change.warning]
    assert booking.api.get(NAMESPACE, SYSTEM.namespace) is None


def test_a_ticket_is_sold_by_the_real_images(selling: OnCluster) -> None:
    order = Buyer(selling).buy(seats=["1-1", "1-2"])  # type: ignore[arg-type]

    assert (order["status"], len(order["tickets"])) == ("ISSUED", 2)


def test_a_killed_service_comes_back_and_knows_what_was_sold(selling: OnCluster) -> None:
    pod = _pod_of(selling.api, "seat")
    Cluster(selling.api).delete(f"{POD.path(pod, SYSTEM.namespace)}?gracePeriodSeconds=0")

    eventually(lambda: _pod_of(selling.api, "seat") not in ("", pod))
    selling.await_health(Health.READY)

    assert Buyer(selling).hold(["1-1"]).status == 409  # type: ignore[arg-type]
    assert Buyer(selling).buy(seats=["1-3"])["status"] == "ISSUED"  # type: ignore[arg-type]


def test_an_image_that_does_not_exist_fails_with_its_name_and_the_old_one_serves_on(selling: OnCluster) -> None:
    missing = "clove/be-event:9.9.9"
    selling.runtime.apply(SYSTEM, render(changed(selling.plan, "event", image=missing)), selling.secrets)

    seen = selling.await_health(Health.FAILED)

    event = seen.workload("event")
    assert event is not None
    assert event.ready == 1
    assert missing in event.message
    assert selling.ask("event") == ("event", "200")
    selling.apply(selling.plan)


def test_an_update_fails_no_request(selling: OnCluster) -> None:
    before = _pod_of(selling.api, "seat")
    seat = selling.plan.service("seat")
    assert seat is not None

    with _asked_all_the_while(selling):
        selling.apply(changed(selling.plan, "seat", env={**seat.env, "CLOVE_LANGUAGE": "en"}))

    assert _pod_of(selling.api, "seat") != before


def test_a_move_to_another_node_fails_no_request_and_what_was_sold_stays_sold(selling: OnCluster) -> None:
    nodes = {node.name for node in selling.runtime.nodes() if node.is_ready}
    if len(nodes) < 2:
        pytest.skip("needs a second node")
    selling.apply(selling.plan)
    order = Buyer(selling).buy(seats=["1-5"])  # type: ignore[arg-type]
    here = _node_of(selling.api, "seat")
    there = min(nodes - {here})

    with _asked_all_the_while(selling):
        seen = selling.apply(changed(selling.plan, "seat", node=there))

    seat = seen.workload("seat")
    assert seat is not None
    assert (seat.nodes, _node_of(selling.api, "seat")) == ((there,), there)
    assert order["status"] == "ISSUED"
    assert Buyer(selling).hold(["1-5"]).status == 409  # type: ignore[arg-type]
    assert Buyer(selling).buy(seats=["1-6"])["status"] == "ISSUED"  # type: ignore[arg-type]
    selling.apply(selling.plan)


def test_a_key_that_is_added_is_known_to_the_pods_that_run_before_anything_is_signed_with_it(selling: OnCluster) -> None:
    """What a change of keys waits for (systems/rotating.py): kubelets bring the Secret, and services look into it again."""
    selling.apply(selling.plan)  # nothing but the Secret is to change
    added, before = new_key(), {service: _pod_of(selling.api, service) for service in ("seat", "ticket", "merch")}
    bundle = json.loads(selling.secrets["trust"]["jwks.json"])
    bundle["keys"].append({**added.as_dict(private=False), "clove_iss": "clove"})
    selling.secrets = {**selling.secrets, "trust": {"jwks.json": json.dumps(bundle)}}
    token = selling.keys.sign(added, life_s=600, iss="clove", aud=SYSTEM.namespace, sub="user:1", role="staff", scope=["summary"])

    def status_of(service: str) -> int:
        headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
        return urllib3.request("GET", f"{selling.url(service)}/api/{service}/summary", headers=headers, timeout=5, retries=False).status

    assert {status_of(service) for service in before} == {401}
    selling.runtime.apply(SYSTEM, render(selling.plan), selling.secrets)
    began = time.monotonic()
    supervised.eventually(lambda: {status_of(service) for service in before} == {200}, bound_s=MOUNT_DELAY_S, every_s=LOOK_EVERY_S)
    print(f"known to all after {time.monotonic() - began:.0f} s of {MOUNT_DELAY_S}")  # noqa: T201
    assert {service: _pod_of(selling.api, service) for service in before} == before


def test_two_replicas_are_both_ready_and_go_away_again(selling: OnCluster) -> None:
    seen = selling.apply(changed(selling.plan, "web", replicas=2))
    web = seen.workload("web")
    assert web is not None
    assert (web.wanted, web.ready) == (2, 2)

    selling.apply(selling.plan)


def test_logs_are_read_from_all_services(selling: OnCluster) -> None:
    for service in selling.services:
        assert selling.runtime.logs(SYSTEM, service, 5), service


def test_the_database_refuses_no_connection_for_want_of_room(selling: OnCluster) -> None:
    said = selling.runtime.logs(SYSTEM, "mariadb", 1_000)

    assert [line for line in said if "ready for connections" in line]
    assert not [line for line in said if "Too many connections" in line or "max_connections" in line]


def test_a_backup_brings_back_what_was_sold_when_it_was_made(selling: OnCluster) -> None:
    cluster, jobs = Cluster(selling.api), BY_KIND["Job"].collection(SYSTEM.namespace)
    order = Buyer(selling).buy(seats=["1-10"])  # type: ignore[arg-type]
    schedule = selling.api.get(BY_KIND["CronJob"], "mariadb-backup", SYSTEM.namespace)
    assert schedule
    # As `kubectl create job --from` makes it.
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "mariadb-backup", "uid": schedule["metadata"]["uid"], "controller": True}
    metadata = {"name": "backup-now", "ownerReferences": [owner]}
    cluster.create(jobs, {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": schedule["spec"]["jobTemplate"]["spec"]})
    _await_job(selling.api, "backup-now")
    assert Buyer(selling).buy(seats=["1-11"])["status"] == "ISSUED"  # type: ignore[arg-type]

    plan = selling.plan
    for service in selling.services:
        plan = changed(plan, service, replicas=0)
    selling.runtime.apply(SYSTEM, render(plan), selling.secrets)
    eventually(lambda: _running(selling.api) == {"mariadb"})
    selling.runtime.apply(SYSTEM, render(dataclasses.replace(plan, restore=Restore("latest", 1))), selling.secrets)
    _await_job(selling.api, "mariadb-restore-1")
    selling.apply(selling.plan)

    assert order["status"] == "ISSUED"
    assert Buyer(selling).hold(["1-10"]).status == 409  # type: ignore[arg-type]
    assert Buyer(selling).buy(seats=["1-11"])["status"] == "ISSUED"  # type: ignore[arg-type]


def test_the_database_comes_back_after_its_pod_is_killed_and_knows_what_was_sold(selling: OnCluster) -> None:
    order = Buyer(selling).buy(seats=["1-20"])  # type: ignore[arg-type]
    Cluster(selling.api).delete(f"{POD.path('mariadb-0', SYSTEM.namespace)}?gracePeriodSeconds=0")

    eventually(lambda: selling.runtime.observe(SYSTEM).health is not Health.READY)
    selling.await_health(Health.READY)
    eventually(lambda: selling.ask("seat"), until=lambda seen: seen[1] == "200")

    assert order["status"] == "ISSUED"
    assert Buyer(selling).hold(["1-20"]).status == 409  # type: ignore[arg-type]


def test_no_pod_has_a_token_or_may_write_its_root(selling: OnCluster) -> None:
    for pod in selling.api.items(POD, SYSTEM.namespace):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert all("kube-api-access" not in volume["name"] for volume in spec["volumes"])
        assert all(container["securityContext"]["readOnlyRootFilesystem"] for container in spec["containers"])


def _pod_of(api: Api, service: str) -> str:
    """The one running pod of SERVICE that is not leaving."""
    pods = api.items(POD, SYSTEM.namespace, selector=f"app.kubernetes.io/name={service}")
    return next((pod["metadata"]["name"] for pod in pods if not pod["metadata"].get("deletionTimestamp")), "")


def _node_of(api: Api, service: str) -> str:
    """Where the one pod of SERVICE runs."""
    pod = api.get(POD, _pod_of(api, service), SYSTEM.namespace)
    return str(pod["spec"]["nodeName"]) if pod else ""


@contextlib.contextmanager
def _asked_all_the_while(selling: OnCluster) -> Iterator[None]:
    """Seat is asked again and again, and answers each time."""
    statuses: dict[int | str, int] = {}
    stop = threading.Event()

    def keep_asking() -> None:
        pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(10))
        while not stop.is_set():
            try:
                # A connection of its own each time: what is kept open is the old replica's.
                url = selling.url("seat") + "/api/seat/performances"
                status: int | str = pool.request("GET", url, headers={"Connection": "close"}).status
            except urllib3.exceptions.HTTPError as error:
                status = type(error).__name__
            statuses[status] = statuses.get(status, 0) + 1

    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        yield
    finally:
        stop.set()
        asking.join()
    assert set(statuses) == {200}
    assert statuses[200] > 50


def _await_job(api: Api, name: str) -> None:
    def done() -> bool:
        job = api.get(BY_KIND["Job"], name, SYSTEM.namespace) or {}
        conditions = {one["type"] for one in job.get("status", {}).get("conditions") or () if one["status"] == "True"}
        assert "Failed" not in conditions, job["status"]
        return "Complete" in conditions

    eventually(done)


def _running(api: Api) -> set[str]:
    """The names of the workloads that have pods which have not ended."""
    pods = [pod for pod in api.items(POD, SYSTEM.namespace) if pod["status"].get("phase") not in ("Succeeded", "Failed")]
    return {pod["metadata"]["labels"]["app.kubernetes.io/name"] for pod in pods}


def test_a_database_that_cannot_start_is_told_and_the_one_of_before_comes_back_by_itself(selling: OnCluster) -> None:
    order = Buyer(selling).buy(seats=["1-15"])  # type: ignore[arg-type]
    assert selling.plan.database
    assert selling.plan.database.server
    server = dataclasses.replace(selling.plan.database.server, image="docker.io/library/mariadb:0.0.0-missing")
    broken = dataclasses.replace(selling.plan, database=dataclasses.replace(selling.plan.database, server=server))
    selling.runtime.apply(SYSTEM, render(broken), selling.secrets)
    selling.await_health(Health.FAILED)

    selling.apply(selling.plan)

    assert order["status"] == "ISSUED"
    assert Buyer(selling).hold(["1-15"]).status == 409  # type: ignore[arg-type]


def test_a_backup_that_fails_is_told_with_what_it_said(selling: OnCluster) -> None:
    cluster, path = Cluster(selling.api), BY_KIND["CronJob"].path("mariadb-backup", SYSTEM.namespace)
    schedule = selling.api.get(BY_KIND["CronJob"], "mariadb-backup", SYSTEM.namespace)
    assert schedule
    job = schedule["spec"]["jobTemplate"]["spec"]
    job["backoffLimit"] = 0
    (container,) = job["template"]["spec"]["containers"]
    container["env"] = [{"name": "SCHEMAS", "value": "nowhere"} if one["name"] == "SCHEMAS" else one for one in container["env"]]
    cluster.patch(path, {"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": job}}}, manager="kubectl-edit")

    seen = eventually(lambda: selling.runtime.observe(SYSTEM).backup, until=lambda backup: bool(backup and backup.failed_at))

    assert seen is not None
    assert "nowhere" in seen.message
    selling.runtime.apply(SYSTEM, render(selling.plan), selling.secrets)
    assert not selling.runtime.observe(SYSTEM).drift


def test_a_database_whose_volume_somebody_deleted_is_not_made_anew_and_comes_back_with_its_backup(selling: OnCluster) -> None:
    api, cluster, objects = selling.api, Cluster(selling.api), render(selling.plan)
    order = Buyer(selling).buy(seats=["2-5"])  # type: ignore[arg-type]
    schedule = api.get(BY_KIND["CronJob"], "mariadb-backup", SYSTEM.namespace)
    assert schedule
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "backup-last"}, "spec": schedule["spec"]["jobTemplate"]["spec"]}
    cluster.create(BY_KIND["Job"].collection(SYSTEM.namespace), job)
    _await_job(api, "backup-last")
    before = dict(selling.await_health(Health.READY).volumes or {})
    data = {"mariadb-data": before["mariadb-data"]}

    cluster.delete(CLAIM.path("mariadb-data", SYSTEM.namespace))
    assert (selling.runtime.observe(SYSTEM).volumes or {})["mariadb-data"] == GOING
    with pytest.raises(DataGone):
        selling.runtime.apply(SYSTEM, objects, selling.secrets, keeps=data)
    selling.runtime.close(SYSTEM, objects)
    eventually(lambda: _running(api) == {"mariadb"})
    cluster.delete(f"{POD.path('mariadb-0', SYSTEM.namespace)}?gracePeriodSeconds=0")
    eventually(lambda: "mariadb-data" not in (selling.runtime.observe(SYSTEM).volumes or {}))
    with pytest.raises(DataGone):
        selling.runtime.apply(SYSTEM, objects, selling.secrets, keeps=data)
    assert api.get(CLAIM, "mariadb-data", SYSTEM.namespace) is None

    resting = selling.plan
    for service in selling.services:
        resting = changed(resting, service, replicas=0)
    selling.runtime.apply(SYSTEM, render(dataclasses.replace(resting, restore=Restore("latest", 1))), selling.secrets)
    well = (Health.READY, Health.SUSPENDED)
    seen = eventually(
        lambda: selling.runtime.observe(SYSTEM), until=lambda seen: all(one.health in well for one in seen.workloads) and bool(seen.volumes)
    )
    restored = seen.workload("mariadb-restore-1")
    assert restored is not None
    assert restored.ready == 1
    assert (seen.volumes or {})["mariadb-backups"] == before["mariadb-backups"]
    assert (seen.volumes or {})["mariadb-data"] not in ("", before["mariadb-data"])
    selling.apply(selling.plan)

    assert order["status"] == "ISSUED"
    assert Buyer(selling).hold(["2-5"]).status == 409  # type: ignore[arg-type]
    assert api.get(BY_KIND["Job"], "mariadb-restore-1", SYSTEM.namespace) is None
