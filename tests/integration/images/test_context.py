"""What a builder is given of a checkout: what images are made of, and never a secret that lies beside.

Needs buildah, or docker with buildx.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from docker import build

GIVEN = (
    "manage.py",
    "requirements.txt",
    "controlplane/config/settings.py",
    "booking_templates/catalog.py",
    "docker/service-requirements.txt",
)
KEPT_BACK = (
    ".env",
    ".git/config",
    "secrets/fernet-keys",
    "var/keys/django-secret",
    "tests/test_x.py",
    "docker/build.py",
    "controlplane/config/__pycache__/settings.pyc",
)


def builder() -> list[str]:
    if shutil.which("buildah"):
        return ["buildah", "bud", "--quiet", "--isolation=chroot"]
    if shutil.which("docker") and not subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False).returncode:
        return ["docker", "buildx", "build", "--quiet"]
    pytest.skip("needs buildah, or docker with buildx")


def test_a_builder_gets_what_images_are_made_of_and_no_secret_that_lies_beside(tmp_path: Path) -> None:
    command = builder()
    checkout, out, made = tmp_path / "checkout", tmp_path / "out", tmp_path / "image"
    for name in (*GIVEN, *KEPT_BACK):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text(name)
    shutil.copy(build.ROOT / ".dockerignore", checkout)
    dockerfile = tmp_path / "any.Dockerfile"
    dockerfile.write_text("FROM scratch\nCOPY . /\n")

    subprocess.run(
        [*command, f"--iidfile={made}", f"--output=type=local,dest={out}", "-f", str(dockerfile), "."],
        cwd=checkout,
        check=True,
        timeout=120,
    )

    assert {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} == set(GIVEN)
    if command[0] == "buildah":
        subprocess.run(["buildah", "rmi", made.read_text().strip()], capture_output=True, check=False)
