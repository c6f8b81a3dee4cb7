"""The supervisor: `python -m controlplane.runtime.local --home DIR --port PORT`.

Ends by SIGTERM or SIGINT, and stops what it runs; a second signal ends that at once. Killed, it leaves everything running for the next
one. Exit codes: 2 when the port is in use, 3 when another supervisor runs on this home.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import logging
import os
import signal
import sys
from ipaddress import ip_network
from pathlib import Path
from typing import TextIO

import uvloop

from controlplane.runtime.local.control import ControlServer
from controlplane.runtime.local.images import bundled_images, images_in
from controlplane.runtime.local.layout import Home, write_json
from controlplane.runtime.local.machine import Machine
from controlplane.runtime.local.router.server import AddressInUse, Router, raise_file_limit
from controlplane.runtime.local.supervisor import Supervisor

PORT_IN_USE, ALREADY_RUNS = 2, 3


def main() -> int:
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    home = Home(arguments.home)
    home.create()
    lock = _lock(home)
    if lock is None:
        print(f"clove: another supervisor already runs on {home.root}", file=sys.stderr)  # noqa: T201 - a command speaks to people
        return ALREADY_RUNS
    router = Router(trusted=tuple(arguments.proxy or ()))
    try:
        router.bind(arguments.bind or ("127.0.0.1", "::1"), arguments.port)
    except AddressInUse as error:
        print(f"clove: {error.address} is in use by another program; stop it, or choose another port", file=sys.stderr)  # noqa: T201
        return PORT_IN_USE
    raise_file_limit()
    uvloop.run(_serve(home, router, arguments))
    lock.close()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m controlplane.runtime.local", description="Runs booking systems on this machine.")
    parser.add_argument("--home", type=Path, required=True, help="directory of everything it knows and keeps")
    parser.add_argument("--port", type=int, default=8080, help="of the router: buyers come in here (0: any free one)")
    parser.add_argument("--base-domain", default="localhost", help="what host names end in; only told, in the line that says it is ready")
    parser.add_argument("--bind", action="append", help="address of the router, repeatable (127.0.0.1 and ::1)")
    parser.add_argument(
        "--proxy", action="append", type=ip_network, help="CIDR of one's own proxies, whose X-Forwarded-For counts, repeatable"
    )
    parser.add_argument("--images", type=Path, help="JSON file of the images to run, in place of the bundled ones")
    parser.add_argument("--leave-children", action="store_true", help="when told to end, let the replicas run on for the next supervisor")
    return parser.parse_args()


def _lock(home: Home) -> TextIO | None:
    """The supervisor's lock, held as long as the file is open; None when another process has it."""
    file = home.lock.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


async def _serve(home: Home, router: Router, arguments: argparse.Namespace) -> None:
    ends, hurries = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def signalled() -> None:
        (hurries if ends.is_set() else ends).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled)

    machine = Machine(images_in(arguments.images) if arguments.images else bundled_images, router.drained)
    control = ControlServer(home.socket, router.port)
    supervisor = Supervisor(home, machine, router, control.announce)
    router.visited = supervisor.prefer
    await router.start()
    await supervisor.start()
    await control.start(supervisor)
    write_json(home.card, {"pid": os.getpid(), "router_port": router.port})
    logging.info("ready: booking systems answer at http://<name>.%s:%d", arguments.base_domain, router.port)
    await ends.wait()

    logging.info("stopping")
    control.stop()
    stopping = asyncio.create_task(_stop(router, supervisor, leaves_children=arguments.leave_children))
    hurried = asyncio.create_task(hurries.wait())
    await asyncio.wait((stopping, hurried), return_when=asyncio.FIRST_COMPLETED)
    if not stopping.done():
        supervisor.kill()
    await stopping
    home.card.unlink(missing_ok=True)


async def _stop(router: Router, supervisor: Supervisor, *, leaves_children: bool) -> None:
    await router.stop()
    await supervisor.stop(leaves_children=leaves_children)


if __name__ == "__main__":
    sys.exit(main())
