"""The images of the pool as they were built on this machine: how small they are, and what a start takes.

Needs buildah, root (for a look into an image), the base and images that `python -m docker.build` made.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import urllib3

from docker import build
from tests.booking_keys import Keyring
from tests.ports import free_ports

BASE = os.environ.get("CLOVE_TEST_BASE", "docker.io/library/python:3.13-slim")
BEYOND_ITS_BASE_MB = 120.0
START_CPU_S = 1.5
READY_WITHIN_S = 60.0
SERVE = "cd /app && exec python -m booking_templates serve"
CHROOT = shutil.which("chroot") or "chroot"
UNITS = {"KB": 1e-3, "MB": 1.0, "GB": 1e3}


def _buildah(*arguments: str) -> str:
    return subprocess.run(["buildah", *arguments], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def sizes_mb() -> dict[str, float]:
    """What is here, by its names."""
    if not shutil.which("buildah") or os.geteuid():
        pytest.skip("needs buildah and root")
    found: dict[str, float] = {}
    for image in json.loads(_buildah("images", "--json")):
        number, unit = image["size"].split()
        found |= {name: float(number) * UNITS[unit] for name in image.get("names") or ()}
    return found


@pytest.fixture(params=sorted(build.IMAGES))
def reference(request: pytest.FixtureRequest, sizes_mb: dict[str, float]) -> str:
    name = f"localhost/{build.IMAGES[request.param].ref}"
    if BASE not in sizes_mb or name not in sizes_mb:
        pytest.skip(f"{name} was not built here, or its base {BASE} is not here")
    return name


def test_a_service_is_small(reference: str, sizes_mb: dict[str, float]) -> None:
    beyond_mb = sizes_mb[reference] - sizes_mb[BASE]
    assert beyond_mb <= BEYOND_ITS_BASE_MB, f"{beyond_mb:.0f} MB"


@pytest.fixture
def root(reference: str) -> Iterator[Path]:
    """The image's files, in a container that goes afterwards."""
    container = _buildah("from", "--pull-never", reference)
    try:
        yield Path(_buildah("mount", container))
    finally:
        _buildah("rm", container)


def test_a_service_starts_with_little_of_the_processor(reference: str, root: Path) -> None:
    service = build.IMAGES[reference.rpartition("/")[2].partition(":")[0]].service
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [CHROOT, "--userspec=10001:10001", str(root), "/bin/sh", "-c", SERVE],
        env=_environment(reference, root, service, port),
        stdout=subprocess.DEVNULL,
        stderr=(root.parent / "log").open("wb"),
        start_new_session=True,
    )
    try:
        _await_ready(process, port, root.parent / "log")
        parent = psutil.Process(process.pid)
        times = [one.cpu_times() for one in (parent, *parent.children(recursive=True))]
        # Of the shell that it began as nothing is left, and of the children that ended their parent knows.
        used_s = sum(one.user + one.system for one in times) + times[0].children_user + times[0].children_system
        assert used_s <= START_CPU_S, f"{used_s:.2f} s"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _environment(reference: str, root: Path, service: str, port: int) -> dict[str, str]:
    """What a pod of it has: the image's own and the system's, with its secrets and a place for its data in ROOT."""
    keys = Keyring("clove-1")
    keys.write_secrets(root / "etc/clove/secrets", service)
    keys.write_trust(root / "etc/clove/trust")
    data = root / "var/lib/clove"
    data.mkdir(parents=True, exist_ok=True)
    os.chown(data, 10001, 10001)
    own = dict(pair.split("=", 1) for pair in json.loads(_buildah("inspect", "--type", "image", reference))["OCIv1"]["config"]["Env"])
    is_stateful = build.IMAGES[reference.rpartition("/")[2].partition(":")[0]].stateful or service == "standin"
    return own | {
        "BIND": "127.0.0.1",
        "PORT": str(port),
        "CLOVE_SYSTEM": "clove-1",
        "CLOVE_PUBLIC_URL": "http://phantom.localhost",
        "CLOVE_SECRETS_DIR": "/etc/clove/secrets",
        "CLOVE_TRUST_DIR": "/etc/clove/trust",
        "CLOVE_TIME_ZONE": "Asia/Seoul",
        "CLOVE_LANGUAGE": "ko",
        "STANDIN_ADMIN_KEY": "admin",
        **({"CLOVE_DATABASE": "sqlite:////var/lib/clove/db.sqlite3"} if is_stateful else {}),
    }


def _await_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if urllib3.request("GET", f"http://127.0.0.1:{port}/readyz", timeout=5, retries=False).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            time.sleep(0.02)
    pytest.fail(f"not ready within {READY_WITHIN_S:g} s\n{log.read_text()}")
