"""For every test: property tests look for counterexamples, not for slowness; and one browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.chromium import OPTIONS
from tests.needs import need

if TYPE_CHECKING:
    from playwright.sync_api import Browser

settings.register_profile("clove", deadline=None)
settings.load_profile("clove")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One of the whole run: playwright's loop can be there once."""
    from playwright.sync_api import sync_playwright  # most tests need none

    path = need("chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield launched
        launched.close()
