from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime_contract.supervised import Supervised, supervised


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervised]:
    """A supervisor that is gone afterwards, with all it ran."""
    yield from supervised(tmp_path)
