"""Starting a service: migrate under a lock, then serve; or run its passes; or only migrate."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection, connections

from booking_templates.kit import logs

log = logging.getLogger("clove.serve")

BACKLOG = 4096
MIGRATION_LOCK_S = 120
DATABASE_READ_S = int(os.environ.get("CLOVE_DATABASE_READ_S", "20"))
"""How long a statement may take: above what it waits for a lock (kit.env), and then some."""
DATABASE_WAIT_S = 60
"""A database that starts with its services is not there yet; ending at once would cost the runtime's growing back-off."""


def main(command: str) -> int:
    """Run COMMAND (serve, worker or migrate) for the service in the environment; the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "booking_templates.kit.settings")
    django.setup()
    logs.setup(settings.ENV.service)
    listener = listen() if command == "serve" else None
    gc.freeze()
    gc.enable()
    if settings.ENV.database_url:
        migrate()
        bound_waiting()
    if listener:
        serve(listener)
    elif command == "worker":
        work()
    return 0


def migrate() -> None:
    """Apply what is pending. Replicas that start together queue at a lock; migrations only expand, so the older image runs on too.

    Waits DATABASE_WAIT_S for a database that does not answer. Raises OperationalError after that.
    """
    _wait_for_database()
    with _migration_lock():
        call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
    connections.close_all()


def _wait_for_database() -> None:
    deadline = time.monotonic() + DATABASE_WAIT_S
    if connection.vendor == "sqlite":
        Path(connection.settings_dict["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    while True:
        try:
            connection.ensure_connection()
        except OperationalError as error:
            if time.monotonic() > deadline:
                raise
            log.warning("waiting for the database", extra={"fields": {"code": error.args[0] if error.args else ""}})
            time.sleep(0.2)
        else:
            return


@contextlib.contextmanager
def _migration_lock() -> Iterator[None]:
    if connection.vendor == "sqlite":
        path = Path(connection.settings_dict["NAME"])
        with open(path.with_suffix(".migrate.lock"), "w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    with connection.cursor() as cursor:
        name = f"clove-migrate-{connection.settings_dict['NAME']}"[:64]
        cursor.execute("SELECT GET_LOCK(%s, %s)", [name, MIGRATION_LOCK_S])
        if cursor.fetchone()[0] != 1:
            sys.exit("another replica has been migrating for too long")
        try:
            yield
        finally:
            cursor.execute("SELECT RELEASE_LOCK(%s)", [name])


def bound_waiting() -> None:
    """From here on a database whose host went away without a word costs a request, and not its thread for a quarter of an hour.

    Not before: a migration may take as long as its tables are large.
    """
    if connection.vendor == "mysql":
        connection.settings_dict["OPTIONS"]["read_timeout"] = DATABASE_READ_S  # of every thread's connection, and after the fork


def listen() -> socket.socket:
    """Take the port, before anything slow: whoever asks meanwhile waits in its queue and is answered the moment that serving begins.

    A probe that comes once a second would find out half a second late.
    """
    env = settings.ENV
    family = socket.AF_INET6 if ":" in env.bind else socket.AF_INET
    # The worker of a killed parent may still have it for a moment.
    listener = socket.create_server((env.bind, env.port), family=family, backlog=BACKLOG, reuse_port=True)
    listener.setblocking(False)
    return listener


def serve(listener: socket.socket) -> None:
    """Serve at LISTENER until SIGTERM; requests under way are finished.

    The application is imported before the fork, so its pages are shared.
    """
    gc.collect()  # what migrating left
    gc.disable()
    from granian.constants import Interfaces
    from granian.net import SocketHolder
    from granian.server.mp import MPServer

    import booking_templates.kit.urls  # noqa: F401 - imports the views, for the same reason

    if sys.platform == "linux":
        multiprocessing.set_start_method("fork", force=True)  # not the default any more from Python 3.14 on
    gc.freeze()  # what is loaded by now stays: neither looked through again and again, nor copied after the fork
    gc.enable()

    class Listening(MPServer):
        """Its worker is given the port rather than taking it, so one that is started anew finds who came in between."""

        def _init_shared_socket(self) -> None:
            if multiprocessing.get_start_method() != "fork":  # the worker would not have it
                listener.close()
                super()._init_shared_socket()
                return
            # The server closes it once it stops: nobody is let in any more to wait for nothing.
            self._ssp, self._shd, self._sso = None, SocketHolder(listener.fileno(), False, BACKLOG), listener  # type: ignore[assignment, call-arg]

    env = settings.ENV
    log.info("serving", extra={"fields": {"bind": env.bind, "port": env.port}})
    Listening(
        "booking_templates.kit.wsgi:application",
        address=env.bind,
        port=env.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=env.threads,
        blocking_threads_idle_timeout=600,
        backlog=BACKLOG,
        respawn_failed_workers=True,
        respawn_interval=0.1,
        workers_kill_timeout=20,
        log_enabled=False,
        websockets=False,
    ).serve()


def work() -> None:
    """Run the passes alone until SIGTERM."""
    from booking_templates.kit.worker import Worker, passes_of_service

    worker = Worker(passes_of_service())
    signal.signal(signal.SIGTERM, lambda *_: worker.stop.set())
    signal.signal(signal.SIGINT, lambda *_: worker.stop.set())
    worker.run()
