"""Where the embedded default keeps things, and on which ports it answers."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from controlplane.lib import keyfiles

ROOT = Path(__file__).resolve().parent.parent.parent


class UpError(Exception):
    """Starting is not possible; the message says why and what to do."""


@dataclass(frozen=True)
class Layout:
    """Paths below CLOVE_HOME, and the three ports."""

    home: Path
    port: int
    router_port: int
    standin_port: int

    @property
    def state_file(self) -> Path:
        return self.home / "up.json"

    @property
    def lock_file(self) -> Path:
        return self.home / "up.lock"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def first_start_file(self) -> Path:
        """Stands from the first start until its example event sells, so that a first start that was cut off goes on."""
        return self.home / "first-start"

    @property
    def setup_stamp_file(self) -> Path:
        """What `setup` was done for last; see `setup_stamp`."""
        return self.home / "setup-stamp"

    @property
    def addresses_file(self) -> Path:
        """Which addresses the last run gave to booking systems; see `fleet.addresses_stamp`."""
        return self.home / "addresses-stamp"

    @property
    def portal_url(self) -> str:
        return f"http://localhost:{self.port}"


def read_layout(environ: Mapping[str, str] = os.environ) -> Layout:
    """The layout that ENVIRON asks for. Raises UpError for a port that is no number."""

    def port(name: str, default: int) -> int:
        text = environ.get(name, "") or str(default)
        if not text.isdigit() or not 0 < int(text) < 65536:
            raise UpError(f"{name} is {text!r}; it must be a port number, 1 to 65535.")
        return int(text)

    return Layout(
        home=Path(environ.get("CLOVE_HOME") or ROOT / "var").resolve(),
        port=port("CLOVE_PORT", 8000),
        router_port=port("CLOVE_ROUTER_PORT", 8080),
        standin_port=port("CLOVE_STANDIN_PORT", 8090),
    )


def setup_stamp(environ: Mapping[str, str] = os.environ) -> str:
    """Names what `setup` works from: migrations, packages, the bundled images, and the database where one is named. While it stays the
    same there is nothing to set up."""
    digest = hashlib.sha256(environ.get("DATABASE_URL", "").encode())
    sources = sorted([*ROOT.glob("controlplane/*/migrations/*.py"), ROOT / "booking_templates" / "catalog.py", ROOT / "requirements.txt"])
    for path in sources:
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def check_ports(layout: Layout) -> None:
    """Raises UpError naming the first port that somebody else listens on, and the variable that moves it."""
    for name, port in (("CLOVE_PORT", layout.port), ("CLOVE_ROUTER_PORT", layout.router_port), ("CLOVE_STANDIN_PORT", layout.standin_port)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise UpError(f"Port {port} is in use. Stop what uses it, or choose another: {name}={port + 1} ./clove up") from error


def key(layout: Layout, name: str) -> str:
    """The random text in keys/NAME, made on first use and readable by its owner alone."""
    path = layout.home / "keys" / name
    if path.exists() and not path.stat().st_size:
        path.unlink()  # an earlier version was cut off before it wrote it, or had no disk left
    return keyfiles.read_or_create(path, lambda: secrets.token_urlsafe(32).encode()).decode().strip()
