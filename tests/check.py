"""`./clove check`: format, lint, types, import rules, migrations, templates. Quick enough to run before every commit."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def checks() -> list[tuple[str, list[str], dict[str, str]]]:
    """Name, command and environment of each check."""
    return [
        ("format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."], {}),
        ("lint", [str(BIN / "ruff"), "check", "--quiet", "."], {}),
        ("import rules", [str(BIN / "lint-imports"), "--no-logo"], {"PYTHONPATH": "."}),
        ("types", [str(BIN / "mypy"), "--no-error-summary"], {}),
        ("types of the booking services", [str(BIN / "mypy"), "--no-error-summary", "--config-file", "tests/mypy_booking.ini"], {}),
        ("templates", [str(BIN / "djlint"), "--check", "--lint", "--quiet", "controlplane", "booking_templates"], {}),
        ("migrations of the control plane", [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"], {}),
        (
            "migrations of the booking services",
            [sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run"],
            {"DJANGO_SETTINGS_MODULE": "tests.booking_all_settings", "PYTHONPATH": "."},
        ),
    ]


def main() -> int:
    """Run them all; the exit code."""
    failed = []
    for name, command, env in checks():
        started = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, check=False)
        print(f"{'ok    ' if done.returncode == 0 else 'FAILED'} {name} ({time.monotonic() - started:.1f} s)", flush=True)
        if done.returncode:
            failed.append(name)
            print((done.stdout + done.stderr).strip(), flush=True)
    if failed:
        print(f"{len(failed)} checks failed: {', '.join(failed)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
