"""The database of a booking system: a MariaDB in its namespace, or schemas on a server outside. Pure.

Each service has a schema and a user of its own, and the user may do nothing beyond that schema. Where a plan has no DatabasePlan, each
service keeps its database in a file.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from controlplane.rendering.adjustments import MAX_REPLICAS
from controlplane.rendering.connections import SMALLEST, connections_of, memory_mib
from controlplane.rendering.images import PoolImage, ResourcesPlan

SERVER = "mariadb"
"""Name of the StatefulSet, of its Service and thereby its host."""
CLIENT = "mariadb-client"
"""What the pods that set up, back up and restore are called: the network lets them reach the server."""
PORT = 3306
SERVER_SECRET = "mariadb-secrets"  # noqa: S105  (its name)
BACKUP_SECRET = "mariadb-backup"  # noqa: S105  (its name)
SCRIPTS = "mariadb-scripts"
SCRIPTS_DIR = "/etc/clove/scripts"
BACKUPS_DIR = "/var/backups/clove"
URL_FILE = "database-url"
"""The file of a service's own Secret that has the address of its schema."""
URL_KIND = "database-url"

_SCRIPTS = Path(__file__).resolve().parent.parent.parent / "manifests" / "database"
_SERVER_RESOURCES = ResourcesPlan(cpu_request_m=250, cpu_limit_m=2000, memory_request_mib=256, memory_limit_mib=768, scratch_mib=256)
_CLIENT_RESOURCES = ResourcesPlan(cpu_request_m=20, cpu_limit_m=1000, memory_request_mib=32, memory_limit_mib=128, scratch_mib=64)
_BUFFER_SHARE = 0.4
"""Of the memory limit; connections, temporary tables and the server itself take the rest."""
_TAG = re.compile(r"v?(\d+(?:\.\d+)*)")
_LONGEST_USER = 32
"""MySQL's; MariaDB takes 80."""


@dataclass(frozen=True)
class DatabaseChoice:
    """What the platform's settings say. With a `host`, that server is used; without, a MariaDB of `image` runs in each namespace."""

    image: str = ""
    host: str = ""
    port: int = PORT
    networks: tuple[str, ...] = ()
    """Where the server outside is, as CIDRs: the network lets the services go there."""
    mark: str = ""
    """Of this platform, in the names on a server outside: another platform may have its systems there, with numbers from 1 as well."""
    backups_kept: int = 7


@dataclass(frozen=True)
class ServerPlan:
    """The MariaDB in the namespace, with its volumes and its daily backup."""

    image: str
    storage_mib: int
    backup_mib: int
    backups_kept: int
    backup_at: str
    """A cron schedule, in `time_zone`."""
    time_zone: str
    max_connections: int = SMALLEST
    """For as many replicas as may ever be asked for, because another number restarts the server. See `connections`."""
    resources: ResourcesPlan = _SERVER_RESOURCES
    client_resources: ResourcesPlan = _CLIENT_RESOURCES
    is_made_whole: bool = False
    """Whether a new data directory is made by `start.sh`. One from before that keeps its way: another would restart the server."""

    @property
    def buffer_pool_mib(self) -> int:
        return int(self.resources.memory_limit_mib * _BUFFER_SHARE)

    @property
    def secret(self) -> str:
        return SERVER_SECRET


@dataclass(frozen=True)
class DatabasePlan:
    """Where the services' schemas are: service -> schema, which is also the name of its user."""

    host: str
    port: int
    schemas: dict[str, str]
    networks: tuple[str, ...] = ()
    server: ServerPlan | None = None


def database_plan(images: Iterable[PoolImage], choice: DatabaseChoice, *, namespace: str, number: int, time_zone: str) -> DatabasePlan:
    """The plan for the stateful ones of IMAGES in a new system; NUMBER spreads the systems' backups over the hour."""
    stateful = [image for image in images if image.is_stateful]
    schemas = _schemas(stateful, namespace, choice if choice.host else None)
    if choice.host:
        return DatabasePlan(choice.host, choice.port, schemas, networks=choice.networks)
    size_mib = sum(image.storage_mib for image in stateful)
    server = ServerPlan(choice.image, size_mib, size_mib, choice.backups_kept, backup_at=f"{number % 60} 4 * * *", time_zone=time_zone)
    server = replace(server, is_made_whole=True)
    return DatabasePlan(SERVER, PORT, schemas, server=_bearing(server, stateful))


def carried_over(
    live: DatabasePlan, images: Iterable[PoolImage], choice: DatabaseChoice | None, *, namespace: str, replicas: Mapping[str, int]
) -> DatabasePlan:
    """The plan for a system that has its data in LIVE: they stay there, whatever is chosen now.

    The schema of a service that left stays and is backed up; volumes never shrink, and a server never becomes an older one, as far as
    tags tell. REPLICAS says how many there may be of a service: a server that does not bear their connections is given room for all,
    which restarts it.
    """
    stateful = [image for image in images if image.is_stateful]
    of_its_kind = choice if choice and bool(choice.host) == (live.server is None) else None
    outside = (of_its_kind or DatabaseChoice(host=live.host)) if live.server is None else None
    schemas = dict(sorted((_schemas(stateful, namespace, outside) | live.schemas).items()))
    if live.server is None:
        return replace(live, schemas=schemas, networks=of_its_kind.networks if of_its_kind else live.networks)
    size_mib = sum(image.storage_mib for image in stateful)
    server = replace(live.server, storage_mib=max(size_mib, live.server.storage_mib), backup_mib=max(size_mib, live.server.backup_mib))
    if of_its_kind:
        image = server.image if _is_older(of_its_kind.image, server.image) else of_its_kind.image
        server = replace(server, image=image, backups_kept=of_its_kind.backups_kept)
    if connections_of(stateful, replicas) > server.max_connections:
        server = _bearing(server, stateful)
    return replace(live, schemas=schemas, server=server)


def standing(planned: DatabasePlan | None, stands: DatabasePlan | None) -> DatabasePlan | None:
    """What a system with its data in STANDS has when it goes back to a plan that had PLANNED.

    The server stays the one that it is: an older one may not read what it wrote, and a smaller volume does not hold it. All schemas stay,
    also of services that were not there then.
    """
    if planned is None or stands is None or (planned.server is None) != (stands.server is None):
        return planned
    return replace(stands, schemas=dict(sorted((planned.schemas | stands.schemas).items())))


def _is_older(image: str, than: str) -> bool:
    """By the tags of one repository, as far as both say: 11 is no older than 11.4. A digest alone says nothing."""
    (name, version), (other, others) = _tagged(image), _tagged(than)
    return name == other and version[: len(others)] < others[: len(version)]


def _tagged(image: str) -> tuple[str, tuple[int, ...]]:
    name, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    found = _TAG.match(tag)
    return name, tuple(int(part) for part in found[1].split(".")) if found else ()


def _bearing(server: ServerPlan, images: list[PoolImage]) -> ServerPlan:
    """SERVER with room for the connections of IMAGES, however many replicas of them are asked for."""
    most = max(SMALLEST, connections_of(images, {image.service: MAX_REPLICAS for image in images}))
    resources = server.resources
    limit_mib = max(resources.memory_limit_mib, memory_mib(most, buffer_share=_BUFFER_SHARE))
    return replace(server, max_connections=most, resources=replace(resources, memory_limit_mib=limit_mib))


def _schemas(images: Iterable[PoolImage], namespace: str, outside: DatabaseChoice | None) -> dict[str, str]:
    return {image.service: outside_schema(namespace, image.service, outside.mark) if outside else image.service for image in images}


def outside_schema(namespace: str, service: str, mark: str = "") -> str:
    """A name that no other system has on a shared server, short enough to be a user's as well. MARK is its platform's."""
    name = "-".join(filter(None, (namespace, mark, service)))
    if len(name) <= _LONGEST_USER:
        return name
    return f"{name[: _LONGEST_USER - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


@functools.cache
def script(name: str) -> str:
    """The text of a script in manifests/database/."""
    return (_SCRIPTS / name).read_text(encoding="utf-8")
