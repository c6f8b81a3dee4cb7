"""Which cluster: a kubeconfig, a context of it, or the account of the pod."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from kubernetes.config import incluster_config, kube_config

from controlplane.runtime.errors import RuntimeUnavailable
from controlplane.runtime.kubernetes import configuration


@pytest.fixture(autouse=True)
def no_kubeconfig(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As on a machine where nobody uses a cluster."""
    _use(monkeypatch, tmp_path / "none")
    for name in ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)


def _use(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    # The client reads $KUBECONFIG when it is imported.
    for module in (kube_config, __import__("kubernetes.config", fromlist=["config"])):
        monkeypatch.setattr(module, "KUBE_CONFIG_DEFAULT_LOCATION", str(path))


@pytest.fixture
def kubeconfig(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two clusters, of which `first` is the current one."""
    path = tmp_path / "kubeconfig"
    names = ("first", "second")
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "first",
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}.example"}} for name in names],
        "users": [{"name": name, "user": {"token": f"token-of-{name}"}} for name in names],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in names],
    }
    path.write_text(yaml.safe_dump(content))
    _use(monkeypatch, path)


@pytest.mark.usefixtures("kubeconfig")
@pytest.mark.parametrize(("context", "server"), [("", "https://first.example"), ("second", "https://second.example")])
def test_a_kubeconfig_gives_its_current_context_or_the_one_that_is_named(context: str, server: str) -> None:
    assert configuration(context=context)().host == server


def test_a_pod_is_its_own_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    for constant, name, text in (
        ("SERVICE_TOKEN_FILENAME", "token", "token-of-the-pod"),
        ("SERVICE_CERT_FILENAME", "ca.crt", "a certificate"),
    ):
        (tmp_path / name).write_text(text)
        monkeypatch.setattr(incluster_config, constant, str(tmp_path / name))

    read = configuration()()

    assert (read.host, read.ssl_ca_cert) == ("https://10.96.0.1:443", str(tmp_path / "ca.crt"))
    assert "token-of-the-pod" in str(read.auth_settings()["BearerToken"]["value"])


@pytest.mark.parametrize("context", ["", "second"])
def test_none_is_a_passing_failure(context: str) -> None:
    with pytest.raises(RuntimeUnavailable, match="No cluster"):
        configuration(context=context)()


@pytest.mark.usefixtures("kubeconfig")
def test_a_context_that_is_not_there_is_told() -> None:
    with pytest.raises(RuntimeUnavailable, match="third"):
        configuration(context="third")()


@pytest.mark.usefixtures("kubeconfig")
def test_a_kubeconfig_that_is_being_written_is_a_passing_failure(tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text("clusters: [{")

    with pytest.raises(RuntimeUnavailable, match="No cluster"):
        configuration()()
