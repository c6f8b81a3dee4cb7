"""One stack that is up for the tests that only use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import Stack, running


@pytest.fixture(scope="session")
def clove(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything up, with the example event live. Buyers may sign in with a provider on this machine: a test has one."""
    with running(tmp_path_factory.mktemp("clove") / "home", env={"CLOVE_OIDC_PRIVATE": "yes"}) as stack:
        yield stack


@pytest.fixture(scope="session")
def battered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything up, without the example, for tests that kill one process of it. Each waits until that is there again."""
    with running(tmp_path_factory.mktemp("battered") / "home", "--empty") as stack:
        yield stack


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Where a failing test's screenshots go."""
    return tmp_path
