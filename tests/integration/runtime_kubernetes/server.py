"""A real API server for tests, without controllers and nodes: etcd and kube-apiserver from $KUBEBUILDER_ASSETS, as envtest has it."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.ports import free_ports

ADMIN_TOKEN, NOBODY_TOKEN = "token-of-the-admin", "token-of-nobody"
START_S = 60.0


@dataclass(frozen=True)
class ApiServer:
    """`admin` and `nobody` are kubeconfig files; nobody may do nothing. `stranger` is of a token that the server does not know."""

    url: str
    admin: Path
    nobody: Path
    stranger: Path


def assets() -> tuple[str, str]:
    """The programs etcd and kube-apiserver; skips the test when there are none."""
    directory = os.environ.get("KUBEBUILDER_ASSETS", "")
    if not directory:
        pytest.skip("needs KUBEBUILDER_ASSETS: a directory with etcd and kube-apiserver")
    etcd = shutil.which("etcd", path=directory) or shutil.which("etcd")
    server = shutil.which("kube-apiserver", path=directory)
    if not etcd or not server:
        pytest.fail(f"KUBEBUILDER_ASSETS={directory} lacks etcd or kube-apiserver")
    return etcd, server


@contextlib.contextmanager
def api_server(home: Path) -> Iterator[ApiServer]:
    """One that answers, with its data below HOME, gone afterwards."""
    etcd, server = assets()
    etcd_port, peer_port, port = free_ports(3)
    key = home / "accounts.key"
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key.write_bytes(
        private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    )
    tokens = home / "tokens.csv"
    tokens.write_text(f'{ADMIN_TOKEN},admin,admin,"system:masters"\n{NOBODY_TOKEN},nobody,nobody\n')
    with contextlib.ExitStack() as stack:
        for name, command in (
            ("etcd", _etcd(etcd, home, etcd_port, peer_port)),
            ("kube-apiserver", _server(server, home, port, etcd_port, key, tokens)),
        ):
            log = stack.enter_context((home / f"{name}.log").open("wb"))
            process = subprocess.Popen(command, stdout=log, stderr=log)
            stack.callback(_end, process)
        _await_ready(port, home)
        url = f"https://127.0.0.1:{port}"
        files = {
            name: _kubeconfig(home / f"{name}.yaml", url, home / "certificates/apiserver.crt", token) for name, token in _USERS.items()
        }
        yield ApiServer(url, **files)


_USERS = {"admin": ADMIN_TOKEN, "nobody": NOBODY_TOKEN, "stranger": "token-that-has-expired"}


def _etcd(program: str, home: Path, port: int, peer_port: int) -> list[str]:
    client, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer_port}"
    return [
        program,
        f"--data-dir={home / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        "--unsafe-no-fsync",
    ]


def _server(program: str, home: Path, port: int, etcd_port: int, key: Path, tokens: Path) -> list[str]:
    return [
        program,
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        f"--secure-port={port}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--cert-dir={home / 'certificates'}",
        f"--token-auth-file={tokens}",
        "--authorization-mode=RBAC",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.96.0.0/16",
    ]


def _kubeconfig(path: Path, url: str, certificate: Path, token: str) -> Path:
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "test",
                "clusters": [{"name": "test", "cluster": {"server": url, "certificate-authority": str(certificate)}}],
                "users": [{"name": "test", "user": {"token": token}}],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            }
        )
    )
    return path


def _await_ready(port: int, home: Path) -> None:
    deadline, context = time.monotonic() + START_S, ssl._create_unverified_context()
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=context)
            connection.request("GET", "/readyz", headers={"Authorization": f"Bearer {ADMIN_TOKEN}"})
            if connection.getresponse().status == 200:
                return
        time.sleep(0.2)
    pytest.fail(f"the API server did not come up:\n{(home / 'kube-apiserver.log').read_text()[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
