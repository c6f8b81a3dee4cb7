"""checkov over everything that is rendered: all checks for Kubernetes pass, and a check that is skipped has its reason beside it.

`./clove test policy` installs checkov into .venv-policy first. It runs offline.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from booking_templates import catalog
from controlplane.rendering import images
from controlplane.rendering.choose import choose
from controlplane.rendering.database import DatabaseChoice
from controlplane.rendering.plan import Plan, Platform, Restore, Site, make_plan
from controlplane.rendering.platform import Options, render_platform
from controlplane.rendering.render import render, to_yaml
from controlplane.rendering.requirement import validate
from controlplane.runtime.kubernetes.routing import Routing, RoutingChoice, routed
from tests.controlplane import numbered_requirement

ROOT = Path(__file__).resolve().parents[2]
DIGEST = "sha256:" + "ab" * 32
SKIPS = {"CKV_K8S_38"}
"""Checks that an object may skip, by an annotation that says why. A new one belongs here, so that nobody adds one unseen."""


def _checkov() -> str:
    found = next(
        (
            path
            for name in (os.environ.get("CLOVE_CHECKOV"), str(ROOT / ".venv-policy/bin/checkov"), "checkov")
            if name and (path := shutil.which(name))
        ),
        None,
    )
    if not found:
        pytest.skip("needs checkov: ./clove test policy installs it")
    return found


def _booking(choice: DatabaseChoice | None) -> Plan:
    requirement = validate(numbered_requirement())
    assert not isinstance(requirement, list), requirement
    pool = [images.from_labels(ref=entry.ref, labels=entry.labels, digest=DIGEST) for entry in catalog.IMAGES]
    site = Site(17, "clove-17", "3", "little", "little.example.kr", "https://little.example.kr")
    platform = Platform("Asia/Seoul", "ko", {}, "clove-gateway", "clove", choice)
    plan = make_plan(requirement, choose(pool, requirement.facts).images, site=site, platform=platform)
    services = tuple(dataclasses.replace(service, replicas=2 if choice else 1) for service in plan.services)
    return dataclasses.replace(plan, services=services)


def _platform(routing: str) -> list[dict[str, Any]]:
    name = f"registry.example/clove/x@{DIGEST}"
    return render_platform(
        Options(
            image=name,
            mariadb_image=name,
            redis_image=name,
            host="clove.example.kr",
            base_domain="clove.example.kr",
            routing=routing,
            api_servers=("10.0.0.1/32",),
        )
    )


def _rendered(name: str) -> list[Any]:
    mariadb = DatabaseChoice(image=f"registry.example/mariadb@{DIGEST}")
    if name == "platform":
        return _platform("gateway")
    if name == "platform behind an ingress":
        return _platform("ingress")
    if name == "booking system with files":
        return render(_booking(None))
    if name == "booking system behind an ingress":
        return routed(render(_booking(mariadb)), RoutingChoice(Routing.INGRESS, tls_secret="tls"))
    plan = _booking(mariadb)
    return render(dataclasses.replace(plan, restore=Restore("latest", 1)))


@pytest.mark.parametrize(
    "name",
    [
        "booking system with a database",
        "booking system with files",
        "booking system behind an ingress",
        "platform",
        "platform behind an ingress",
    ],
)
@pytest.mark.timeout(300)
def test_every_check_passes_or_has_its_reason(name: str, tmp_path: Path) -> None:
    (tmp_path / "objects.yaml").write_text(to_yaml(_rendered(name)))

    command = [_checkov(), "--skip-download", "--framework", "kubernetes", "--output", "json", "--directory", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)

    found = json.loads(done.stdout)["results"]
    assert not found["parsing_errors"]
    assert not [f"{one['check_id']} {one['check_name']}: {one['resource']}" for one in found["failed_checks"]]
    assert len(found["passed_checks"]) > 300
    skipped = {(one["check_id"], one["resource"]): one["check_result"].get("suppress_comment", "") for one in found["skipped_checks"]}
    assert {check for check, _ in skipped} <= SKIPS
    assert all(re.search(r"[a-z]{3}", reason) for reason in skipped.values()), skipped
