"""A private MariaDB from the system's package: own data directory, own port, ends with the test.

with MariaDB(tmp_path / "mariadb") as server:
    url = server.create("clove_seat")        # mysql://root:…@127.0.0.1:41234/clove_seat
    server.kill(); server.restart()          # as a crash; what was committed is there again
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType

from tests.ports import free_port

READY_S = 60.0
STOP_S = 30.0

OPTIONS = (
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=1",  # every commit is on disk: what is measured and tested is what is sold
    "--innodb-buffer-pool-size=256M",
    "--innodb-log-file-size=128M",
    "--max-connections=400",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_unicode_ci",
    "--skip-name-resolve",
    "--performance-schema=OFF",
)


class MariaDB:
    """A server whose files lie in DIRECTORY (made when it is missing, and kept). `url` is its address without a schema."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory = directory
        self._options = options
        self._password = secrets.token_urlsafe(12)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"mysql://root:{self._password}@127.0.0.1:{self.port}"

    def __enter__(self) -> MariaDB:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> MariaDB:
        """Ready when this returns. Raises FileNotFoundError without the package, RuntimeError with the log when it ends at once."""
        data = self.directory / "data"
        if not data.exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            self._install(data)
        with open(self.directory / "log", "ab") as log:
            self._process = subprocess.Popen(
                [
                    _program("mariadbd"),
                    "--no-defaults",
                    *_as_user(),
                    f"--datadir={data}",
                    f"--port={self.port}",
                    "--bind-address=127.0.0.1",
                    f"--socket={self.socket}",
                    f"--pid-file={self.directory / 'pid'}",
                    # A server that starts clears away the temporary tables it finds there, also those of another one.
                    f"--tmpdir={self.directory}",
                    f"--init-file={self._init_file()}",
                    *OPTIONS,
                    *self._options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait_ready()
        return self

    def create(self, schema: str) -> str:
        """Make SCHEMA, empty; its address."""
        self.sql(f"DROP DATABASE IF EXISTS `{schema}`; CREATE DATABASE `{schema}` CHARACTER SET utf8mb4")
        return f"{self.url}/{schema}"

    def sql(self, text: str) -> str:
        """Run TEXT as root; what the client prints, without headers. Raises CalledProcessError."""
        command = [_program("mariadb"), "--no-defaults", "-N", "-B", "-uroot", f"-p{self._password}", f"--socket={self.socket}"]
        return subprocess.run([*command, "-e", text], check=True, capture_output=True, text=True).stdout

    def kill(self) -> None:
        """As `kill -9`."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Start it again on its data, at the same address; ready when this returns."""
        if self._process:
            self._end(signal.SIGTERM)
        self.start()

    def stop(self) -> None:
        """End it; safe to call twice."""
        self._end(signal.SIGTERM)

    @property
    def socket(self) -> Path:
        """Where it listens beside its port."""
        # A socket's path may have 107 bytes at most, and pytest's directories are long.
        return Path("/tmp") / f"clove-mariadb-{self.port}.sock"

    def _install(self, data: Path) -> None:
        subprocess.run(
            [
                _program("mariadb-install-db"),
                "--no-defaults",
                *_as_user(),
                f"--datadir={data}",
                f"--tmpdir={self.directory}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--innodb-log-file-size=128M",
            ],
            check=True,
            capture_output=True,
        )

    def _init_file(self) -> Path:
        path = self.directory / "init.sql"
        hosts = ("localhost", "127.0.0.1")
        users = [f"CREATE OR REPLACE USER 'root'@'{host}' IDENTIFIED BY '{self._password}'" for host in hosts]
        grants = [f"GRANT ALL PRIVILEGES ON *.* TO 'root'@'{host}' WITH GRANT OPTION" for host in hosts]
        path.write_text(";\n".join([*users, *grants]) + ";\n", encoding="utf-8")
        path.chmod(0o600)
        return path

    def _wait_ready(self) -> None:
        assert self._process
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                log = (self.directory / "log").read_text(encoding="utf-8", errors="replace")[-4000:]
                raise RuntimeError(f"mariadbd ended with {self._process.returncode}\n{log}")
            with contextlib.suppress(subprocess.CalledProcessError):
                self.sql("SELECT 1")
                return
            time.sleep(0.05)
        raise RuntimeError(f"mariadbd was not ready within {READY_S} s")

    def _end(self, sign: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(sign)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_S)
        self.socket.unlink(missing_ok=True)


def _program(name: str) -> str:
    older = {"mariadbd": "mysqld", "mariadb": "mysql", "mariadb-install-db": "mysql_install_db"}
    for candidate in (name, f"/usr/sbin/{name}", older[name], f"/usr/sbin/{older[name]}"):
        if path := shutil.which(candidate):
            return path
    raise FileNotFoundError(f"{name}: the system's package mariadb-server is not installed")


def _as_user() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []
