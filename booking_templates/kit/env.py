"""What the environment says of this service; read once, at import of the settings.

On a cluster a volume is mounted where its path says. The local runtime has no mount namespaces: it puts `CLOVE_ROOT` before every
absolute path, and `rooted` is the one place that knows.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import unquote, urlsplit

PEERS = ("auth", "event", "seat", "ticket", "merch")


@dataclass(frozen=True)
class Environment:
    """The settings of one service process."""

    service: str
    system: str
    public_url: str
    bind: str
    port: int
    root: str
    peers: Mapping[str, str]
    hosts_file: str
    database_url: str
    secrets_dir: Path
    trust_dir: Path
    time_zone: str
    language: str
    runs_worker: bool
    threads: int
    is_debug: bool
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Those before the router or gateway that append to X-Forwarded-For, too."""

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    def secret(self, name: str) -> str:
        """Text of the secret file NAME. Raises FileNotFoundError when it is not mounted."""
        return (self.secrets_dir / name).read_text(encoding="utf-8").strip()


def rooted(path: str, root: str) -> Path:
    """PATH as this process reaches it."""
    return Path(root + path) if root and path.startswith("/") else Path(path)


def load(environ: Mapping[str, str] = os.environ) -> Environment:
    """Read ENVIRON. Raises KeyError for a missing CLOVE_SERVICE."""
    root = environ.get("CLOVE_ROOT", "")
    database_url = environ.get("CLOVE_DATABASE", "")
    if database_file := environ.get("CLOVE_DATABASE_FILE"):
        database_url = rooted(database_file, root).read_text(encoding="utf-8").strip()
    return Environment(
        service=environ["CLOVE_SERVICE"],
        system=environ.get("CLOVE_SYSTEM", "clove-0"),
        public_url=environ.get("CLOVE_PUBLIC_URL", "http://localhost:8000").rstrip("/"),
        bind=environ.get("BIND", "0.0.0.0"),
        port=int(environ.get("PORT", "8000")),
        root=root,
        peers={name: url.rstrip("/") for name in PEERS if (url := environ.get(f"CLOVE_PEER_{name.upper()}"))},
        hosts_file=environ.get("CLOVE_HOSTS_FILE", ""),
        database_url=database_url,
        secrets_dir=rooted(environ.get("CLOVE_SECRETS_DIR", "/etc/clove/secrets"), root),
        trust_dir=rooted(environ.get("CLOVE_TRUST_DIR", "/etc/clove/trust"), root),
        time_zone=environ.get("CLOVE_TIME_ZONE", "Asia/Seoul"),
        language=environ.get("CLOVE_LANGUAGE", "ko"),
        runs_worker=environ.get("CLOVE_WORKER", "inline") == "inline",
        threads=int(environ.get("CLOVE_THREADS", "8")),
        is_debug=environ.get("CLOVE_DEBUG", "no") == "yes",
        trusted_proxies=tuple(ip_network(text) for text in environ.get("CLOVE_TRUSTED_PROXIES", "").replace(",", " ").split()),
    )


def database_settings(url: str, root: str) -> dict[str, object]:
    """Django's DATABASES entry for URL (`sqlite:////path`, `sqlite://:memory:` or `mysql://user:password@host:port/name`).

    SQLite: WAL with IMMEDIATE transactions, so that two writers queue instead of failing, and FULL sync, because it holds money.
    MySQL: READ COMMITTED and UTC, so that `Now()` means the same on both.
    """
    if not url:
        return {"ENGINE": "django.db.backends.dummy"}
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        path = parts.netloc or (parts.path.removeprefix("/") if parts.path.startswith("//") else parts.path)
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(rooted(path, root)) if path.startswith("/") else path,
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;",
            },
        }
    if parts.scheme != "mysql":
        raise ValueError(f"CLOVE_DATABASE: unknown scheme {parts.scheme!r}; use sqlite or mysql")
    return {
        "ENGINE": "django.db.backends.mysql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or 3306),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "charset": "utf8mb4",
            "isolation_level": "read committed",
            "init_command": "SET time_zone='+00:00', sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout=10, "
            "group_concat_max_len=1048576",
            "connect_timeout": 5,
        },
    }
