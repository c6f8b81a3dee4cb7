"""The control plane's own objects on Kubernetes: restricted, whole, without a secret, and the same from the same options."""

from __future__ import annotations

import dataclasses
import importlib
import ipaddress
import json
from typing import Any

import pytest
from cryptography.fernet import Fernet

from controlplane.rendering.platform import PROCESSES, BadOption, Options, platform_secrets, render_platform, render_restore
from controlplane.rendering.render import to_yaml
from controlplane.runtime.kubernetes import preview

NEVER_DELETED = {"argocd.argoproj.io/sync-options": "Prune=false,Delete=false", "kustomize.toolkit.fluxcd.io/prune": "disabled"}
DIGEST = "sha256:" + "ab" * 32
OPTIONS = Options(
    image=f"registry.example/clove/controlplane@{DIGEST}",
    host="clove.example.kr",
    base_domain="tickets.example.kr",
    api_servers=("10.0.0.1/32",),
    pool=(f"registry.example/clove/be-auth@{DIGEST}",),
    settings={"EMAIL_HOST": "mail.example.kr", "KAKAOPAY_SECRET_KEY_FILE": "/etc/clove/extra/kakaopay-secret-key"},
)
PASSWORDS = {name: f"{name}-" + "x" * 30 for name in ("root", "mysql", "redis", "django")}


def objects_of(options: Options = OPTIONS) -> dict[tuple[str, str], dict[str, Any]]:
    return {(item["kind"], item["metadata"]["name"]): item for item in render_platform(options)}


def secrets() -> list[dict[str, Any]]:
    return platform_secrets(PASSWORDS, fernet_key=Fernet.generate_key().decode(), staff_key='{"kid": "k"}')


def pods(objects: dict[tuple[str, str], dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = {}
    for (kind, name), item in objects.items():
        spec = item["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else item.get("spec", {})
        if "template" in spec:
            found[name] = spec["template"]["spec"]
    return found


def test_the_same_options_render_to_the_same_bytes() -> None:
    assert to_yaml(render_platform(OPTIONS)) == to_yaml(render_platform(dataclasses.replace(OPTIONS)))


def test_all_parts_are_there_and_in_the_namespace() -> None:
    objects = objects_of()

    assert {name for kind, name in objects if kind == "Deployment"} == {"web", "worker", "beat", "watcher"}
    assert {name for kind, name in objects if kind == "StatefulSet"} == {"mysql", "redis"}
    assert {name for kind, name in objects if kind == "PodDisruptionBudget"} == {"web", "worker"}
    elsewhere = {name for name, item in objects.items() if item["metadata"].get("namespace", "clove") != "clove"}
    assert elsewhere == {("ServiceAccount", "preview")}


def test_who_syncs_the_platform_from_git_deletes_none_of_its_data() -> None:
    held = {name for name, item in objects_of().items() if NEVER_DELETED.items() <= item["metadata"].get("annotations", {}).items()}

    empty = {("Namespace", "clove-preview")}
    assert held == {name for name in objects_of() if name[0] in ("Namespace", "PersistentVolumeClaim")} - empty
    assert {("Namespace", "clove"), ("PersistentVolumeClaim", "mysql-data")} <= held


def test_every_pod_is_restricted_and_bounded() -> None:
    for name, pod in pods(objects_of()).items():
        assert pod["securityContext"]["runAsUser"] >= 10_000, name
        for container in (*pod["containers"], *pod.get("initContainers", ())):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert set(container["resources"]["limits"]) == {"cpu", "memory", "ephemeral-storage"}
            mounts = {mount["name"] for mount in container["volumeMounts"]}
            assert mounts <= {volume["name"] for volume in pod["volumes"]}


def test_only_what_asks_the_cluster_has_a_token() -> None:
    with_token = {name for name, pod in pods(objects_of()).items() if pod["automountServiceAccountToken"]}

    assert with_token == {"web", "worker", "watcher"}
    accounts = {name: pods(objects_of())[name]["serviceAccountName"] for name in with_token}
    assert accounts == {"web": "web", "worker": "controlplane", "watcher": "watcher"}


def test_the_namespace_for_trials_is_the_one_that_the_runtime_makes_where_there_is_none() -> None:
    made: list[Any] = []

    class Empty:
        def get(self, *_: Any) -> None:
            return None

        def apply(self, item: Any, _resource: Any) -> None:
            made.append(item)

    preview._make_trial_namespace(Empty())  # type: ignore[arg-type]

    objects = objects_of()
    assert made == [objects["Namespace", preview.TRIAL_NAMESPACE], objects["ServiceAccount", "preview"]]


def test_manifests_name_secrets_and_hold_none_and_each_that_is_named_is_made() -> None:
    made = {item["metadata"]["name"]: item["stringData"] for item in secrets()}
    text = json.dumps(render_platform(OPTIONS))
    assert not [value for values in made.values() for value in values.values() if value in text]

    for pod in pods(objects_of()).values():
        for secret in (volume["secret"] for volume in pod["volumes"] if "secret" in volume):
            assert secret.get("optional") or secret["secretName"] in made
            assert {item["key"] for item in secret.get("items", ())} <= set(made.get(secret["secretName"], ()))
        assert not [env for container in pod["containers"] for env in container.get("env", ()) if "valueFrom" in env]


def test_whatever_reads_the_settings_has_every_file_that_they_may_name() -> None:
    reading = {
        (name, container["name"]): {mount["mountPath"] for mount in container["volumeMounts"]}
        for name, pod in pods(objects_of()).items()
        for container in (*pod["containers"], *pod.get("initContainers", ()))
        if {"configMapRef": {"name": "controlplane"}} in container.get("envFrom", ())
    }

    assert len(reading) == 2 * len(PROCESSES) + 1
    for container, paths in reading.items():
        assert paths >= {"/etc/clove/secrets", "/etc/clove/extra", "/var/lib/clove/keys"}, container


def test_the_database_starts_is_backed_up_and_is_restored_by_scripts_that_are_there() -> None:
    objects = objects_of()
    there = set(objects["ConfigMap", "mysql-scripts"]["data"])
    restore = render_restore(mariadb_image=OPTIONS.mariadb_image, backup="latest", number=7)["spec"]["template"]["spec"]
    found = pods(objects)
    for pod, run in (
        (found["mysql"], ["mysql.sh", "start.sh"]),
        (found["mysql-backup"], ["backup.sh"]),
        (restore, ["mysql.sh", "restore.sh"]),
    ):
        (container,) = pod["containers"]
        assert [word.rpartition("/")[2] for word in container["command"][1:]] == run
        assert set(run) <= there
        assert {"name": "scripts", "mountPath": "/etc/clove/scripts", "readOnly": True} in container["volumeMounts"]
        assert {"configMap": {"name": "mysql-scripts", "defaultMode": 292}, "name": "scripts"} in pod["volumes"]


def test_a_restore_is_as_restricted_as_the_rest_reaches_the_database_and_is_of_a_backup_alone() -> None:
    job = render_restore(mariadb_image=OPTIONS.mariadb_image, backup="clove-20270110T040000Z.sql.gz", number=7)
    pod, backup = job["spec"]["template"]["spec"], pods(objects_of())["mysql-backup"]
    env = {each["name"]: each["value"] for each in pod["containers"][0]["env"]}

    assert job["metadata"]["name"] == "mysql-restore-7"
    assert (env["BACKUP"], env["RESTORE"], env["SCHEMAS"]) == ("clove-20270110T040000Z.sql.gz", "7", "clove")
    assert pod["securityContext"] == backup["securityContext"]
    assert pod["containers"][0]["securityContext"] == backup["containers"][0]["securityContext"]
    assert job["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] == "mysql-backup", "the network knows it by that"
    made = next(item["stringData"] for item in secrets() if item["metadata"]["name"] == "mysql")
    for secret in (volume["secret"] for volume in pod["volumes"] if "secret" in volume):
        assert {item["key"] for item in secret["items"]} <= set(made)
    for name in ("../x", "latest; reboot", ""):
        with pytest.raises(BadOption, match="--restore"):
            render_restore(mariadb_image=OPTIONS.mariadb_image, backup=name, number=7)
    with pytest.raises(BadOption, match="--mariadb-image"):
        render_restore(mariadb_image="a b", backup="latest", number=7)


def test_passwords_that_would_need_quoting_are_refused() -> None:
    with pytest.raises(ValueError, match="redis"):
        platform_secrets({**PASSWORDS, "redis": "a b" * 20}, fernet_key="", staff_key="")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"image": ""}, "--image"),
        ({"redis_image": "a b"}, "--image"),
        ({"host": "clove example"}, "--host"),
        ({"base_domain": "x_y"}, "--base-domain"),
        ({"gateway": "only-a-name"}, "--gateway"),
        ({"routing": "service"}, "--routing"),
        ({"api_servers": ("10.0.0.1/99",)}, "--api-server"),
        ({"api_servers": ()}, "--api-server: say where.*kubectl get endpointslices"),
        ({"api_servers": ("10.0.0.1/32", "0.0.0.0/0")}, "--api-server: 0.0.0.0/0 holds link-local"),
        ({"api_servers": ("169.254.169.254/32",)}, "--api-server: 169.254.169.254/32 holds link-local"),
        ({"api_servers": ("::/0",)}, "--api-server: ::/0 holds link-local"),
        ({"api_ports": (70_000,)}, "--api-port"),
        ({"settings": {"KAKAOPAY_SECRET_KEY": "live"}}, "--set KAKAOPAY_SECRET_KEY"),
        ({"settings": {"EMAIL_PASSWORD": "p"}}, "--set EMAIL_PASSWORD"),
        ({"settings": {"DATABASE_URL_FILE": "/x"}}, "--set DATABASE_URL_FILE"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_name(change: dict[str, Any], word: str) -> None:
    with pytest.raises(BadOption, match=word):
        render_platform(dataclasses.replace(OPTIONS, **change))


def test_hostile_settings_stay_text() -> None:
    hostile = 'x"}}\nkind: Secret\n---\n{{ config }}'
    config = objects_of(dataclasses.replace(OPTIONS, settings={"CLOVE_LANGUAGE": hostile}))["ConfigMap", "controlplane"]["data"]

    assert config["CLOVE_LANGUAGE"] == hostile


def test_another_image_or_setting_brings_another_setup_and_new_pods() -> None:
    def mark(options: Options) -> tuple[str, str]:
        objects = objects_of(options)
        job = next(name for kind, name in objects if kind == "Job")
        return job, objects["Deployment", "web"]["spec"]["template"]["metadata"]["annotations"]["clove.dev/config"]

    before, after = mark(OPTIONS), mark(dataclasses.replace(OPTIONS, settings={"CLOVE_LANGUAGE": "en"}))
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_an_ingress_takes_the_place_of_the_route() -> None:
    objects = objects_of(dataclasses.replace(OPTIONS, routing="ingress", ingress_class="nginx", tls_secret="portal-tls"))

    assert ("HTTPRoute", "web") not in objects
    spec = objects["Ingress", "web"]["spec"]
    assert spec["ingressClassName"] == "nginx"
    assert spec["tls"] == [{"hosts": ["clove.example.kr"], "secretName": "portal-tls"}]


def test_only_the_control_plane_reaches_its_database_and_its_queue() -> None:
    objects = objects_of()
    for name in ("mysql", "redis"):
        rule = objects["NetworkPolicy", name]["spec"]["ingress"][0]
        callers = set(rule["from"][0]["podSelector"]["matchExpressions"][0]["values"])
        assert callers - {"mysql-backup", "setup"} == {process.name for process in PROCESSES}
    assert objects["NetworkPolicy", "default-deny"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_the_modules_that_commands_name_are_there() -> None:
    for process in PROCESSES:
        for word in process.command:
            if word.startswith("controlplane."):
                module, _, name = word.partition(":") if ":" in word else word.rpartition(".")
                assert hasattr(importlib.import_module(module), name), word


def test_the_processes_reach_what_the_settings_lead_to_and_no_more() -> None:
    def ways(**settings: str) -> list[dict[str, Any]]:
        rules: list[dict[str, Any]] = objects_of(dataclasses.replace(OPTIONS, settings=settings))["NetworkPolicy", "beyond"]["spec"][
            "egress"
        ]
        return [rule for rule in rules if rule not in usual]

    usual: list[dict[str, Any]] = []
    usual = ways()
    assert ways(CLOVE_CONNECT_URL="http://10.0.0.7:8080") == [
        {"to": [{"ipBlock": {"cidr": "10.0.0.7/32"}}], "ports": [{"protocol": "TCP", "port": 8080}]}
    ]
    assert ways(CLOVE_CONNECT_URL="http://edge.routing.svc:8080") == [
        {
            "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "routing"}}}],
            "ports": [{"protocol": "TCP", "port": 8080}],
        }
    ]
    outside = ways(CLOVE_BOOKING_DATABASE="mysql", CLOVE_BOOKING_DATABASE_NETWORKS="10.1.2.0/24, 10.1.3.0/24")
    assert [rule["to"][0]["ipBlock"]["cidr"] for rule in outside] == ["10.1.2.0/24", "10.1.3.0/24"]


@pytest.mark.parametrize("address", ["169.254.169.254", "169.254.170.2"])
def test_nothing_of_the_platform_reaches_what_machines_have_their_credentials_from(address: str) -> None:
    """By any port, also where settings lead out by a name of which nobody knows where it is."""
    settings = {"CLOVE_CONNECT_URL": "http://edge.example.kr", "CLOVE_MAIL": "smtp+plain://mail.example.kr"}
    blocks = [
        peer["ipBlock"]
        for (kind, _), item in objects_of(dataclasses.replace(OPTIONS, settings=settings)).items()
        if kind == "NetworkPolicy"
        for rule in item["spec"].get("egress", ())
        for peer in rule["to"]
        if "ipBlock" in peer
    ]
    assert {"cidr": "10.0.0.1/32"} in blocks
    assert len(blocks) == 4
    for block in blocks:
        is_in = [ipaddress.ip_address(address) in ipaddress.ip_network(network) for network in (block["cidr"], *block.get("except", ()))]
        assert not is_in[0] or any(is_in[1:]), block


def test_the_api_is_reached_at_its_own_addresses_and_ports_alone() -> None:
    rules = objects_of(dataclasses.replace(OPTIONS, api_servers=("10.0.0.0/28", "fd00::1/128"), api_ports=(16443,)))
    first = rules["NetworkPolicy", "beyond"]["spec"]["egress"][0]
    assert first == {
        "to": [{"ipBlock": {"cidr": "10.0.0.0/28"}}, {"ipBlock": {"cidr": "fd00::1/128"}}],
        "ports": [{"protocol": "TCP", "port": 16443}],
    }
