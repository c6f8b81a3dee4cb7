"""compose.yaml: the same parts as on Kubernetes, as shut, and taken by docker compose where it is installed."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from controlplane.config import settings
from controlplane.rendering.platform import PROCESSES, Options, render_platform
from controlplane.systems.management.commands.compose_secrets import EXTRA, FILES

ROOT = Path(__file__).resolve().parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
IMAGE = "registry.example.kr/clove/controlplane@sha256:" + "0" * 64
NOT_FOR_COMPOSE = {
    *("CLOVE_PORT", "CLOVE_ROUTER_PORT", "CLOVE_STANDIN_PORT", "CLOVE_DEBUG"),
    # Files that compose_secrets makes, where settings look for them.
    *("CLOVE_SECRET_KEY", "CLOVE_SECRET_KEY_FALLBACKS", "CLOVE_SECRET_KEYS"),
}
HOLD_SECRETS = {"DATABASE_URL", "REDIS_URL", "CLOVE_BOOKING_DATABASE_URL", "KAKAOPAY_SECRET_KEY"}


def test_it_has_the_parts_that_a_cluster_has_with_the_same_commands() -> None:
    objects = render_platform(
        Options(image="clove/controlplane:1.0.0", host="localhost", base_domain="localhost", api_servers=("10.0.0.1/32",))
    )
    parts = {item["metadata"]["name"] for item in objects if item["kind"] in ("Deployment", "StatefulSet")}

    assert set(SERVICES) == parts | {"setup", "mysql-backup"}
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
        for volume in service.get("volumes", ()):
            if isinstance(volume, str):
                assert re.match(r"[a-z-]+:/", volume), f"{name} has a directory of the host"
            else:
                assert (volume["source"], volume["read_only"]) in ((f"./secrets/{EXTRA}", True), ("./manifests", True))


def test_only_the_portal_is_published_and_to_this_machine_alone_unless_told_otherwise() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "web": ["${CLOVE_BIND:-127.0.0.1}:${CLOVE_PORT:-8000}:8000"]
    }
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert {name for name, service in SERVICES.items() if service["networks"] == ["inside"]} == {"mysql", "mysql-backup", "redis", "beat"}


def test_an_image_of_the_control_plane_is_only_taken_by_the_name_that_was_given() -> None:
    for process in (*PROCESSES, "setup"):
        image = SERVICES[process if isinstance(process, str) else process.name]["image"]
        assert image.startswith("${CLOVE_IMAGE:?"), "a name that this host has not would be looked for at a public registry"


def test_what_settings_read_can_be_given_and_secrets_only_as_files() -> None:
    rows = re.findall(r"^\| ([A-Z_, ]+) \|", settings.__doc__ or "", flags=re.MULTILINE)
    known = {name for row in rows for name in row.split(", ")}
    assert len(known) > 25

    for process in (*(process.name for process in PROCESSES), "setup"):
        given = set(SERVICES[process]["environment"])
        assert {name for name in known - NOT_FOR_COMPOSE if not {name, f"{name}_FILE"} & given} == set()
        assert not given & HOLD_SECRETS


def test_only_what_asks_the_cluster_holds_its_credentials() -> None:
    asking = {process.name for process in PROCESSES if process.asks_cluster}
    assert {name for name, service in SERVICES.items() if "kubeconfig" in service.get("secrets", ())} == asking


def test_secrets_are_files_that_the_command_makes() -> None:
    assert {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()} == set(FILES) | {"kubeconfig", "pool"}
    for service in SERVICES.values():
        names = {secret if isinstance(secret, str) else secret["source"] for secret in service.get("secrets", ())}
        assert names <= set(COMPOSE["secrets"])
        assert not [name for name in service.get("environment", {}) if "PASSWORD" in name and not name.endswith("_FILE")]


def test_secrets_are_made_once_and_never_overwritten(tmp_path: Path) -> None:
    directory = tmp_path / "secrets"
    call_command("compose_secrets", directory)
    before = _files(directory)

    assert set(before) == set(FILES)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert before["mysql-password"] in before["database-url"]
    with pytest.raises(CommandError, match="already"):
        call_command("compose_secrets", directory)
    assert _files(directory) == before
    assert stat.S_IMODE((directory / EXTRA).stat().st_mode) == 0o755, "a process that is not root reads files there"


def _files(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir() if path.name != EXTRA}


def _compose() -> list[str]:
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False) if shutil.which("docker") else None
    if plugin and plugin.returncode == 0:
        return ["docker", "compose"]
    pytest.skip("needs docker compose, which this machine does not have (no engine has to run)")


def _config(directory: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Of a copy: a .env beside the checkout's own is somebody's platform."""
    (directory / "compose.yaml").write_text((ROOT / "compose.yaml").read_text())
    (directory / ".env").write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
    command = [*_compose(), "-f", "compose.yaml", "config"]
    env = {"PATH": os.environ["PATH"]}
    return subprocess.run(command, cwd=directory, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_docker_compose_takes_it_as_it_stands(tmp_path: Path) -> None:
    done = _config(tmp_path, CLOVE_IMAGE=IMAGE, CLOVE_HOST="clove.example.kr", CLOVE_PROXIES="1")

    assert done.returncode == 0, done.stderr
    read = yaml.safe_load(done.stdout)
    assert set(read["services"]) == set(SERVICES)
    environment = read["services"]["web"]["environment"]
    assert (environment["CLOVE_ALLOWED_HOSTS"], environment["CLOVE_PROXIES"]) == ("clove.example.kr", "1")
    assert environment["KAKAOPAY_URL"] is None, "what is not given is not set"
    assert {read["services"][process.name]["image"] for process in PROCESSES} == {IMAGE}
    assert read["services"]["worker"]["depends_on"] == {"setup": {"condition": "service_completed_successfully"}}


def test_docker_compose_says_which_variable_is_missing(tmp_path: Path) -> None:
    done = _config(tmp_path, CLOVE_HOST="clove.example.kr")

    assert done.returncode != 0
    assert "CLOVE_IMAGE" in done.stderr
