"""How a system's own MariaDB comes to its data directory: start.sh, run as its pod runs it, against the system's package.

The image's entrypoint is stood in for by what it does with a data directory that is there: it becomes the server.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controlplane.rendering.database import DatabasePlan, ServerPlan
from controlplane.systems import databases
from tests.needs import need
from tests.ports import free_port

pytestmark = pytest.mark.timeout(180)

SCRIPT = Path(__file__).resolve().parents[3] / "manifests" / "database" / "start.sh"
ENTRYPOINT = """#!/bin/bash
shift
exec mariadbd --no-defaults {user} --datadir="$DATA" --socket="$DATA/../socket" --pid-file="$DATA/../pid" "$@"
"""
ROOT, SEAT = "root-of-the-tests", "seat-of-the-tests"


class Volume:
    """A volume, and the server that starts on it."""

    def __init__(self, directory: Path) -> None:
        self.data = directory / "data"
        self.data.mkdir()
        self.port = free_port()
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        programs = directory / "bin"
        programs.mkdir()
        user = "--user=root" if os.geteuid() == 0 else ""
        (programs / "docker-entrypoint.sh").write_text(ENTRYPOINT.format(user=user))
        (programs / "docker-entrypoint.sh").chmod(0o755)
        (directory / ".my.cnf").write_text("[mysqld]\nuser=root\n" if user else "")
        server = ServerPlan("", 1024, 1024, backups_kept=2, backup_at="7 4 * * *", time_zone="Asia/Seoul")
        plan = DatabasePlan("127.0.0.1", self.port, {"seat": "seat"}, server=server)
        own = {"root-password": ROOT, "backup-password": "backup-of-the-tests"}
        made = databases.server_secrets(plan, own, {"seat": SEAT})["mariadb-secrets"]
        (directory / "first.sql").write_text(made["first.sql"])
        self.environ = {
            "PATH": f"{programs}:/usr/sbin:{os.environ['PATH']}",
            "HOME": str(directory),
            # A server that starts clears away the temporary tables it finds there, also those of another test's server.
            "TMPDIR": str(directory),
            "DATA": str(self.data),
            "FIRST_SQL": str(directory / "first.sql"),
        }

    @property
    def command(self) -> list[str]:
        return ["bash", str(SCRIPT)]

    @property
    def root(self) -> str:
        return ROOT

    def start(self) -> None:
        """Until it answers root. Raises AssertionError with what it said when it ends instead."""
        log = self._directory / "log"
        command = [*self.command, f"--port={self.port}", "--bind-address=127.0.0.1", "--ignore-db-dirs=lost+found"]
        with open(log, "wb") as file:
            self._process = subprocess.Popen(command, env=self.environ, stdout=file, stderr=file, start_new_session=True)
        deadline = time.monotonic() + 60
        while self.sql("root", self.root, "SELECT 1").returncode:
            assert self._process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)

    def kill(self) -> None:
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def sql(self, user: str, password: str, statement: str) -> subprocess.CompletedProcess[str]:
        command = ["mariadb", "--no-defaults", "-N", "-B", "--protocol=tcp", "-h127.0.0.1", f"-P{self.port}", f"-u{user}", "-e", statement]
        environ: dict[str, Any] = {**os.environ, "MYSQL_PWD": password}
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30, check=False)

    def run(self, **environ: str) -> subprocess.CompletedProcess[str]:
        """The script with ENVIRON besides, to its end."""
        return subprocess.run(self.command, env=self.environ | environ, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    need("mariadb")
    found = Volume(tmp_path)
    yield found
    found.kill()


def test_a_new_volume_has_the_schemas_the_users_and_nobody_else(volume: Volume) -> None:
    (volume.data / "lost+found").mkdir()
    volume.start()
    assert volume.sql("seat", SEAT, "CREATE TABLE seat.item (n INT); INSERT INTO seat.item VALUES (7)").returncode == 0
    assert volume.sql("seat", SEAT, "SELECT * FROM mysql.user").returncode != 0
    users = volume.sql("root", ROOT, "SELECT CONCAT(User, '@', Host) FROM mysql.user ORDER BY 1").stdout.split()
    assert users == ["clove-backup@%", "mariadb.sys@localhost", "root@%", "root@localhost", "seat@%"]
    for user in ("root", "seat", "clove-backup", "mariadb.sys", "mysql"):
        assert volume.sql(user, "", "SELECT 1").returncode != 0
    volume.kill()
    volume.start()
    assert volume.sql("seat", SEAT, "SELECT n FROM seat.item").stdout == "7\n"


@pytest.mark.parametrize("after", ["mariadb-install-db", "sync", "mv", "find", "rmdir"])
@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
def test_whoever_dies_while_it_is_made_costs_nothing(volume: Volume, tmp_path: Path, after: str, is_done: bool) -> None:
    """Each program that changes the volume ends the script, before or after it has done its work."""
    deadly = tmp_path / "deadly"
    deadly.mkdir()
    act = f'PATH="${{PATH#*:}}" {after} "$@"; ' if is_done else ""
    (deadly / after).write_text(f'#!/bin/bash\n{act}kill -9 "$PPID"\n')
    (deadly / after).chmod(0o755)
    died = volume.run(PATH=f"{deadly}:{volume.environ['PATH']}")
    assert died.returncode == -signal.SIGKILL
    volume.start()
    assert volume.sql("seat", SEAT, "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'seat'").stdout == "1\n"
    assert not [name for name in os.listdir(volume.data) if name.startswith(".")]


def test_a_volume_with_something_else_on_it_is_left_as_it_is(volume: Volume) -> None:
    (volume.data / "photos").write_text("of the summer")
    done = volume.run()
    assert done.returncode == 1
    assert "photos" in done.stderr
    assert os.listdir(volume.data) == ["photos"]


def test_a_new_volume_that_cannot_be_made_is_said_so(volume: Volume) -> None:
    Path(volume.environ["FIRST_SQL"]).write_text("CREATE NONSENSE;\n")
    assert volume.run().returncode != 0
    assert not (volume.data / "mysql").exists()
