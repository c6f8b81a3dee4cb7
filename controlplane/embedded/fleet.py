"""The processes of the embedded control plane, and their environments."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from urllib.parse import urlsplit

from controlplane.embedded.layout import ROOT, Layout, key
from controlplane.embedded.processes import Child
from controlplane.lib import env as env_reader

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "SYSTEMROOT")
FRONT = (sys.executable, "-m", "controlplane.embedded.front")
OWN_PREFIXES = ("CLOVE_", "KAKAOPAY_", "PAYMENT_", "EMAIL_")
ADDRESSES = (
    *("CLOVE_BASE_DOMAIN", "CLOVE_GATEWAY", "CLOVE_PUBLIC_PORT", "CLOVE_PUBLIC_SCHEME", "CLOVE_ROUTER_PORT", "CLOVE_STANDIN_PORT"),
    *("CLOVE_TRUSTED_PROXIES", "KAKAOPAY_CID", "KAKAOPAY_URL", "PAYMENT_TEST", "CLOVE_MAIL"),
)
OWN_NAMES = ("DATABASE_URL", "REDIS_URL", "RUNTIME", "KUBECONFIG", "ROUTING")


def control_plane_env(layout: Layout) -> dict[str, str]:
    """What the control plane's processes see: what is meant for them, nothing else of the terminal's environment."""
    env = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    env |= {name: value for name, value in os.environ.items() if name.startswith(OWN_PREFIXES) or name in OWN_NAMES}
    return env | {
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "controlplane.config.settings",
        "CLOVE_HOME": str(layout.home),
        "CLOVE_PORT": str(layout.port),
        "CLOVE_ROUTER_PORT": str(layout.router_port),
        "CLOVE_STANDIN_PORT": str(layout.standin_port),
        **({} if "KAKAOPAY_SECRET_KEY" in os.environ else {"KAKAOPAY_SECRET_KEY": key(layout, "standin-secret-key")}),
    }


def beside_a_cluster(layout: Layout, env: dict[str, str]) -> tuple[dict[str, str], str]:
    """What ENV lacks for booking systems on a cluster of which this machine is a node: the front before it, and payments where pods
    reach them. And what is to be said to people, if it is no node or no cluster answers."""
    more = {"CLOVE_CONNECT_URL": f"http://127.0.0.1:{layout.router_port}"} if uses_front(env) else {}
    if not uses_standin():
        return more, ""
    asked = subprocess.run([*FRONT, "--address"], env=env, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if asked.returncode:
        reason = (asked.stderr.strip().splitlines() or ["The cluster's nodes are not known."])[-1]
        return more, f"{reason} Pods reach no payment stand-in here: name a provider by KAKAOPAY_URL and KAKAOPAY_SECRET_KEY."
    return more | {"KAKAOPAY_URL": f"http://{asked.stdout.strip()}:{layout.standin_port}"}, ""


def standin_env(layout: Layout, env: dict[str, str]) -> dict[str, str]:
    """The payment stand-in's environment: it is a service of the booking half, and sees none of the control plane's keys."""
    url = env.get("KAKAOPAY_URL", f"http://localhost:{layout.standin_port}")
    home = layout.home / "standin"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    key(layout, "standin-django-secret")
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
        "CLOVE_SERVICE": "standin",
        "CLOVE_SYSTEM": "standin",
        "BIND": standin_address(env),
        "PORT": str(layout.standin_port),
        "CLOVE_PUBLIC_URL": url,
        "CLOVE_DATABASE": f"sqlite:///{home / 'db.sqlite3'}",
        "STANDIN_SECRET_KEY": key(layout, "standin-secret-key"),
        "STANDIN_ADMIN_KEY": key(layout, "standin-admin-key"),
    }


def addresses_stamp(env: dict[str, str]) -> str:
    """Another one where ENV sends buyers, payments or mail elsewhere. Tells nothing of a password in it."""
    return hashlib.sha256(json.dumps([env.get(name) for name in ADDRESSES]).encode()).hexdigest()


def is_local(env: dict[str, str]) -> bool:
    return env.get("RUNTIME", "local") == "local"


def uses_standin() -> bool:
    """Whether payments go to the stand-in: unless a provider's address was given to this program. Processes are given one in any case."""
    return "KAKAOPAY_URL" not in os.environ


def uses_front(env: dict[str, str]) -> bool:
    """Whether buyers come to a cluster through this machine: unless it was said how to connect to what leads them there."""
    return not is_local(env) and env.get("ROUTING") == "service" and "CLOVE_CONNECT_URL" not in os.environ


def standin_address(env: dict[str, str]) -> str:
    """Where the stand-in listens."""
    return (urlsplit(env["KAKAOPAY_URL"]).hostname if "KAKAOPAY_URL" in env else None) or "127.0.0.1"


def trusted_proxies() -> list[str]:
    """The options by which what leads buyers knows the proxies of one's own."""
    return [option for network in env_reader.words("CLOVE_TRUSTED_PROXIES") for option in ("--proxy", network)]


def front(layout: Layout, env: dict[str, str]) -> Child:
    """What leads buyers to the cluster's Services."""
    return Child(
        name="front",
        command=[*FRONT, "--port", str(layout.router_port), *trusted_proxies()],
        env={name: value for name, value in env.items() if name in (*PASSED_ON, "KUBECONFIG", "CLOVE_KUBE_CONTEXT", "PYTHONPATH")},
        log=layout.logs / "front.log",
    )


def supervisor(layout: Layout) -> Child:
    """The local runtime's supervisor and router."""
    return Child(
        name="supervisor",
        command=[
            *(sys.executable, "-m", "controlplane.runtime.local", "--home", str(layout.home / "runtime")),
            *("--port", str(layout.router_port), "--base-domain", os.environ.get("CLOVE_BASE_DOMAIN", "localhost")),
            *trusted_proxies(),
        ],
        # Booking systems' processes are its children: it gets none of the control plane's keys.
        env={name: os.environ[name] for name in PASSED_ON if name in os.environ} | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)},
        log=layout.logs / "supervisor.log",
        stop_grace_s=25.0,
    )


def standin(layout: Layout, env: dict[str, str]) -> Child:
    return Child(
        name="payment stand-in",
        command=[sys.executable, "-m", "booking_templates", "serve"],
        env=standin_env(layout, env),
        log=layout.logs / "standin.log",
        health_url=f"http://{standin_address(env)}:{layout.standin_port}/readyz",
    )


def web(layout: Layout, env: dict[str, str]) -> Child:
    """Portal, console and API."""
    return Child(
        name="web",
        command=[sys.executable, "-m", "controlplane.embedded.web"],
        env=env,
        log=layout.logs / "web.log",
        health_url=f"http://127.0.0.1:{layout.port}/healthz",
    )


def background(layout: Layout, env: dict[str, str]) -> list[Child]:
    """Worker with beat, and the watcher of the runtime's events."""
    return [
        Child(
            name="worker",
            command=[
                *(
                    sys.executable,
                    "-m",
                    "celery",
                    "-A",
                    "controlplane.config",
                    "worker",
                    "--beat",
                    "--pool",
                    "threads",
                    "--concurrency",
                    "4",
                ),
                *("--schedule", str(layout.home / "beat-schedule"), "--without-gossip", "--without-mingle", "--without-heartbeat"),
                *("--scheduler", "controlplane.config.liveness.Scheduler"),
                *("--loglevel", "INFO"),
            ],
            env=env,
            log=layout.logs / "worker.log",
        ),
        Child(
            name="watcher",
            command=[sys.executable, str(ROOT / "manage.py"), "watch"],
            env=env,
            log=layout.logs / "watcher.log",
        ),
    ]
