"""What runs beside a cluster for its pods: the payment stand-in, on a machine that is one of its nodes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import requests

from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.resources import NODE
from tests.ports import free_ports
from tests.stack import ROOT, until

STANDIN_KEY = "key-of-the-stand-in"


@contextlib.contextmanager
def standin(directory: Path, address: str) -> Iterator[str]:
    """The payment stand-in, where pods reach it."""
    (port,) = free_ports(1)
    url = f"http://{address}:{port}"
    home = directory / "standin"
    (home / "secrets").mkdir(parents=True)
    (home / "secrets" / "django-secret").write_text("x" * 50)
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "CLOVE_SERVICE": "standin",
        "CLOVE_SYSTEM": "standin",
        "BIND": address,
        "PORT": str(port),
        "CLOVE_PUBLIC_URL": url,
        "CLOVE_SECRETS_DIR": str(home / "secrets"),
        "CLOVE_DATABASE": f"sqlite:///{home / 'db.sqlite3'}",
        "STANDIN_SECRET_KEY": STANDIN_KEY,
    }
    env.pop("DJANGO_SETTINGS_MODULE", None)
    with open(home / "log", "wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "booking_templates", "serve"], cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        until("the stand-in", lambda: _answers(url + "/readyz"), timeout_s=60)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def address_of_a_node(api: Api) -> str:
    """Of this machine as a node of the cluster."""
    addresses = [one for node in api.items(NODE) for one in node["status"].get("addresses") or ()]
    return next(one["address"] for one in addresses if one["type"] == "InternalIP")


def _answers(url: str) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(url, timeout=5).status_code == 200
    return False
