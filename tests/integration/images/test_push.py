"""`docker.build --push` at a real registry: what it prints is what the registry has, byte for byte.

Needs buildah and docker-registry (packages of these names in Debian). The image is made of labels
alone: building a real one takes a minute.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from booking_templates import catalog
from controlplane.pool.selectors import pool_images
from controlplane.pool.services import register_bundled
from controlplane.rendering import images
from docker import build
from tests.ports import free_ports
from tests.stack import until

AUTH = build.IMAGES["be-auth"]
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an empty registry."""
    program = shutil.which("docker-registry")
    if not program or not shutil.which("buildah"):
        pytest.skip("needs buildah and docker-registry")
    home = tmp_path_factory.mktemp("registry")
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    settings = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(home / "data")}}, "http": {"addr": address}}
    (home / "config.yml").write_text(yaml.safe_dump(settings))
    with open(home / "log", "wb") as log:
        process = subprocess.Popen([program, "serve", str(home / "config.yml")], stdout=log, stderr=log)
    try:
        until("the registry", lambda: _get(address, "/v2/") is not None, timeout_s=30)
        yield address
    finally:
        process.terminate()
        process.wait(15)


@pytest.fixture
def reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An image with the labels of be-auth, in a store of this test alone."""
    store = f'[storage]\ndriver = "vfs"\ngraphroot = "{tmp_path / "graph"}"\nrunroot = "{tmp_path / "run"}"\n'
    (tmp_path / "storage.conf").write_text(store)
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(tmp_path / "storage.conf"))
    container = _buildah("from", "scratch")
    for name, value in AUTH.labels.items():
        _buildah("config", "--label", f"{name}={value}", container)
    _buildah("commit", "--quiet", container, AUTH.ref)
    return AUTH.ref


def test_the_printed_reference_names_what_the_registry_has(registry: str, reference: str) -> None:
    pushed = build.push(reference, registry, insecure=True)

    name, _, digest = pushed.partition("@")
    assert name == f"{registry}/{AUTH.ref.rpartition(':')[0]}"
    manifest = _get(registry, f"/v2/clove/be-auth/manifests/{digest}")
    assert manifest is not None
    assert "sha256:" + hashlib.sha256(manifest.content).hexdigest() == digest
    tags = _get(registry, "/v2/clove/be-auth/tags/list")
    assert tags is not None
    assert tags.json()["tags"] == [catalog.VERSION]
    assert images.from_labels(ref=pushed, labels=_labels(registry, manifest.json())).service == "auth"


def test_pushing_again_prints_the_same(registry: str, reference: str) -> None:
    assert build.push(reference, registry, insecure=True) == build.push(reference, registry, insecure=True)


def test_a_registry_that_is_away_is_told(reference: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(build.BuildFailed, match="buildah push"):
        build.push(reference, "127.0.0.1:1", insecure=True)

    assert "127.0.0.1:1" in capfd.readouterr().err


@pytest.mark.django_db
def test_the_pool_takes_the_printed_reference(registry: str, reference: str) -> None:
    pushed = build.push(reference, registry, insecure=True)

    register_bundled([pushed])

    pinned = next(image for image in pool_images() if image.service == "auth").pinned_ref
    assert (pinned.rpartition(f":{catalog.VERSION}@")[0], pinned.rpartition("@")[2]) == tuple(pushed.split("@"))


def _buildah(*arguments: str) -> str:
    return subprocess.run(["buildah", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def _get(address: str, path: str) -> requests.Response | None:
    try:
        answer = requests.get(f"http://{address}{path}", headers={"Accept": MANIFEST}, timeout=5)
    except requests.RequestException:
        return None
    return answer if answer.status_code == 200 else None


def _labels(address: str, manifest: dict[str, Any]) -> dict[str, str]:
    config = _get(address, f"/v2/clove/be-auth/blobs/{manifest['config']['digest']}")
    assert config is not None
    labels: dict[str, str] = json.loads(config.content)["config"]["Labels"]
    return labels
