"""What the databases of a booking system are given: addresses with passwords, and the statements that make schemas and users.

In the namespace, a Job runs the statements (manifests/database/setup.sh); on a server outside, the control plane does, with the admin
account of the settings. Every statement may be run again.
"""

from __future__ import annotations

import secrets as randomness
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import quote

from django.conf import settings

from controlplane.lib.reasons import declare, gettext_noop
from controlplane.rendering.database import BACKUP_SECRET, SERVER, DatabasePlan
from controlplane.rendering.plan import from_json
from controlplane.runtime.port import Health, Observation
from controlplane.systems.models import Operation
from controlplane.systems.outcomes import Failed, Retry

BACKUP_USER = "clove-backup"
SERVER_SOCKET = "/run/mysqld/mysqld.sock"
"""Where MariaDB's image has it."""
ANSWER_S = 20
"""Longer than any statement here takes, and shorter than a lease: a server that fell silent holds nobody up."""
_ACCESS_DENIED = (1044, 1045, 1227)

declare(
    {
        "database_silent": gettext_noop("The database server %(host)s does not answer (%(error)s)."),
        "database_refused": gettext_noop("The database server %(host)s does not let the platform make schemas and users."),
        "database_other": gettext_noop("Its data are on the database server %(host)s, which the platform's settings no longer name."),
    }
)


def new_password() -> str:
    """Letters, digits, `-` and `_`: the same in SQL, in an address and in a client's option file."""
    return randomness.token_urlsafe(24)


def service_url(database: DatabasePlan, service: str, password: str) -> str:
    """The address of SERVICE's schema, as CLOVE_DATABASE has it."""
    schema = quote(database.schemas[service], safe="")
    return f"mysql://{schema}:{quote(password, safe='')}@{database.host}:{database.port}/{schema}"


def setup_statements(database: DatabasePlan, passwords: Mapping[str, str]) -> list[str]:
    """A schema and a user for each service of PASSWORDS; the user may do what it likes there and nothing elsewhere."""
    statements = []
    for service, password in sorted(passwords.items()):
        name = database.schemas[service]
        # In a GRANT, `_` and `%` stand for any character unless they are escaped.
        pattern = name.replace("_", r"\_").replace("%", r"\%")
        statements += [
            f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
            f"CREATE USER IF NOT EXISTS '{name}'@'%' IDENTIFIED BY '{password}'",
            f"ALTER USER '{name}'@'%' IDENTIFIED BY '{password}'",
            f"GRANT ALL PRIVILEGES ON `{pattern}`.* TO '{name}'@'%'",
        ]
    return statements


def server_secrets(database: DatabasePlan, own: Mapping[str, str], passwords: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The Secrets of the server in the namespace; OWN has the passwords `root-password` and `backup-password`."""
    assert database.server is not None  # noqa: S101  (the caller looked)
    root, backup = own["root-password"], own["backup-password"]
    statements = [
        *setup_statements(database, passwords),
        f"CREATE USER IF NOT EXISTS '{BACKUP_USER}'@'%' IDENTIFIED BY '{backup}'",
        f"ALTER USER '{BACKUP_USER}'@'%' IDENTIFIED BY '{backup}'",
        f"GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON *.* TO '{BACKUP_USER}'@'%'",
    ]
    return {
        database.server.secret: {
            "root-password": root,
            "client.cnf": _options("root", root, database.host, database.port),
            "probe.cnf": _probe_options(root),
            "setup.sql": _script(statements),
            "first.sql": _script([*_FIRST_OF_ALL, *_root_statements(root), *statements]),
        },
        BACKUP_SECRET: {"client.cnf": _options(BACKUP_USER, backup, database.host, database.port)},
    }


_FIRST_OF_ALL = (
    # A server that makes its own tables knows no users until it is told to.
    "FLUSH PRIVILEGES",
    "DROP USER IF EXISTS 'mysql'@'localhost'",
)


def _root_statements(password: str) -> list[str]:
    """Root as MariaDB's image makes it."""
    return [
        f"CREATE OR REPLACE USER 'root'@'localhost' IDENTIFIED BY '{password}'",
        f"CREATE OR REPLACE USER 'root'@'%' IDENTIFIED BY '{password}'",
        "GRANT ALL PRIVILEGES ON *.* TO 'root'@'localhost' WITH GRANT OPTION",
        "GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION",
    ]


def _script(statements: Iterable[str]) -> str:
    return "".join(f"{statement};\n" for statement in statements)


def _options(user: str, password: str, host: str, port: int) -> str:
    lines = (f"user={user}", f"password={password}", f"host={host}", f"port={port}", "protocol=tcp", "loose-connect-timeout=5")
    return "\n".join(("[client]", *lines, ""))


def _probe_options(password: str) -> str:
    # At its socket root is root@localhost. By TCP it may be a root@127.0.0.1 of the image's own making, with another password or none:
    # every probe would be refused, and leave a line in the log.
    lines = ("user=root", f"password={password}", "protocol=socket", f"socket={SERVER_SOCKET}", "loose-connect-timeout=5")
    return "\n".join(("[client]", *lines, ""))


def serving(change: Operation, seen: Observation) -> DatabasePlan | None:
    """The database of CHANGE, which came to nothing, where its server serves by now: an older one may not read what that one wrote."""
    database = from_json(change.revision.plan).database if change.revision else None
    server = seen.workload(SERVER)
    if database is None or database.server is None or server is None:
        return None
    return database if server.health is Health.READY and server.image == database.server.image else None


def make_outside(database: DatabasePlan, passwords: Mapping[str, str]) -> None:
    """Make the schemas and users on the server outside. Raises Retry when it does not answer, Failed when the admin account may not."""
    with _admin(database) as cursor:
        for statement in setup_statements(database, passwords):
            cursor.execute(statement)


def first_migrations(database: DatabasePlan, schemas: Iterable[str]) -> dict[str, str]:
    """Schema -> when the first thing in it was made, of those of SCHEMAS that are on the server outside: another one has another time.

    Raises as `make_outside` does.
    """
    found = {}
    with _admin(database) as cursor:
        for name in schemas:
            cursor.execute(
                "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = 'django_migrations'", [name]
            )
            if cursor.fetchone()[0]:
                cursor.execute(f"SELECT MIN(applied) FROM `{name}`.django_migrations")  # noqa: S608  (a name of our own making)
                found[name] = str(cursor.fetchone()[0])
    return found


def drop_outside(database: DatabasePlan) -> None:
    """Remove all that `make_outside` made. What is gone already is no error. Raises as it does."""
    with _admin(database) as cursor:
        for name in database.schemas.values():
            cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
            cursor.execute(f"DROP USER IF EXISTS '{name}'@'%'")


@contextmanager
def _admin(database: DatabasePlan) -> Iterator[Any]:
    # Not in requirements.txt, for it has no wheels: a platform with a MySQL outside has installed it.
    import MySQLdb  # type: ignore[import-untyped]

    admin = settings.BOOKING_DATABASE_ADMIN
    if (admin["HOST"], int(admin["PORT"])) != (database.host, database.port):
        raise Failed("database_other", host=database.host)
    try:
        connection = MySQLdb.connect(
            host=admin["HOST"],
            port=int(admin["PORT"]),
            user=admin["USER"],
            password=admin["PASSWORD"],
            connect_timeout=5,
            read_timeout=ANSWER_S,
            write_timeout=ANSWER_S,
            charset="utf8mb4",
        )
        with closing(connection), closing(connection.cursor()) as cursor:
            yield cursor
    except MySQLdb.Error as error:
        code = error.args[0] if error.args else 0
        if code in _ACCESS_DENIED:
            raise Failed("database_refused", host=database.host) from error
        # The message may hold a statement, and that a password.
        raise Retry("database_silent", host=database.host, error=code) from error
