"""What `./clove test` says of its suites."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import on_mariadb
from tests.run import Suite, run, suites

OUTCOMES = """
import pytest
def test_one(): pass
def test_two(): pass
def test_wrong(): assert 0
@pytest.mark.skip
def test_skipped(): pass
"""


def test_a_suites_tests_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test_outcomes.py").write_text(OUTCOMES)
    arguments = ("-c", "/dev/null", "--rootdir", str(tmp_path), "-p", "no:cacheprovider", str(tmp_path))

    outcome = run(Suite("outcomes", arguments), tmp_path, ["-k", "not two"])

    assert (outcome.code, outcome.passed, outcome.failed, outcome.skipped) == (1, 1, 1, 1)
    assert "FAILED outcomes: 1 passed, 1 failed" in capsys.readouterr().out


def test_what_has_no_tests_says_no_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Suite("words", module="this", is_counted=False), tmp_path, []).code == 0
    assert "passed" not in capsys.readouterr().out


def test_every_suite_but_the_checks_is_counted() -> None:
    assert [suite.name for suite in suites() if not suite.is_counted] == ["check"]


def test_options_alone_leave_the_control_planes_suites_on_mariadb() -> None:
    assert on_mariadb.chosen(["--junitxml=/nowhere/report.xml", "-q"])[: len(on_mariadb.SUITES)] == list(on_mariadb.SUITES)
    one = "tests/unit/controlplane/systems/test_lease.py::test_one"
    assert on_mariadb.chosen([one, "-q"]) == [one, "-q"]
