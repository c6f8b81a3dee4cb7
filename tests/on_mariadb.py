"""`./clove test controlplane-mariadb`: the control plane's unit and integration tests once more, on a MariaDB of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mariadb import MariaDB

ROOT = Path(__file__).resolve().parent.parent
SUITES = (
    *(f"tests/unit/controlplane/{name}" for name in ("systems", "accounts", "pool", "lib", "jobs", "metering", "api", "console", "portal")),
    *(f"tests/integration/controlplane/test_{name}.py" for name in ("caps", "deploying", "updating", "shapes", "settling", "deleting")),
    "tests/integration/controlplane/test_operating.py",
)


def chosen(arguments: list[str]) -> list[str]:
    """pytest's ARGUMENTS, with all suites unless they name a file or directory themselves."""
    names = any((ROOT / argument.partition("::")[0]).exists() for argument in arguments)
    return arguments if names else [*SUITES, *arguments]


def main() -> int:
    """pytest's exit code; what follows on the command line is pytest's."""
    # Nobody pulls this machine's plug to see what a test's database keeps.
    with tempfile.TemporaryDirectory(prefix="clove-mariadb-") as name, MariaDB(Path(name), "--innodb-flush-log-at-trx-commit=0") as server:
        environ = {**os.environ, "DATABASE_URL": server.create("clove")}
        command = [sys.executable, "-m", "pytest", "-q", *chosen(sys.argv[1:])]
        return subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
