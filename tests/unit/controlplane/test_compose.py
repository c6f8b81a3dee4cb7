"""compose.yaml: the same parts as on Kubernetes, as shut, and taken by docker compose where it is installed."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from controlplane.rendering.platform import PROCESSES, Options, render_platform
from controlplane.systems.management.commands.compose_secrets import FILES

ROOT = Path(__file__).resolve().parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_it_has_the_parts_that_a_cluster_has_with_the_same_commands() -> None:
    objects = render_platform(Options(image="clove/controlplane:1.0.0", host="localhost", base_domain="localhost"))
    parts = {item["metadata"]["name"] for item in objects if item["kind"] in ("Deployment", "StatefulSet")}

    assert set(SERVICES) == parts | {"setup"}
    for process in PROCESSES:
        assert [word for word in process.command if word not in ("--loglevel", "INFO")] == SERVICES[process.name]["command"]


def test_every_container_is_shut_bounded_and_watched() -> None:
    for name, service in SERVICES.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["read_only"] is True
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["user"] not in ("root", "0")
        assert service["mem_limit"]
        assert service["healthcheck"]
        assert "privileged" not in service
        assert not [volume for volume in service.get("volumes", ()) if volume.startswith(("/", "."))]


def test_only_the_portal_is_published_and_to_this_machine_alone_unless_told_otherwise() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "web": ["${CLOVE_BIND:-127.0.0.1}:${CLOVE_PORT:-8000}:8000"]
    }
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert {name for name, service in SERVICES.items() if service["networks"] == ["inside"]} == {"mysql", "redis", "beat"}


def test_secrets_are_files_that_the_command_makes() -> None:
    assert {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()} == set(FILES) | {"kubeconfig", "pool"}
    for service in SERVICES.values():
        names = {secret if isinstance(secret, str) else secret["source"] for secret in service.get("secrets", ())}
        assert names <= set(COMPOSE["secrets"])
        assert not [name for name in service.get("environment", {}) if "PASSWORD" in name and not name.endswith("_FILE")]


def test_secrets_are_made_once_and_never_overwritten(tmp_path: Path) -> None:
    directory = tmp_path / "secrets"
    call_command("compose_secrets", directory)
    before = {path.name: path.read_text() for path in directory.iterdir()}

    assert set(before) == set(FILES)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert before["mysql-password"] in before["database-url"]
    with pytest.raises(CommandError, match="already"):
        call_command("compose_secrets", directory)
    assert {path.name: path.read_text() for path in directory.iterdir()} == before


def _compose() -> list[str]:
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False) if shutil.which("docker") else None
    if plugin and plugin.returncode == 0:
        return ["docker", "compose"]
    pytest.skip("needs docker compose, which this machine does not have (no engine has to run)")


def test_docker_compose_takes_it_as_it_stands() -> None:
    done = subprocess.run(
        [*_compose(), "-f", "compose.yaml", "config"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "CLOVE_HOST": "clove.example.kr"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    read = yaml.safe_load(done.stdout)
    assert set(read["services"]) == set(SERVICES)
    assert read["services"]["web"]["environment"]["CLOVE_ALLOWED_HOSTS"] == "clove.example.kr"
    assert read["services"]["worker"]["depends_on"] == {"setup": {"condition": "service_completed_successfully"}}
