"""Where the cluster's own API answers, by the cluster's own word, and what is rendered without that."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from controlplane.runtime.errors import RuntimeUnavailable
from controlplane.runtime.kubernetes import Api
from controlplane.runtime.kubernetes.apiserver import ApiServers, api_servers
from tests.unit.controlplane.runtime.kubernetes.scripted import Script, scripted

ROOT = Path(__file__).resolve().parents[5]
SLICES: dict[str, Any] = {
    "metadata": {},
    "items": [
        {"endpoints": [{"addresses": ["10.1.0.3"]}, {"addresses": ["10.1.0.2"]}], "ports": [{"name": "https", "port": 6443}]},
        {"endpoints": [{"addresses": ["fd00::2"]}], "ports": [{"name": "https", "port": 6443}]},
        {"endpoints": None, "ports": None},
    ],
}
SERVICE = {"metadata": {}, "spec": {"clusterIPs": ["10.96.0.1", "fd00:1::1"], "ports": [{"port": 443}]}}


@pytest.fixture
def server() -> Iterator[tuple[Script, Api]]:
    with scripted() as made:
        yield made


def by_line(slices: dict[str, Any]) -> Any:
    return lambda line: (200, slices if "endpointslices" in line else SERVICE)


def test_the_servers_and_the_service_before_them_are_told_with_their_ports(server: tuple[Script, Api]) -> None:
    script, api = server
    script.answers = [by_line(SLICES)]

    assert api_servers(api) == ApiServers(("10.1.0.2/32", "10.1.0.3/32", "10.96.0.1/32", "fd00::2/128", "fd00:1::1/128"), (443, 6443))
    assert "/namespaces/default/endpointslices?" in script.asked[0]
    assert "kubernetes.io/service-name%3Dkubernetes" in script.asked[0]


def test_a_cluster_that_does_not_say_is_not_guessed_at(server: tuple[Script, Api]) -> None:
    script, api = server
    script.answers = [by_line({"metadata": {}, "items": []})]

    with pytest.raises(RuntimeUnavailable, match="no endpoints of the Service default/kubernetes"):
        api_servers(api)


def rendered(tmp_path: Path, *arguments: str, cluster: str = "") -> subprocess.CompletedProcess[str]:
    kubeconfig = tmp_path / "kubeconfig"
    if cluster:
        documents = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": cluster}}],
            "users": [{"name": "test", "user": {}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        }
        kubeconfig.write_text(yaml.safe_dump(documents))
    env = {**os.environ, "CLOVE_HOME": str(tmp_path / "home"), "KUBECONFIG": str(kubeconfig), "HOME": str(tmp_path)}
    env.pop("KUBERNETES_SERVICE_HOST", None)
    command = [sys.executable, "manage.py", "render_platform", "--image", "registry.example/controlplane", "--host", "clove.example.kr"]
    return subprocess.run([*command, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def opened(done: subprocess.CompletedProcess[str]) -> tuple[list[str], list[int]]:
    assert done.returncode == 0, done.stderr
    policies = [item for item in yaml.safe_load_all(done.stdout) if item["kind"] == "NetworkPolicy"]
    rule = next(item for item in policies if item["metadata"]["name"] == "beyond")["spec"]["egress"][0]
    return [peer["ipBlock"]["cidr"] for peer in rule["to"]], [each["port"] for each in rule["ports"]]


def test_the_platform_is_rendered_with_what_the_cluster_of_the_kubeconfig_says(server: tuple[Script, Api], tmp_path: Path) -> None:
    script, api = server
    script.answers = [by_line(SLICES)]

    done = rendered(tmp_path, cluster=api._configure().host)

    assert opened(done) == (["10.1.0.2/32", "10.1.0.3/32", "10.96.0.1/32", "fd00::2/128", "fd00:1::1/128"], [443, 6443])
    assert "10.1.0.2/32, 10.1.0.3/32" in done.stderr


def test_what_is_said_needs_no_cluster_and_what_nobody_says_is_asked_for(tmp_path: Path) -> None:
    assert opened(rendered(tmp_path, "--api-server", "10.0.0.0/28", "--api-port", "16443")) == (["10.0.0.0/28"], [16443])

    done = rendered(tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert "--api-server: say where the cluster's API answers" in done.stderr
    assert "kubectl get endpointslices -n default" in done.stderr
    assert "No cluster is configured" in done.stderr
