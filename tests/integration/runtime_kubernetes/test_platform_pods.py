"""The control plane in pods of its own: it comes up, lets its seller in, and opens a booking system with its own account's rights.

Needs KUBECONFIG with CLOVE_TEST_CLUSTER=1, kubectl, CLOVE_TEST_PLATFORM (a file of what docker.build --push printed, from a registry that
the cluster pulls from), the images of MariaDB and Redis in the cluster, and this machine to be a node of it. Takes three minutes.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from cryptography.fernet import Fernet

from controlplane.rendering.example import load_example
from controlplane.rendering.platform import NAMESPACE as PLATFORM
from controlplane.rendering.platform import PROCESSES, Options, platform_secrets, render_platform
from controlplane.runtime.kubernetes import Api
from controlplane.runtime.kubernetes.apiserver import api_servers
from controlplane.runtime.kubernetes.resources import BY_KIND, NAMESPACE, Resource
from controlplane.systems.keys import new_signing_key
from tests.integration.runtime_kubernetes.beside import STANDIN_KEY, address_of_a_node, standin
from tests.integration.runtime_kubernetes.edge import Edge
from tests.integration.runtime_kubernetes.test_rights import PLACES
from tests.runtime_contract import on_kubernetes
from tests.runtime_contract.on_kubernetes import BOUND_S, LOOK_EVERY_S
from tests.runtime_contract.supervised import eventually
from tests.stack import ROOT, Site

pytestmark = pytest.mark.timeout(4 * BOUND_S)
KINDS: dict[str, Resource] = {**BY_KIND, **PLACES}
PASSWORDS = {name: f"{name}-" + "x" * 30 for name in ("root", "mysql", "redis", "django")}
HOST, BASE_DOMAIN, SLUG = "clove.example.kr", "tickets.example.kr", "platform-test"
SELLER = "seller@clove.localhost"


@dataclass(frozen=True)
class Running:
    """A platform whose processes are all available. `edge` is where buyers come in."""

    api: Api
    edge: str

    def manage(self, *arguments: str) -> str:
        """What a management command says, run in a pod of web."""
        command = ["kubectl", "exec", "-n", PLATFORM, "deploy/web", "-c", "web", "--", "python", "manage.py", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=BOUND_S).stdout

    def session(self) -> requests.Session:
        """As from the gateway, which ends TLS."""
        session = requests.Session()
        session.trust_env = False
        session.headers.update({"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"})
        return session

    def url(self, path: str) -> str:
        service = self.api.get(BY_KIND["Service"], "web", PLATFORM)
        assert service is not None
        return f"http://{service['spec']['clusterIP']}:8000{path}"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    api = on_kubernetes.cluster()
    if "CLOVE_TEST_PLATFORM" not in os.environ or not shutil.which("kubectl"):
        pytest.skip("needs kubectl, and CLOVE_TEST_PLATFORM: a file of what docker.build --push printed")
    references = Path(os.environ["CLOVE_TEST_PLATFORM"]).read_text(encoding="utf-8").split()
    address = address_of_a_node(api)
    with contextlib.ExitStack() as stack:
        stack.enter_context(on_kubernetes.volumes(api, count=6, size="20Gi"))
        edge = Edge(api, address=address)
        stack.callback(edge.stop)
        payments = stack.enter_context(standin(tmp_path_factory.mktemp("beside"), address))
        found = api_servers(api)
        running = Running(api, f"http://{address}:{edge.port}")
        options = Options(
            image=next(reference for reference in references if "/controlplane@" in reference),
            host=HOST,
            base_domain=BASE_DOMAIN,
            routing="ingress",
            api_servers=found.networks,
            api_ports=found.ports,
            pool=[reference for reference in references if "/controlplane@" not in reference],
            settings={
                "ROUTING": "service",
                "CLOVE_CONNECT_URL": running.edge,
                "KAKAOPAY_URL": payments,
                "KAKAOPAY_SECRET_KEY_FILE": "/etc/clove/extra/kakaopay-secret-key",
            },
        )
        stack.callback(_remove, api)
        _apply(api, options)
        eventually(lambda: _available(api), until=lambda seen: seen == _wanted(), bound_s=BOUND_S, every_s=LOOK_EVERY_S)
        yield running


def test_its_processes_are_up_and_its_seller_logs_in_and_sells(platform: Running) -> None:
    users = dict(line.split() for line in platform.manage("setup", "--only-users").splitlines() if "@" in line and len(line.split()) == 2)
    _log_in(platform, SELLER, users[SELLER])
    api = platform.session()
    api.headers["Authorization"] = "Bearer " + platform.manage("token", SELLER).strip().splitlines()[-1]
    requirement = load_example(ROOT / "examples" / "musical.json", datetime.now(UTC)) | {"slug": SLUG}

    made = api.post(platform.url("/api/v1/systems"), json={"requirement": requirement, "deploy": True}, timeout=60)
    assert made.status_code == 201, made.text
    address = platform.url(f"/api/v1/systems/{made.json()['id']}")
    seen = eventually(
        lambda: api.get(address, timeout=60).json(),
        until=lambda system: system["state"] in ("live", "failed"),
        bound_s=BOUND_S,
        every_s=LOOK_EVERY_S,
    )
    assert seen["state"] == "live", seen["reason"]

    site = Site(platform.edge, f"{SLUG}.{BASE_DOMAIN}", platform.session())
    site.sign_up("buyer@example.com")
    order = site.buy(site.hold_any())
    assert (order["status"], len(order["tickets"])) == ("ISSUED", 1)

    assert site.call("POST", f"/api/ticket/orders/{order['id']}/cancel", json={}).status_code == 200
    assert api.delete(address, params={"name": SLUG}, timeout=60).status_code == 202
    eventually(
        lambda: api.get(address, timeout=60).json().get("state") in ("deleted", None),
        bound_s=BOUND_S,
        every_s=LOOK_EVERY_S,
    )


def _log_in(platform: Running, email: str, password: str) -> None:
    """As a browser does: the form, its token, and a page that only the account sees."""
    browser = platform.session()
    form = browser.get(platform.url("/login"), timeout=60)
    assert form.status_code == 200, form.text[:300]
    cookies = {cookie.name: cookie.value or "" for cookie in browser.cookies}
    token = cookies["__Host-clove_csrf"]
    # The cookies are for HTTPS alone, which ended before this connection.
    headers = {"Referer": f"https://{HOST}/login", "Origin": f"https://{HOST}", "Cookie": f"__Host-clove_csrf={token}"}
    entered = browser.post(
        platform.url("/login"),
        data={"username": email, "password": password, "csrfmiddlewaretoken": token},
        headers=headers,
        allow_redirects=False,
        timeout=60,
    )
    assert entered.status_code == 302, entered.text[:500]
    session = entered.cookies["__Host-clove_session"]
    page = browser.get(platform.url("/systems"), headers={"Cookie": f"__Host-clove_session={session}"}, allow_redirects=False, timeout=60)
    assert page.status_code == 200


def _apply(api: Api, options: Options) -> None:
    objects = render_platform(options)
    secrets = platform_secrets(PASSWORDS, fernet_key=Fernet.generate_key().decode(), staff_key=json.dumps(new_signing_key()))
    extra = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "extra", "namespace": PLATFORM},
        "stringData": {"kakaopay-secret-key": STANDIN_KEY},
    }
    namespaces = [item for item in objects if item["kind"] == "Namespace"]
    for item in (*namespaces, *secrets, extra, *(item for item in objects if item not in namespaces)):
        api.apply(item, KINDS[item["kind"]], force=True)


def _available(api: Api) -> dict[str, int]:
    found = api.items(BY_KIND["Deployment"], PLATFORM)
    return {item["metadata"]["name"]: item.get("status", {}).get("availableReplicas", 0) for item in found}


def _wanted() -> dict[str, int]:
    return {process.name: process.replicas for process in PROCESSES}


def _remove(api: Api) -> None:
    for kind in ("ClusterRoleBinding", "ClusterRole"):
        api.delete(KINDS[kind], "clove-controlplane")
    for name in (PLATFORM, *_systems(api)):
        api.delete(NAMESPACE, name)
        eventually(lambda name=name: api.get(NAMESPACE, name) is None, bound_s=BOUND_S, every_s=LOOK_EVERY_S)  # type: ignore[misc]


def _systems(api: Api) -> list[str]:
    """Namespaces that a test which failed has left."""
    return [item["metadata"]["name"] for item in api.items(NAMESPACE, selector="clove.dev/system")]
