"""Serves the control plane's web half with Granian; imported before the fork, so that parent and worker share their pages."""

from __future__ import annotations

import os

from granian.constants import Interfaces
from granian.server import Server


def main() -> None:
    """Serve on 127.0.0.1 at CLOVE_PORT until SIGTERM."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.config.settings")
    import controlplane.config.wsgi  # noqa: F401

    Server(
        "controlplane.config.wsgi:application",
        address=os.environ.get("CLOVE_BIND", "127.0.0.1"),
        port=int(os.environ["CLOVE_PORT"]),
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=8,
        blocking_threads_idle_timeout=600,
        respawn_failed_workers=True,
        respawn_interval=0.2,
        workers_kill_timeout=8,
        websockets=False,
        log_enabled=False,
    ).serve()


if __name__ == "__main__":
    main()
