import sys
from typing import Any

import pytest

from controlplane.runtime.errors import Rejected, Unsupported
from controlplane.runtime.local.environment import PodFacts, container_argv, container_env, expand
from controlplane.runtime.local.images import LocalImage
from controlplane.runtime.local.podspec import ContainerSpec, PodSpec, read_template

IMAGE = LocalImage(("python", "-m", "service", "--port", "$(PORT)"), {"CLOVE_SERVICE": "seat", "LEVEL": "image"}, "/app")
FACTS = PodFacts("seat-1", "clove-17", "here")


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$(A)", "1"),
        ("x$(A)y$(B)", "x1y2"),
        ("$$(A)", "$(A)"),
        ("$(MISSING)", "$(MISSING)"),
        ("$A $ $(", "$A $ $("),
        ("$$$(A)", "$1"),
    ],
)
def test_references_are_replaced_as_kubernetes_does(text: str, expanded: str) -> None:
    assert expand(text, {"A": "1", "B": "2"}) == expanded


def _read(**container: Any) -> tuple[PodSpec, ContainerSpec]:
    template = {
        "metadata": {"labels": {"app": "seat"}},
        "spec": {"containers": [{"name": "seat", "image": "clove/be-seat:1", **container}]},
    }
    pod = read_template(template, "Deployment seat")
    return pod, pod.containers[0]


def _env(**container: Any) -> dict[str, str]:
    pod, spec = _read(**container)
    return container_env(
        spec,
        IMAGE,
        pod=pod,
        facts=FACTS,
        config_maps={"booking": {"LEVEL": "map", "ZONE": "Asia/Seoul"}},
        secrets={"seat-secrets": {"key": "s3cret"}},
        runtime_env={"PORT": "20001", "BIND": "127.0.0.1"},
    )


def test_nothing_of_the_parents_environment_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SECRET_KEY", "the control plane's")

    assert set(_env()) <= {"PATH", "LD_LIBRARY_PATH", "LANG", "PYTHONUNBUFFERED", "CLOVE_SERVICE", "LEVEL", "PORT", "BIND"}


def test_the_manifest_wins_over_the_image_and_the_runtime_over_both() -> None:
    env = _env(env=[{"name": "LEVEL", "value": "manifest"}, {"name": "PORT", "value": "8000"}])

    assert (env["LEVEL"], env["PORT"], env["CLOVE_SERVICE"]) == ("manifest", "20001", "seat")


def test_a_variable_wins_over_a_whole_map_and_the_map_over_the_image() -> None:
    env = _env(envFrom=[{"configMapRef": {"name": "booking"}, "prefix": ""}], env=[{"name": "ZONE", "value": "UTC"}])

    assert (env["LEVEL"], env["ZONE"]) == ("map", "UTC")


def test_values_come_from_secrets_maps_and_the_pod_itself() -> None:
    env = _env(
        env=[
            {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "seat-secrets", "key": "key"}}},
            {"name": "ZONE", "valueFrom": {"configMapKeyRef": {"name": "booking", "key": "ZONE"}}},
            {"name": "SPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
            {"name": "BOTH", "value": "$(KEY) in $(SPACE) at $(PORT)"},
        ]
    )

    assert (env["KEY"], env["ZONE"], env["SPACE"], env["APP"]) == ("s3cret", "Asia/Seoul", "clove-17", "seat")
    assert env["BOTH"] == "s3cret in clove-17 at 20001"


def test_an_optional_value_that_is_not_there_is_left_out_and_a_needed_one_is_refused() -> None:
    missing = {"name": "seat-secrets", "key": "none"}

    assert "KEY" not in _env(env=[{"name": "KEY", "valueFrom": {"secretKeyRef": {**missing, "optional": True}}}])
    with pytest.raises(Rejected):
        _env(env=[{"name": "KEY", "valueFrom": {"secretKeyRef": missing}}])
    with pytest.raises(Unsupported):
        _env(env=[{"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}])


def test_the_images_command_runs_with_this_interpreter_unless_the_manifest_has_its_own() -> None:
    _, plain = _read()
    _, own = _read(command=["/bin/true"], args=["$(PORT)"])

    assert container_argv(plain, IMAGE, {"PORT": "1"}) == [sys.executable, "-m", "service", "--port", "1"]
    assert container_argv(own, IMAGE, {"PORT": "1"}) == ["/bin/true", "1"]
