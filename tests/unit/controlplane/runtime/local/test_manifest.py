import copy
from typing import Any

import pytest

from controlplane.runtime.errors import Permanent, Rejected, Unsupported
from controlplane.runtime.local.images import LocalImage
from controlplane.runtime.local.manifest import check_images, check_secrets, read_system
from tests.runtime_contract.systems import IMAGE, SECRETS, ref, system_objects

SYSTEM = ref(1)


def _objects() -> list[dict[str, Any]]:
    return copy.deepcopy(system_objects(SYSTEM, "seat", "web", replicas=3))


def _one(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(item for item in objects if item["kind"] == kind)


def _pod(objects: list[dict[str, Any]]) -> dict[str, Any]:
    return _one(objects, "Deployment")["spec"]["template"]["spec"]


def test_a_system_is_read_from_its_objects() -> None:
    spec = read_system(SYSTEM, _objects())

    seat = spec.deployments["seat"]
    assert (seat.replicas, seat.surge, seat.unavailable, seat.image) == (3, 1, 0, IMAGE)
    assert seat.pod.containers[0].port == 8000
    assert seat.pod.containers[0].startup is not None
    assert spec.services["seat"].selects(seat.pod)
    assert not spec.services["web"].selects(seat.pod)
    assert [(rule.host, rule.prefix, rule.service) for rule in spec.rules] == [
        ("clove-1.localhost", "/api/seat", "seat"),
        ("clove-1.localhost", "/api/web", "web"),
        ("clove-1.localhost", "/", "seat"),
    ]


def test_only_a_changed_template_is_another_revision() -> None:
    objects = _objects()
    before = read_system(SYSTEM, objects).deployments["seat"].hash
    _one(objects, "Deployment")["spec"]["replicas"] = 7
    _one(objects, "Deployment")["metadata"]["labels"] = {"a": "b"}
    assert read_system(SYSTEM, objects).deployments["seat"].hash == before

    _pod(objects)["containers"][0]["image"] = "clove-test/tiny:2"
    assert read_system(SYSTEM, objects).deployments["seat"].hash != before


@pytest.mark.parametrize(
    ("strategy", "surge", "unavailable"),
    [
        ({}, 1, 0),
        ({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}, 0, 1),
        ({"rollingUpdate": {"maxSurge": "50%", "maxUnavailable": "50%"}}, 2, 1),
        ({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}, 1, 0),
    ],
)
def test_how_far_a_rollout_may_go_is_as_kubernetes_counts_it(strategy: dict[str, Any], surge: int, unavailable: int) -> None:
    objects = _objects()
    _one(objects, "Deployment")["spec"]["strategy"] = strategy

    seat = read_system(SYSTEM, objects).deployments["seat"]

    assert (seat.surge, seat.unavailable) == (surge, unavailable)


def _change_pod(**fields: Any) -> Any:
    return lambda objects: _pod(objects).update(fields)


def _change_container(**fields: Any) -> Any:
    return lambda objects: _pod(objects)["containers"][0].update(fields)


def _change_route(**fields: Any) -> Any:
    return lambda objects: _one(objects, "HTTPRoute")["spec"].update(fields)


CHANGES = {
    "no container": _change_pod(containers=[]),
    "two ports": _change_container(ports=[{"containerPort": 1}, {"containerPort": 2}]),
    "a mount that leaves the root": _change_container(volumeMounts=[{"name": "data", "mountPath": "/a/../../etc"}]),
    "a relative mount": _change_container(volumeMounts=[{"name": "data", "mountPath": "etc"}]),
    "a part outside its volume": _change_container(volumeMounts=[{"name": "data", "mountPath": "/a", "subPath": "../x"}]),
    "a volume that is not there": _change_container(volumeMounts=[{"name": "none", "mountPath": "/a"}]),
    "a directory of the host": _change_pod(volumes=[{"name": "data", "hostPath": {"path": "/"}}]),
    "a claim that is not there": _change_pod(
        volumes=[{"name": name, "persistentVolumeClaim": {"claimName": "none"}} for name in ("data", "secrets", "tmp")]
    ),
    "a map that is not there": _change_container(envFrom=[{"configMapRef": {"name": "none"}}]),
    "a file outside a volume": _change_pod(
        volumes=[
            {"name": name, "secret": {"secretName": "s", "items": [{"key": "a", "path": "../../b"}]}} for name in ("data", "secrets", "tmp")
        ]
    ),
    "a probe that runs a command": _change_container(livenessProbe={"exec": {"command": ["true"]}}),
    "a sidecar": _change_pod(initContainers=[{"name": "s", "image": IMAGE, "restartPolicy": "Always"}]),
    "a wildcard host": _change_route(hostnames=["*.localhost"]),
    "a host that is a path": _change_route(hostnames=["../../x.localhost"]),
    "a route to nowhere": _change_route(rules=[{"backendRefs": [{"name": "none", "port": 8000}]}]),
    "a route to another port": _change_route(rules=[{"backendRefs": [{"name": "seat", "port": 1}]}]),
    "a rewriting route": _change_route(rules=[{"filters": [{"type": "URLRewrite"}], "backendRefs": [{"name": "seat", "port": 8000}]}]),
    "a route by header": _change_route(rules=[{"matches": [{"headers": []}], "backendRefs": [{"name": "seat", "port": 8000}]}]),
    "a selector of other pods": lambda objects: _one(objects, "Deployment")["spec"].update(selector={"matchLabels": {"a": "b"}}),
    "two of one name": lambda objects: objects.append(copy.deepcopy(_one(objects, "Service"))),
    "a name that is a path": lambda objects: _one(objects, "Deployment")["metadata"].update(name="../x"),
    "values in a secret": lambda objects: objects.append(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": SYSTEM.namespace}, "stringData": {"a": "b"}}
    ),
    "an entry that is a path": lambda objects: _one(objects, "ConfigMap").update(data={"../x": "y"}),
    "an unknown kind": lambda objects: objects.append(
        {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "s", "namespace": SYSTEM.namespace}}
    ),
    "a kind of another group": lambda objects: _one(objects, "Deployment").update(apiVersion="example.org/v1"),
    "text where objects belong": lambda objects: _one(objects, "Deployment").update(spec="replicas: 1"),
    "replicas that are no number": lambda objects: _one(objects, "Deployment")["spec"].update(replicas="many"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_this_machine_cannot_run_is_refused_in_words(change: Any) -> None:
    objects = _objects()
    change(objects)

    with pytest.raises(Permanent) as refusal:
        read_system(SYSTEM, objects)

    assert len(refusal.value.reason) > 20


def test_an_image_that_this_machine_does_not_have_is_refused() -> None:
    spec = read_system(SYSTEM, _objects())

    check_images(spec, {IMAGE: LocalImage(("true",))}.get)
    with pytest.raises(Rejected, match="clove-test/tiny:1"):
        check_images(spec, {}.get)


@pytest.mark.parametrize("secrets", [{}, {"seat-secrets": {}}, SECRETS | {"other": {"../x": "y"}}])
def test_secrets_that_are_missing_or_cannot_be_files_are_refused(secrets: dict[str, dict[str, str]]) -> None:
    spec = read_system(SYSTEM, _objects())

    check_secrets(spec, SECRETS)
    with pytest.raises(Rejected):
        check_secrets(spec, secrets)


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30.0), ("1m30s", 90.0), ("500ms", 0.5), ("0s", None)])
def test_the_time_a_route_allows_is_read(text: str, seconds: float | None) -> None:
    objects = _objects()
    for rule in _one(objects, "HTTPRoute")["spec"]["rules"]:
        rule["timeouts"] = {"request": text}

    assert {rule.timeout_s for rule in read_system(SYSTEM, objects).rules} == {seconds}


def test_a_time_that_is_none_is_refused() -> None:
    objects = _objects()
    _one(objects, "HTTPRoute")["spec"]["rules"][0]["timeouts"] = {"request": "soon"}

    with pytest.raises((Rejected, Unsupported)):
        read_system(SYSTEM, objects)
