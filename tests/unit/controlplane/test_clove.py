"""The one command, before it hands over to Python: which Python it takes."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TOO_OLD = '#!/bin/sh\n[ "$1" = -c ] && exit 1\n'
NO_VENV = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\n[ "$1" = -c ]\n'
GOOD = '#!/bin/sh\n[ "$1" = -c ]\n'


def python(path: Path, script: str) -> str:
    """A command that stands for a Python."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(script)
    path.chmod(0o755)
    return str(path)


def taken(tmp_path: Path, **environment: str) -> str:
    """Which Python `./clove check` makes its virtual environment with, where none can be made."""
    (tmp_path / "file").touch()
    done = subprocess.run(
        ["/bin/sh", "clove", "check"],
        cwd=ROOT,
        env={"PATH": f"{tmp_path / 'bin'}:/bin:/usr/bin", "CLOVE_VENV": str(tmp_path / "file" / "venv"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = "Could not make a virtual environment with "
    assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    return done.stderr.split(said)[1].split(" (")[0]


def test_the_python_that_is_named_is_taken(tmp_path: Path) -> None:
    python(tmp_path / "bin" / "python3", GOOD)
    named = python(tmp_path / "my" / "python", GOOD)
    assert taken(tmp_path, PYTHON=named) == named


def test_one_that_is_too_old_or_makes_no_environments_is_passed_over(tmp_path: Path) -> None:
    python(tmp_path / "bin" / "python3.14", GOOD)  # one that is good, wherever the tests run
    for script in (TOO_OLD, NO_VENV):
        named = python(tmp_path / "my" / "python", script)
        assert taken(tmp_path, PYTHON=named) not in ("", named)
