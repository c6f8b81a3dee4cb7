"""The database's scripts and statements on a real MariaDB: who may see what, and a restore drilled."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from controlplane.rendering.database import DatabasePlan, ServerPlan
from controlplane.systems import databases
from controlplane.systems.outcomes import Failed, Retry
from tests.mariadb import MariaDB
from tests.needs import need

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "manifests" / "database"
SERVICES = ("auth", "seat")


class System:
    """A booking system's databases on SERVER, with its secrets as files, and the scripts as its pods run them."""

    def __init__(self, server: MariaDB, directory: Path) -> None:
        self.server, self.directory = server, directory
        self.passwords = {service: databases.new_password() for service in SERVICES}
        root = urlsplit(server.url).password or ""
        inside = ServerPlan("", 1024, 1024, backups_kept=2, backup_at="7 4 * * *", time_zone="Asia/Seoul")
        self.plan = DatabasePlan("127.0.0.1", server.port, {service: service for service in SERVICES}, server=inside)
        own = {"root-password": root, "backup-password": databases.new_password()}
        for name, files in databases.server_secrets(self.plan, own, self.passwords).items():
            (directory / name).mkdir(parents=True)
            for file, text in files.items():
                (directory / name / file).write_text(text)
        self.backups = directory / "backups"
        self.backups.mkdir()

    def url(self, service: str) -> str:
        return databases.service_url(self.plan, service, self.passwords[service])

    def setup(self) -> subprocess.CompletedProcess[str]:
        return self._run("setup.sh", "mariadb-secrets", SETUP_SQL=self.directory / "mariadb-secrets/setup.sql", WAIT_S="20")

    def backup(self) -> Path:
        """The file it wrote."""
        done = self._run("backup.sh", "mariadb-backup", SCHEMAS=" ".join(SERVICES), KEEP="2")
        assert done.returncode == 0, done.stderr
        return self.backups / done.stdout.split()[1].rstrip(",")

    def restore(self, name: str, number: int = 1, **env: str) -> subprocess.CompletedProcess[str]:
        """One pod of the Job of restore NUMBER."""
        setup = self.directory / "mariadb-secrets/setup.sql"
        of_job = {"SETUP_SQL": setup, "BACKUP": name, "RESTORE": str(number), "SCHEMAS": " ".join(SERVICES)}
        return self._run("restore.sh", "mariadb-secrets", **of_job, **{"WAIT_S": "20", "REST_S": "3"} | env)

    def _run(self, script: str, secret: str, **env: Any) -> subprocess.CompletedProcess[str]:
        environ = {
            "PATH": os.environ["PATH"],
            "CLIENT_CNF": str(self.directory / secret / "client.cnf"),
            "BACKUPS": str(self.backups),
            **{name: str(value) for name, value in env.items()},
        }
        return subprocess.run(["bash", str(SCRIPTS / script)], env=environ, capture_output=True, text=True, timeout=60, check=False)

    def sql(self, service: str, statement: str) -> subprocess.CompletedProcess[str]:
        """STATEMENT as the user of SERVICE."""
        command = ["mariadb", "--no-defaults", "-N", "-B", "--protocol=tcp", "-h127.0.0.1", f"-P{self.server.port}", f"-u{service}"]
        environ = {**os.environ, "MYSQL_PWD": self.passwords[service]}
        return subprocess.run([*command, "-e", statement], env=environ, capture_output=True, text=True, timeout=30, check=False)

    def rows(self) -> tuple[str, str]:
        """What the two services hold."""
        found = [self.sql(service, f"SELECT GROUP_CONCAT(n ORDER BY n) FROM {service}.item").stdout.strip() for service in SERVICES]
        return found[0], found[1]

    def put(self, number: int) -> None:
        for service in SERVICES:
            done = self.sql(service, f"CREATE TABLE IF NOT EXISTS {service}.item (n INT); INSERT INTO {service}.item VALUES ({number})")
            assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    need("mariadb")
    with MariaDB(tmp_path_factory.mktemp("mariadb") / "server") as running:
        yield running


@pytest.fixture
def system(server: MariaDB, tmp_path: Path) -> System:
    for service in SERVICES:
        server.sql(f"DROP DATABASE IF EXISTS {service}; DROP USER IF EXISTS '{service}'@'%'")
    made = System(server, tmp_path / "system")
    done = made.setup()
    assert done.returncode == 0, done.stderr
    return made


def test_the_probe_is_let_in_whatever_root_the_image_made_for_tcp(system: System, server: MariaDB) -> None:
    options = (system.directory / "mariadb-secrets/probe.cnf").read_text()
    assert databases.SERVER_SOCKET in options
    file = system.directory / "probe.cnf"
    file.write_text(options.replace(databases.SERVER_SOCKET, str(server.socket)))
    server.sql("ALTER USER 'root'@'127.0.0.1' IDENTIFIED BY 'another'")
    try:
        # `ping` succeeds when it is refused as well; `status` does not.
        done = subprocess.run(["mariadb-admin", f"--defaults-file={file}", "status"], capture_output=True, text=True, check=False)
    finally:
        server.sql(f"ALTER USER 'root'@'127.0.0.1' IDENTIFIED BY '{urlsplit(server.url).password}'")
    assert done.returncode == 0, done.stderr


def test_a_service_does_all_it_needs_in_its_own_schema_and_nothing_in_anothers(system: System) -> None:
    environ = {"PATH": os.environ["PATH"], "CLOVE_SERVICE": "seat", "CLOVE_DATABASE": system.url("seat")}
    migrated = subprocess.run(
        [sys.executable, "-m", "booking_templates", "migrate"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr

    tables = system.sql("seat", "SHOW TABLES FROM seat").stdout.split()
    assert "django_migrations" in tables
    for statement in (
        "SHOW TABLES FROM seat",
        "SELECT * FROM seat.django_migrations",
        "CREATE TABLE seat.mine (n INT)",
        "DROP DATABASE seat",
    ):
        refused = system.sql("auth", statement)
        assert refused.returncode != 0
        assert "denied" in refused.stderr
    assert system.sql("auth", "SELECT User FROM mysql.user").returncode != 0
    assert system.sql("auth", "SHOW DATABASES").stdout.split() == ["auth", "information_schema"]


def test_the_setup_runs_again_and_puts_a_changed_password_right(system: System) -> None:
    system.put(1)
    system.server.sql("ALTER USER 'seat'@'%' IDENTIFIED BY 'changed-by-hand'")
    assert system.sql("seat", "SELECT 1").returncode != 0

    assert system.setup().returncode == 0

    assert system.rows() == ("1", "1")


def test_a_restore_brings_back_exactly_what_was_there(system: System) -> None:
    system.put(1)
    system.put(2)
    file = system.backup()
    system.put(3)
    system.sql("seat", "CREATE TABLE seat.later (n INT); DELETE FROM seat.item WHERE n = 1")
    system.sql("auth", "DROP TABLE auth.item")

    done = system.restore(file.name)

    assert done.returncode == 0, done.stderr
    assert system.rows() == ("1,2", "1,2")
    assert "later" not in system.sql("seat", "SHOW TABLES FROM seat").stdout
    system.put(4)
    assert system.rows() == ("1,2,4", "1,2,4")


def test_a_restore_touches_nothing_while_a_service_is_connected(system: System) -> None:
    system.put(1)
    file = system.backup()
    system.put(2)
    command = ["mariadb", "--no-defaults", "-N", "-B", "--protocol=tcp", "-h127.0.0.1", f"-P{system.server.port}", "-useat"]
    with subprocess.Popen(
        [*command, "--unbuffered"],
        env={**os.environ, "MYSQL_PWD": system.passwords["seat"]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as service:
        assert service.stdin
        assert service.stdout
        service.stdin.write("SELECT 1;\n")
        service.stdin.flush()
        assert service.stdout.readline() == "1\n"

        refused = system.restore(file.name)

        assert refused.returncode != 0
        assert refused.returncode == 3
        assert "seat still uses the database" in refused.stderr
        assert system.sql("auth", "SELECT 1").returncode == 0, "nobody stays locked out"
        assert system.rows() == ("1,2", "1,2")
        service.stdin.close()
    assert system.restore(file.name).returncode == 0
    assert system.rows() == ("1", "1")


def test_a_restore_into_a_new_server_lets_the_new_systems_passwords_in(system: System, tmp_path: Path) -> None:
    system.put(7)
    file = system.backup()
    with MariaDB(tmp_path / "other") as other:
        new = System(other, tmp_path / "new")
        for name in (file.name, f"{file.name}.sha256"):
            (new.backups / name).write_bytes((system.backups / name).read_bytes())

        done = new.restore("latest")

        assert done.returncode == 0, done.stderr
        assert new.passwords != system.passwords
        assert new.rows() == ("7", "7")


def test_old_backups_go_and_what_a_killed_pod_left_goes_with_them(system: System) -> None:
    system.put(1)
    for day in range(1, 5):
        for ending in ("", ".sha256"):
            (system.backups / f"clove-2026010{day}T040000Z.sql.gz{ending}").touch()
    left = system.backups / ".clove-20260101T040000Z.sql.gz.part"
    left.touch()
    os.utime(left, (0, 0))

    file = system.backup()

    kept = {"clove-20260104T040000Z.sql.gz", file.name}
    assert {path.name for path in system.backups.iterdir()} == kept | {f"{name}.sha256" for name in kept}


def test_a_dump_that_breaks_off_leaves_no_backup(system: System) -> None:
    system.server.sql("DROP DATABASE seat")

    done = system._run("backup.sh", "mariadb-backup", SCHEMAS=" ".join(SERVICES), KEEP="2")

    assert done.returncode != 0
    assert list(system.backups.iterdir()) == []


@pytest.mark.parametrize("name", ["clove-20260101T040000Z.sql.gz", "../../etc/passwd", "", "latest"])
def test_what_is_no_backup_is_refused_and_nothing_changes(system: System, name: str) -> None:
    system.put(1)

    done = system.restore(name)

    assert done.returncode == 3
    assert system.rows() == ("1", "1")


def test_what_backups_there_are_is_said_where_one_is_missing(system: System) -> None:
    system.put(1)
    file = system.backup()

    assert f"There are: {file.name}" in system.restore("clove-20260101T040000Z.sql.gz").stderr


class Dying:
    """A restore that is cut off by `kill -9` once half of the dump has been put back."""

    def __init__(self, system: System, directory: Path) -> None:
        self._path = f"{directory}:{os.environ['PATH']}"
        directory.mkdir()
        # Half of the schemas, and then the pod is gone: the script, and its client with it.
        (directory / "gzip").write_text(
            '#!/bin/bash\nPATH="${PATH#*:}" gzip "$@" | sed "/^CREATE DATABASE.*seat/q"\nkill -9 $(ps -o ppid= $PPID) $PPID\n'
        )
        (directory / "gzip").chmod(0o755)
        self._system = system

    def restore(self, name: str, number: int = 1) -> None:
        assert self._system.restore(name, number, PATH=self._path).returncode != 0
        assert self._system.server.sql("SELECT has_begun FROM clove_restore.running") == "1\n"


@pytest.fixture
def dying(system: System, tmp_path: Path) -> Dying:
    return Dying(system, tmp_path / "dying")


def test_half_a_database_is_never_written_to_nor_backed_up_until_a_retry_has_made_it_whole(system: System, dying: Dying) -> None:
    system.put(1)
    file = system.backup()
    system.put(2)

    dying.restore("latest")
    assert system.setup().returncode == 0
    locked = [system.sql(service, "SELECT 1") for service in SERVICES]
    assert ["locked" in each.stderr for each in locked] == [True, True], locked
    refused = system._run("backup.sh", "mariadb-backup", SCHEMAS=" ".join(SERVICES), KEEP="2")
    assert (refused.returncode, "half restored" in refused.stderr) == (1, True)
    assert [path.name for path in system.backups.glob("*.gz")] == [file.name]

    done = system.restore("latest")
    assert done.returncode == 0, done.stderr
    assert system.rows() == ("1", "1")
    assert "clove_restore" not in system.server.sql("SHOW DATABASES")
    assert system.backup().exists()


def test_a_retry_takes_the_file_that_the_first_run_took(system: System, dying: Dying) -> None:
    system.put(1)
    file = system.backup()
    dying.restore("latest")
    for ending in ("", ".sha256"):
        (system.backups / f"clove-29990101T040000Z.sql.gz{ending}").write_text("somebody's, and later")

    done = system.restore("latest")

    assert (done.returncode, done.stdout) == (0, f"Restored {file.name}.\n"), done.stderr
    assert system.rows() == ("1", "1")


def test_a_restore_that_died_when_all_was_whole_is_not_taken_for_half_of_one(system: System, tmp_path: Path) -> None:
    system.put(1)
    file = system.backup()
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "mariadb").write_text('#!/bin/bash\nexport PATH="${PATH#*:}"\n[[ " $* " = *" -e "* ]] && exec mariadb "$@"\n'
                                      'sed "s/DROP DATABASE clove_restore;$//" | mariadb "$@"\n')  # fmt: skip
    (programs / "mariadb").chmod(0o755)
    assert system.restore(file.name, PATH=f"{programs}:{os.environ['PATH']}").returncode == 0
    assert "clove_restore" in system.server.sql("SHOW DATABASES")
    system.put(2)

    assert system.restore("clove-20260101T040000Z.sql.gz", 2).returncode == 3
    assert system.rows() == ("1,2", "1,2")


def test_another_restore_that_is_refused_does_not_unlock_half_a_database(system: System, dying: Dying) -> None:
    system.put(1)
    file = system.backup()
    dying.restore("latest", 1)

    refused = system.restore("clove-20260101T040000Z.sql.gz", 2)
    assert refused.returncode == 1
    assert "half restored" in refused.stderr
    assert "locked" in system.sql("seat", "SELECT 1").stderr

    assert system.restore(file.name, 3).returncode == 0
    assert system.rows() == ("1", "1")


def test_the_account_that_a_restore_locks_besides_is_that_of_the_backups() -> None:
    assert f'"$SCHEMAS {databases.BACKUP_USER}"' in (SCRIPTS / "restore.sh").read_text()


def test_a_backup_that_is_being_made_is_waited_for(system: System) -> None:
    system.put(1)
    file = system.backup()
    options = system.directory / "mariadb-backup/client.cnf"
    with subprocess.Popen(["mariadb", f"--defaults-file={options}", "-e", "SELECT SLEEP(60)"], stdout=subprocess.DEVNULL) as dump:
        while "clove-backup" not in system.server.sql("SELECT USER FROM information_schema.PROCESSLIST"):
            assert dump.poll() is None
        refused = system.restore(file.name)
        dump.kill()
    assert refused.returncode == 3
    assert "clove-backup still uses the database" in refused.stderr


def test_a_damaged_backup_is_refused_before_anything_is_dropped(system: System) -> None:
    system.put(1)
    file = system.backup()
    system.put(2)
    file.write_bytes(file.read_bytes()[:-10])

    assert system.restore(file.name).returncode != 0
    assert system.rows() == ("1,2", "1,2")


def test_the_account_of_backups_reads_and_writes_nothing(system: System) -> None:
    system.put(1)
    options = system.directory / "mariadb-backup/client.cnf"
    command = ["mariadb", f"--defaults-file={options}", "-e"]

    assert subprocess.run([*command, "SELECT * FROM seat.item"], capture_output=True, check=False).returncode == 0
    for statement in ("DELETE FROM seat.item", "DROP DATABASE seat", "CREATE USER x", "SELECT 1 INTO OUTFILE '/tmp/clove-x'"):
        assert subprocess.run([*command, statement], capture_output=True, check=False).returncode != 0, statement


def outside(server: MariaDB) -> DatabasePlan:
    return DatabasePlan("127.0.0.1", server.port, {"auth": "clove-7-auth", "seat": "clove-7-seat"})


def admin(server: MariaDB, **changes: str) -> dict[str, str]:
    return {"HOST": "127.0.0.1", "PORT": str(server.port), "USER": "root", "PASSWORD": urlsplit(server.url).password or "", **changes}


def test_schemas_on_a_server_outside_are_made_kept_and_removed(server: MariaDB, settings: Any) -> None:
    settings.BOOKING_DATABASE_ADMIN = admin(server)
    plan, passwords = outside(server), {"auth": databases.new_password(), "seat": databases.new_password()}
    databases.make_outside(plan, passwords)
    server.sql("CREATE TABLE `clove-7-seat`.item (n INT)")

    databases.make_outside(plan, passwords)

    assert "item" in server.sql("SHOW TABLES FROM `clove-7-seat`")
    for _ in range(2):
        databases.drop_outside(plan)
    assert "clove-7" not in server.sql("SHOW DATABASES") + server.sql("SELECT User FROM mysql.user")


def test_a_schema_on_a_server_outside_is_known_by_its_first_migration(server: MariaDB, settings: Any) -> None:
    settings.BOOKING_DATABASE_ADMIN = admin(server)
    plan, passwords = outside(server), {"auth": databases.new_password(), "seat": databases.new_password()}
    databases.make_outside(plan, passwords)
    for day, schema in enumerate(plan.schemas.values(), 1):
        server.sql(f"CREATE TABLE `{schema}`.django_migrations (applied DATETIME(6))")
        server.sql(f"INSERT INTO `{schema}`.django_migrations VALUES ('2026-11-0{day} 10:00:00.123456'), ('2026-11-09 10:00:00')")
    names = plan.schemas.values()
    found = databases.first_migrations(plan, names)
    assert found == {"clove-7-auth": "2026-11-01 10:00:00.123456", "clove-7-seat": "2026-11-02 10:00:00.123456"}

    server.sql("DROP TABLE `clove-7-auth`.django_migrations; DROP DATABASE `clove-7-seat`")

    assert databases.first_migrations(plan, names) == {}
    databases.drop_outside(plan)


def test_an_account_that_may_not_is_told_for_good_and_a_silent_server_is_tried_again(server: MariaDB, settings: Any) -> None:
    settings.BOOKING_DATABASE_ADMIN = admin(server, PASSWORD="wrong")
    with pytest.raises(Failed) as refused:
        databases.make_outside(outside(server), {})
    assert refused.value.reason.code == "database_refused"

    settings.BOOKING_DATABASE_ADMIN = admin(server, HOST="127.0.0.2")
    with pytest.raises(Failed) as other:
        databases.make_outside(outside(server), {})
    assert other.value.reason.code == "database_other"

    settings.BOOKING_DATABASE_ADMIN = admin(server, PORT="1")
    with pytest.raises(Retry) as silent:
        databases.make_outside(DatabasePlan("127.0.0.1", 1, {}), {})
    assert silent.value.reason.code == "database_silent"
