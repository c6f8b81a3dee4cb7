"""The platform's own database: its first start, its backups and a restore, by the scripts that its pods and containers run."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.controlplane.test_database_start import Volume
from tests.needs import need

pytestmark = pytest.mark.timeout(180)

SCRIPT = Path(__file__).resolve().parents[3] / "manifests" / "platform" / "mysql.sh"
ROOT, OWN = "root-of-the-platform", "own-of-the-platform"


class Platform(Volume):
    """Its volume and server, with the two passwords of its Secret and nothing else of one."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        for name, password in (("root-password", ROOT), ("password", OWN)):
            (directory / name).write_text(password)
        self.backups, self.made = directory / "backups", directory / "made"
        self.backups.mkdir()
        self.made.mkdir()
        del self.environ["FIRST_SQL"]
        self.environ |= {
            "ROOT_PASSWORD_FILE": str(directory / "root-password"),
            "PASSWORD_FILE": str(directory / "password"),
            "MADE": str(self.made),
            "BACKUPS": str(self.backups),
            "SCHEMAS": "clove",
            "KEEP": "2",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
        }

    @property
    def command(self) -> list[str]:
        return ["bash", str(SCRIPT), "start.sh"]

    @property
    def root(self) -> str:
        return ROOT

    def task(self, script: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", str(SCRIPT), script], env=self.environ | environ, capture_output=True, text=True, timeout=60, check=False
        )

    def own(self, statement: str) -> str:
        done = self.sql("clove", OWN, statement)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    need("mariadb")
    found = Platform(tmp_path)
    yield found
    found.kill()


@pytest.mark.parametrize("at", ["mariadb-install-db", "mv"])
def test_a_pod_that_dies_in_its_first_start_leaves_nothing_that_is_taken_for_a_database(
    platform: Platform, tmp_path: Path, at: str
) -> None:
    deadly = tmp_path / "deadly"
    deadly.mkdir()
    (deadly / at).write_text(f'#!/bin/bash\nPATH="${{PATH#*:}}" {at} "$@"; kill -9 "$PPID"\n')
    (deadly / at).chmod(0o755)
    assert platform.run(PATH=f"{deadly}:{platform.environ['PATH']}").returncode == -signal.SIGKILL

    platform.start()

    platform.own("CREATE TABLE clove.item (n INT); INSERT INTO clove.item VALUES (7)")
    assert platform.sql("clove", OWN, "SELECT * FROM mysql.user").returncode != 0
    users = platform.sql("root", ROOT, "SELECT CONCAT(User, '@', Host) FROM mysql.user ORDER BY 1").stdout.split()
    assert users == ["clove@%", "mariadb.sys@localhost", "root@%", "root@localhost"]
    platform.kill()
    platform.start()
    assert platform.own("SELECT n FROM clove.item") == "7\n"


def test_a_backup_is_put_back_while_nothing_uses_the_database_and_not_before(platform: Platform) -> None:
    platform.start()
    platform.own("CREATE TABLE clove.item (n INT); INSERT INTO clove.item VALUES (1)")
    made = platform.task("backup.sh")
    assert made.returncode == 0, made.stderr
    platform.own("INSERT INTO clove.item VALUES (2)")
    restore = {"BACKUP": "latest", "RESTORE": "7", "WAIT_S": "20", "REST_S": "3"}

    web = ["mariadb", "--no-defaults", "--protocol=tcp", "-h127.0.0.1", f"-P{platform.port}", "-uclove", "-e", "SELECT SLEEP(60)"]
    with subprocess.Popen(web, env={**os.environ, "MYSQL_PWD": OWN}, stdout=subprocess.DEVNULL) as running:
        while "SLEEP" not in platform.sql("root", ROOT, "SHOW FULL PROCESSLIST").stdout:
            assert running.poll() is None
        refused = platform.task("restore.sh", **restore)
        running.kill()
    assert (refused.returncode, "clove still uses the database" in refused.stderr) == (3, True)
    assert platform.own("SELECT COUNT(*) FROM clove.item") == "2\n"

    done = platform.task("restore.sh", **restore)
    assert done.returncode == 0, done.stderr
    assert platform.own("SELECT n FROM clove.item") == "1\n"
    assert platform.task("backup.sh").returncode == 0


def test_where_there_is_no_cronjob_a_backup_is_made_when_the_last_is_a_day_old_and_tried_again_while_none_is(platform: Platform) -> None:
    day_old = platform.backups / "clove-20200101T040000Z.sql.gz"
    day_old.touch()
    os.utime(day_old, (time.time() - 90_000,) * 2)
    loop = ["bash", str(SCRIPT), "daily.sh"]
    with subprocess.Popen(
        loop, env=platform.environ | {"PAUSE_S": "0.3"}, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as daily:
        try:
            assert daily.stderr
            assert "lets no backup in" in daily.stderr.readline()
            platform.start()
            _await(lambda: len(list(platform.backups.glob("clove-*.sql.gz"))) == 2)
            newest = max(platform.backups.glob("clove-*.sql.gz"))
            os.utime(newest, (time.time() - 90_000,) * 2)
            _await(lambda: max(platform.backups.glob("clove-*.sql.gz")).stat().st_mtime > time.time() - 3600)
        finally:
            os.killpg(daily.pid, signal.SIGKILL)


def _await(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)
